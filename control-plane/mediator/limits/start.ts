import type { IntentRecord } from '@jackstay/contract/record'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import { readRecord } from '../memory/histories.ts'
import type { Allowances, Clock } from '../ports.ts'
import { allowances } from './allowances.ts'
import { recall, type SpendingLog, spendingLog } from './spending.ts'
import { type SteadyClock, steadyClock } from './steady-clock.ts'

export interface Limits {
  readonly steady: SteadyClock
  readonly spending: SpendingLog
  readonly allowances: Allowances
}

/** What was spent before this start is told by the histories. */
export async function startLimits({
  store,
  clock,
  log,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}): Promise<Limits> {
  const steady = steadyClock({
    wall: clock,
    monotonic: () => performance.now(),
    onJump: (byMs) => log.warn({ byMs }, 'the clock jumped: limits go by time that passed'),
  })
  const limits: Limits = { steady, spending: spendingLog(steady), allowances: allowances(clock) }
  const note = (record: IntentRecord) => {
    limits.spending.note(record)
    limits.allowances.note(record)
  }
  await recall({ note }, store, (id) => readRecord(store, id), clock.now())
  return limits
}
