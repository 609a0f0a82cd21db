import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { buildPrograms, startBundles } from './build.ts'
import { quickSteps } from './quick.ts'
import { runOnRealCluster } from './real-cluster.ts'
import { runTests } from './run-tests.ts'
import { nothing, type Outcome, runSteps, type Step } from './step.ts'
import { findSuites } from './suites.ts'

const usage = `usage: npm test -- [--strict] [--only STEP]...

  --strict       a skipped test fails the run, as in CI
  --only STEP    only this step: biome, tsc, layers, generated, build, unit, go, e2e
`

const suites = findSuites()

const steps: readonly Step[] = [
  ...quickSteps,
  {
    name: 'build',
    run: async () => {
      await buildPrograms(() => {})
      await startBundles()
      return nothing
    },
  },
  {
    name: 'unit',
    run: () =>
      runTests(suites.unit, { concurrency: availableParallelism(), timeoutMs: 5 * 60_000 }),
  },
  { name: 'go', run: () => runTests(suites.go, { concurrency: 1, timeoutMs: 20 * 60_000 }) },
  { name: 'e2e', run: () => runOnRealCluster(suites) },
]

/** Skips are loud: what was not tested is not known to work. */
function skippedBlock(outcomes: readonly Outcome[]): string {
  const byReason = Map.groupBy(
    outcomes.flatMap(({ skipped }) => skipped),
    ({ reason }) => reason,
  )
  const blocks = [...byReason].map(
    ([reason, skips]) => `\nSKIPPED: ${reason}\n${skips.map(({ name }) => `  ${name}\n`).join('')}`,
  )
  return blocks.join('')
}

/** A failed step without tests counts as one failure, so the last line never looks better than the run. */
function closingLine(outcomes: readonly Outcome[]): string {
  const sum = (of: (outcome: Outcome) => number) => outcomes.map(of).reduce((a, b) => a + b, 0)
  const failed = sum(({ ok, failed }) => (ok ? 0 : Math.max(1, failed)))
  const skipped = sum(({ skipped }) => skipped.length)
  return `${sum(({ passed }) => passed)} passed, ${failed} failed, ${skipped} skipped`
}

async function main(): Promise<number> {
  const options = {
    help: { type: 'boolean' },
    strict: { type: 'boolean' },
    only: { type: 'string', multiple: true },
  } as const
  const { help = false, strict = false, only } = parseArgs({ options }).values
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = only?.find((name) => !steps.some((step) => step.name === name))
  if (unknown !== undefined) throw new Error(`no step \`${unknown}\``)
  const outcomes = await runSteps(steps.filter(({ name }) => only?.includes(name) ?? true))
  process.stdout.write(`${skippedBlock(outcomes)}\n${closingLine(outcomes)}\n`)
  const skipped = outcomes.some((outcome) => outcome.skipped.length > 0)
  return outcomes.every(({ ok }) => ok) && !(strict && skipped) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 2
}
