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
}

const keptPerFile = 16 * 1024

/** Runs test files with node:test, each in its own process. */
export async function runTests(
  files: readonly string[],
  { concurrency, timeoutMs }: TestOptions,
): Promise<Outcome> {
  if (files.length === 0) return nothing
  const failures: string[] = []
  const skipped: Skip[] = []
  const said = new Map<string, string>()
  const failedFiles = new Set<string>()
  let counts = { passed: 0, cancelled: 0, failed: 0 }
  const events = run({ files: [...files], concurrency, timeout: timeoutMs, cwd: rootFolder })
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      const file = data.file ?? ''
      said.set(file, `${said.get(file) ?? ''}${data.message}`.slice(-keptPerFile))
    } else if (type === 'test:pass' && reasonOf(data) !== undefined) {
      skipped.push({ name: `${at(data.file)} › ${data.name}`, reason: reasonOf(data) ?? '' })
    } else if (type === 'test:fail' && !isSumOfOthers(data.details.error)) {
      failedFiles.add(data.file ?? '')
      failures.push(failure(data.file, data.name, data.details.error))
    } else if (type === 'test:summary' && data.file === undefined) counts = data.counts
  }
  const output = [...failures, ...[...failedFiles].map((file) => outputOf(file, said.get(file)))]
  const failed = counts.failed + counts.cancelled
  return {
    // a file that fails outside its tests is among the failures even where no count has it
    ok: failed === 0 && failures.length === 0,
    passed: counts.passed,
    failed: Math.max(failed, failures.length > 0 ? 1 : 0),
    skipped,
    output: output.filter((text) => text !== '').join('\n'),
  }
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

function failure(file: string | undefined, name: string, error: Error): string {
  return `\n✘ ${at(file)} › ${name}\n${inspect(error.cause ?? error, { depth: 4 })}`
}

function outputOf(file: string, text = ''): string {
  return text.trim() === '' ? '' : `\n--- output of ${at(file)}\n${text.trimEnd()}`
}

function at(file: string | undefined): string {
  return file === undefined ? 'tests' : relative(rootFolder, file)
}
