import { readFileSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'

/**
 * Loaded before the mediator (`--import …?plan=FILE`), in its main thread and in the store's: what the
 * machine below it does wrong. FILE is JSON and is read again as the mediator runs:
 * `clockMs` sets the clock on the wall, `commitMs` holds each commit as a slow disk holds its sync.
 */
interface Plan {
  readonly clockMs?: number
  readonly commitMs?: number
}

const file = new URL(import.meta.url).searchParams.get('plan') ?? ''
const rereadMs = 20
let plan: Plan = {}
let readAt = Number.NEGATIVE_INFINITY

function planned(): Plan {
  if (performance.now() - readAt < rereadMs) return plan
  readAt = performance.now()
  plan = JSON.parse(readFileSync(file, 'utf8')) as Plan
  return plan
}

const { now } = Date
Date.now = () => now() + (planned().clockMs ?? 0)

const run = StatementSync.prototype.run
StatementSync.prototype.run = function (this: StatementSync, ...values: unknown[]) {
  if (this.sourceSQL === 'COMMIT') {
    const { commitMs = 0 } = planned()
    if (commitMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, commitMs)
  }
  return Reflect.apply(run, this, values)
}
