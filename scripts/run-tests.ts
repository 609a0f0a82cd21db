import { relative } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { rootFolder } from './root.ts'
import { nothing, type Outcome, type Skip } from './step.ts'

export interface TestOptions {
  /** How many files at a time. */
  readonly concurrency: number
  /** For one file: a test that hangs must not hang the run. */
  readonly timeoutMs: number
  /** Told after each file, where files take minutes. */
  readonly onFile?: (file: string, outcome: Outcome, seconds: number) => void
}

const keptPerFile = 16 * 1024

/** Runs test files with node:test, each in its own process, ended when its time is up. */
export async function runTests(
  files: readonly string[],
  { concurrency, timeoutMs, onFile }: TestOptions,
): Promise<Outcome> {
  const waiting = [...files]
  const outcomes: Outcome[] = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const started = performance.now()
      const outcome = await runFile(file, timeoutMs)
      outcomes.push(outcome)
      onFile?.(at(file), outcome, (performance.now() - started) / 1000)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return outcomes.reduce(plus, nothing)
}

function plus(a: Outcome, b: Outcome): Outcome {
  return {
    ok: a.ok && b.ok,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
    output: `${a.output}${b.output}`,
  }
}

async function runFile(file: string, timeoutMs: number): Promise<Outcome> {
  const failures: string[] = []
  const skipped: Skip[] = []
  let said = ''
  let counts = { passed: 0, cancelled: 0, failed: 0 }
  // `timeout` of node:test fails a test but leaves a process alive that still has a timer or socket
  const signal = AbortSignal.timeout(timeoutMs)
  for await (const { type, data } of run({ files: [file], cwd: rootFolder, signal })) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      said = `${said}${data.message}`.slice(-keptPerFile)
    } else if (type === 'test:pass' && reasonOf(data) !== undefined) {
      skipped.push({ name: `${at(file)} › ${data.name}`, reason: reasonOf(data) ?? '' })
    } else if (type === 'test:fail' && !isSumOfOthers(data.details.error)) {
      failures.push(failure(file, data.name, data.details.error))
    } else if (type === 'test:summary' && data.file === undefined) counts = data.counts
  }
  if (signal.aborted) failures.push(`\n✘ ${at(file)}: not done after ${timeoutMs / 1000} s\n`)
  const failed = Math.max(counts.failed + counts.cancelled, failures.length > 0 ? 1 : 0)
  const printed = said.trim() === '' ? '' : `\n--- output of ${at(file)}\n${said.trimEnd()}\n`
  const output = failed === 0 ? '' : `${failures.join('')}${printed}`
  return { ok: failed === 0, passed: counts.passed, failed, skipped, output }
}

interface Report {
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
}

/** Why a test did not really run; a `todo` is a skip with good intentions. */
function reasonOf({ skip, todo }: Report): string | undefined {
  const reason = skip ?? todo
  if (reason === undefined || reason === false) return undefined
  return typeof reason === 'string' && reason !== '' ? reason : 'no reason given'
}

function isSumOfOthers(error: unknown): boolean {
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed'
}

function failure(file: string, name: string, error: Error): string {
  return `\n✘ ${at(file)} › ${name}\n${inspect(error.cause ?? error, { depth: 4 })}\n`
}

function at(file: string): string {
  return relative(rootFolder, file)
}
