import type { IntentRecord } from '@jackstay/contract/record'
import type { Thresholds } from '@jackstay/judge/breaker-thresholds'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { Clock } from '../ports.ts'
import { type Breakers, breakers, notePrefix, readKept, type Transition } from './breakers.ts'
import { breakerNotes } from './notes.ts'

export interface StartBreakers {
  readonly store: Pick<Store, 'notes' | 'putNote' | 'list' | 'intent'>
  readonly read: (id: string) => Promise<IntentRecord>
  readonly thresholds: Thresholds
  readonly clock: Clock
  readonly newId: () => string
  readonly onChange: (transition: Transition) => void
  readonly onError: (error: unknown) => void
}

/** Ended intents looked at after a start: what was counted last may not have been written. */
const recalled = 500
const recalledMs = 30 * 60_000

/**
 * The breakers as they were, and what ended since they were last written: a crash loses no failure,
 * so one that comes again and again opens a breaker all the same.
 */
export async function startBreakers(options: StartBreakers): Promise<Breakers> {
  const { store, read, thresholds, clock, newId, onChange, onError } = options
  const now = clock.now()
  const stored = await store.notes(notePrefix)
  const kept = stored.flatMap((note) => readKept(note, now, thresholds) ?? [])
  const notes = breakerNotes(store, onError)
  const running = breakers({ thresholds, clock, notes, newId, onChange }, kept)
  const rows = await store.list({ terminal: true, limit: recalled })
  const recent = rows.filter((row) => Date.parse(row.updatedAt) > now - recalledMs)
  for (const { id } of recent.toReversed()) running.ended(await read(id))
  // a probe may have ended long ago, or be among what was pruned: nobody else would ever try
  for (const { state } of kept) {
    const id = state.trip?.probe
    if (id !== undefined) await settleProbe(id, store, read, running)
  }
  await running.flush()
  return running
}

async function settleProbe(
  id: string,
  store: StartBreakers['store'],
  read: StartBreakers['read'],
  running: Breakers,
): Promise<void> {
  const row = await store.intent(id)
  if (row?.terminal === false) return
  if (row !== undefined) running.ended(await read(id))
  // also where what ended is another's than whose place it was
  running.abandon(id)
}

/** Counts and logs what breakers do. */
export function breakerReporter(metrics: Metrics, log: Log): (transition: Transition) => void {
  const moved = metrics.counter(
    'jackstay_breaker_transitions_total',
    'breakers that opened, let one intent try, or closed',
    ['scope', 'cause', 'to'],
  )
  return ({ scope, class: owner, key, to, trip: { cause, retryAt, counts } }) => {
    moved.inc({ scope, cause, to })
    const fields = { scope, class: owner, key, cause, counts, retryAt: new Date(retryAt) }
    if (to === 'open') log.warn(fields, 'a breaker opened')
    else log.info({ ...fields, to }, 'a breaker moved')
  }
}
