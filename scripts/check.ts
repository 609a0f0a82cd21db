import { quickSteps } from './quick.ts'
import { runSteps } from './step.ts'

const outcomes = await runSteps(quickSteps)
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1
