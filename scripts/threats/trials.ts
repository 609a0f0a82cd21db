import { relative } from 'node:path'
import { run } from 'node:test'
import { rootFolder } from '../root.ts'
import { threatsIn } from './threats.ts'

/** A test that stands for threats, and what became of it. */
export interface Trial {
  readonly ids: readonly string[]
  readonly file: string
  /** With the names of the suites it is in. */
  readonly name: string
  readonly outcome: 'held' | 'broken' | 'skipped'
}

/**
 * Runs a file and answers what became of its tests whose names, or whose suites' names, carry a
 * threat's number. All of its tests run, since later ones may stand on earlier ones.
 */
export async function trialsOf(file: string, timeoutMs: number): Promise<readonly Trial[]> {
  const trials: Trial[] = []
  const names: string[] = []
  const suites = new Set<string>()
  const signal = AbortSignal.timeout(timeoutMs)
  const options = { files: [file], cwd: rootFolder, signal }
  for await (const { type, data } of run(options)) {
    if (type === 'test:start') {
      names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name)
      if (data.nesting > 0) suites.add(names.slice(0, data.nesting).join(' › '))
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue
    names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name)
    const name = names.join(' › ')
    const isFile = name === relative(rootFolder, file) || name === file
    // a suite is the sum of its tests, unless it failed by itself
    if (isFile || (suites.has(name) && type === 'test:pass')) continue
    const skipped = data.skip !== undefined && data.skip !== false
    const passed = skipped ? 'skipped' : 'held'
    const ids = threatsIn(name)
    if (ids.length === 0) continue
    const outcome = type === 'test:pass' ? passed : 'broken'
    trials.push({ ids, file: relative(rootFolder, file), name, outcome })
  }
  if (signal.aborted) throw new Error(`${file}: not done after ${timeoutMs / 1000} s`)
  return trials
}
