import { readFileSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'

/**
 * Loaded before the mediator (`--import …?plan=FILE`), in its main thread and in the store's: kills the
 * process right before or after the commit that stores an event. FILE says which, `before:dispatched`
 * or `after:dispatched`, and is read at each commit, so that a test arms it while the mediator runs.
 */
const plan = new URL(import.meta.url).searchParams.get('plan') ?? ''
const run = StatementSync.prototype.run
const pending = new Set<string>()

function dieIfPlanned(when: 'before' | 'after'): void {
  const [at, event = ''] = readFileSync(plan, 'utf8').split(':')
  if (at === when && pending.has(event)) process.kill(process.pid, 'SIGKILL')
}

StatementSync.prototype.run = function (this: StatementSync, ...values: unknown[]) {
  const { sourceSQL } = this
  if (sourceSQL.startsWith('INSERT INTO events ')) pending.add(String(values[2]))
  if (sourceSQL !== 'COMMIT' || pending.size === 0) return Reflect.apply(run, this, values)
  dieIfPlanned('before')
  const result = Reflect.apply(run, this, values)
  dieIfPlanned('after')
  pending.clear()
  return result
}
