import type { IntentRecord } from '@jackstay/contract/record'
import { workQueue } from '@jackstay/kube/queue'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Caches } from '../cluster/cluster-caches.ts'
import type { Projection } from '../cluster/projection.ts'
import type { Aggregation } from '../flood/aggregation.ts'
import type { Journal } from '../memory/journal.ts'
import type { Ports } from '../ports.ts'
import type { Changes } from '../reading/changes.ts'
import { type Lane, lane } from './lane.ts'
import { type Lookouts, lookouts } from './lookouts.ts'
import { type First, openings, taken } from './opening.ts'
import { type Places, places } from './places.ts'
import { type Fresh, takeTurn } from './turn.ts'
import { type Waking, wakeOnChanges } from './wakes.ts'

/** An intent waits for its commits most of the time: fewer at once would leave the disk idle. */
const concurrency = 32

export interface DriverOptions {
  readonly store: Store
  readonly ports: Omit<Ports, 'unsent'>
  readonly caches: Caches
  readonly projection: Projection
  readonly changes: Changes
  readonly journal: Journal
  readonly holder: string
  readonly log: Log
  readonly onEnd: (record: IntentRecord) => void
  /** Leaves the leaves of a flood of refusals to one of their own. */
  readonly refusals: Pick<Aggregation, 'around'>
  /** Every event that is on record. */
  readonly note: (record: IntentRecord) => void
  /** One that was looked at never came on record. */
  readonly onLost: (record: IntentRecord) => void
}

/** Runs `advance` whenever something an intent waits for may have happened. */
export interface Driver {
  /**
   * Puts a new intent on record, with what the first stages say of it, and drives it on.
   * @throws JackstayError `intent_conflict` where its id is taken, and of the store
   */
  begin(first: First): Promise<IntentRecord>
  /** One that stands although nobody here began it: the answer of its first commit was lost. */
  takeUp(id: string): void
  /** Takes up every intent that has not ended, as after a restart. */
  recover(): Promise<number>
  /** Something outside the caches changed (an alert resolved): waiting intents look again. */
  recheck(): void
  drain(signal: AbortSignal): Promise<void>
}

/** What is due sooner is timed to the millisecond. */
const soonMs = 5_000
/** How often those that wait longer are asked whether their time has come. */
const tickMs = 1_000

export function startDriver(options: DriverOptions): Driver {
  const { log, caches } = options
  const floor = openFloor(options, () => {
    recover(floor, options).catch((err: unknown) => {
      log.error({ err }, 'open intents could not be read')
    })
  })
  const { waiting, working, fresh, open } = floor
  const opening = openings(options)
  const wake = waking(floor)
  wakeOnChanges(caches, waiting, wake)
  const ticking = setInterval(() => wake.all(waiting.due(performance.now())), tickMs)
  return {
    async begin(first) {
      const id = first.data.claims.jti
      if (waiting.has(id) || working.has(id) || fresh.has(id)) throw taken(id)
      const { record, fence } = await opening.begin(first)
      if (fence === undefined) return record
      fresh.set(id, { record, fence, since: performance.now() })
      // not taken: its claim runs out, and it is found among the open ones
      if (!open.take(id)) fresh.delete(id)
      return record
    },
    takeUp(id) {
      // its claim, if somebody has it, runs out
      if (!waiting.has(id) && !working.has(id)) open.take(id)
    },
    recover: () => recover(floor, options),
    recheck: () => wake.all(waiting.on('approvals')),
    drain: async (signal) => {
      clearInterval(ticking)
      await floor.drain(signal)
    },
  }
}

/** Every intent that is known here stands in one of these. */
interface Floor {
  readonly waiting: Lookouts
  readonly working: ReadonlySet<string>
  /** Held since they began, by their claims; bounded by the queue. */
  readonly fresh: Map<string, Fresh>
  readonly open: Places
  /** Those that only look whether anything changed. */
  readonly looks: Lane
  drain(signal: AbortSignal): Promise<void>
}

function openFloor(options: DriverOptions, onBehind: () => void): Floor {
  const waiting = lookouts()
  const working = new Set<string>()
  const fresh = new Map<string, Fresh>()
  const queue = workQueue({
    concurrency,
    maxKeys: 10_000,
    backoff: { minMs: 100, maxMs: 10_000 },
    onError: (error, intentId, attempt) =>
      options.log.error({ err: error, intentId, attempt }, 'intent could not advance'),
    handle: async (id) => {
      waiting.leave(id)
      working.add(id)
      const first = fresh.get(id)
      fresh.delete(id)
      try {
        const { wake, targetUid } = await takeTurn(id, options, first)
        if (wake === undefined) return
        const now = { wall: options.ports.clock.now(), monotonic: performance.now() }
        const ms = waiting.park(id, wake, targetUid, now)
        if (ms <= soonMs) open.take(id, Math.max(0, ms))
      } finally {
        working.delete(id)
        looks.done(id)
      }
    },
  })
  const open = places(queue, onBehind)
  const looks = lane((id) => open.take(id))
  const drain = async (signal: AbortSignal) => {
    open.close()
    await queue.drain(signal)
  }
  return { waiting, working, fresh, open, looks, drain }
}

async function recover(
  { waiting, working, open, looks }: Floor,
  { store, caches }: DriverOptions,
): Promise<number> {
  open.catchUp()
  const ids = await store.open()
  for (const id of ids) {
    if (waiting.has(id) || working.has(id)) continue
    // what waits for people is in nobody's way
    if (caches.intents.find(id)?.phase === 'approve') looks.add(id)
    else open.take(id)
    if (open.behind()) break
  }
  return ids.length
}

function waking({ waiting, working, open, looks }: Floor): Waking {
  return {
    later: (id, ms) => void open.take(id, ms),
    all(waiters) {
      for (const [id, { recheckMs }] of waiters) {
        if (recheckMs === undefined) open.take(id)
        else looks.add(id)
      }
    },
    one(id) {
      // one that is being worked on has perhaps looked there already
      if (waiting.has(id) || working.has(id)) open.take(id)
    },
  }
}
