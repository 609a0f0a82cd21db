import { readFileSync } from 'node:fs'
import type { Decision } from '@jackstay/contract/decision'
import type { NamedPolicy } from '@jackstay/judge/rules'
import { judgeThread } from '@jackstay/judge/thread'
import type { JudgeFigures } from './judge.ts'
import { question } from './judge-intents.ts'

const [file = '', count = '', seconds = ''] = process.argv.slice(2)
const policies: readonly NamedPolicy[] = JSON.parse(readFileSync(file, 'utf8'))
const questions = Array.from({ length: Number(count) }, (_, n) => question(n))

const thread = judgeThread()
// its start is no part of loading
await thread.load([])
const beforeLoad = cpuSeconds()
const { problems } = await thread.load(policies)
const loadSeconds = cpuSeconds() - beforeLoad
if (problems[0] !== undefined) throw new Error(problems[0].message)

const verdicts = (await thread.decide(questions)).map(verdict)
// a control plane runs for days: what its first second compiles is not what it costs
await judgeFor(Number(seconds) / 2)
const from = cpuSeconds()
const judged = await judgeFor(Number(seconds))
const figures: JudgeFigures = { loadSeconds, judged, cpuSeconds: cpuSeconds() - from, verdicts }
await thread.close()
process.stdout.write(JSON.stringify(figures))

/** Judges until so many CPU seconds are used, and says how many. */
async function judgeFor(cpu: number): Promise<number> {
  const begun = cpuSeconds()
  let count = 0
  while (cpuSeconds() - begun < cpu) count += (await thread.decide(questions)).length
  return count
}

/** The effect and every rule that fired, as `deny policy/rule policy/other`. */
function verdict({ effect, requirements, fired }: Decision): string {
  const word = effect === 'allow' && requirements.length > 0 ? 'ask' : effect
  return [word, ...fired.map(({ id }) => id).sort()].join(' ')
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
