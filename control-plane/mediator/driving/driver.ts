import { setTimeout as sleep } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'
import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { Change } from '@jackstay/kube/cache'
import { type WorkQueue, workQueue } from '@jackstay/kube/queue'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import { type Caches, subjectKey } from '../cluster/cluster-caches.ts'
import type { Projection } from '../cluster/projection.ts'
import type { Aggregation } from '../flood/aggregation.ts'
import type { Wake } from '../line/step.ts'
import { type Begun, claimedHistory, claimMs } from '../memory/histories.ts'
import type { Journal } from '../memory/journal.ts'
import { advance } from '../pipeline.ts'
import type { IntentObjectView, Ports } from '../ports.ts'
import type { Changes } from '../reading/changes.ts'
import { lane } from './lane.ts'
import { lookouts, type Waiter } from './lookouts.ts'

const renewMs = 5_000
/** An intent waits for its commits most of the time: fewer at once would leave the disk idle. */
const concurrency = 32
/** Changes of a busy target are gathered for so long before its intents look again. */
const settleMs = 100
/** After the queue was full, the store is asked again what is open. */
const behindMs = 5_000

export interface DriverOptions {
  readonly store: Store
  readonly ports: Omit<Ports, 'history'>
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
}

/** Runs {@link advance} whenever something an intent waits for may have happened. */
export interface Driver {
  begin(begun: Begun): void
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
  const { store, log, caches } = options
  const { clock } = options.ports
  const waiting = lookouts()
  const working = new Set<string>()
  /** Held since they began, by their claims; bounded by the queue. */
  const begun = new Map<string, Begun & { readonly since: number }>()
  let behind: NodeJS.Timeout | undefined
  let draining = false
  const queue: WorkQueue = workQueue({
    concurrency,
    maxKeys: 10_000,
    backoff: { minMs: 100, maxMs: 10_000 },
    onError: (error, intentId, attempt) =>
      log.error({ err: error, intentId, attempt }, 'intent could not advance'),
    handle: async (id) => {
      waiting.leave(id)
      working.add(id)
      const first = begun.get(id)
      begun.delete(id)
      try {
        const held = await stillHeld(first, options)
        const { wake, targetUid } = await advanceOnce(id, options, held)
        if (wake === undefined) return
        const now = { wall: clock.now(), monotonic: performance.now() }
        const ms = waiting.park(id, wake, targetUid, now)
        if (ms <= soonMs) later(id, Math.max(0, ms))
      } finally {
        working.delete(id)
        looks.done(id)
      }
    },
  })
  /** A full queue loses nothing: what is open stands in the store and is taken up again. */
  const later = (id: string, ms: number): boolean => {
    if (draining) return false
    try {
      if (ms > 0) queue.addAfter(id, ms)
      else queue.add(id)
      return true
    } catch (error) {
      if (!(error instanceof JackstayError) || error.code !== 'overloaded') throw error
      behind ??= setTimeout(() => void recover().catch(retry), behindMs)
      return false
    }
  }
  const looks = lane((id) => later(id, 0))
  const retry = (err: unknown) => log.error({ err }, 'open intents could not be read')
  const recover = async () => {
    behind = undefined
    const ids = await store.open()
    for (const id of ids) {
      if (waiting.has(id) || working.has(id)) continue
      // what waits for people is in nobody's way
      if (caches.intents.find(id)?.phase === 'approve') looks.add(id)
      else later(id, 0)
      if (behind !== undefined) break
    }
    return ids.length
  }
  const wakeAll = (waiters: readonly Waiter[]) => {
    for (const [id, { recheckMs }] of waiters) {
      if (recheckMs === undefined) later(id, 0)
      else looks.add(id)
    }
  }
  // one that is being worked on has perhaps looked there already
  const wakeOne = (id: string) => {
    if (waiting.has(id) || working.has(id)) later(id, 0)
  }
  const ticking = setInterval(() => wakeAll(waiting.due(performance.now())), tickMs)
  caches.approvals.onChange(({ value: { subject } }) => {
    if (subject.kind === 'Intent') wakeOne(subject.name)
  })
  caches.policies.onChange(() => wakeAll(waiting.on('approvals')))
  caches.classes.onChange(() => wakeAll(waiting.on('approvals')))
  caches.intents.onChange((change) => {
    if (isNews(change, caches)) wakeOne(change.value.name)
  })
  caches.suspensions.onChange(() => wakeAll(waiting.on('suspensions')))
  caches.namespaces.onChange(() => wakeAll(waiting.on('suspensions')))
  for (const cache of caches.targets.values()) {
    cache.onChange(({ value: { uid } }) => {
      for (const [id, wake] of waiting.onTarget(uid)) later(id, wake.settleMs ?? settleMs)
    })
  }
  return {
    begin(one) {
      const { id } = one.record
      options.ports.allowances.note(one.record)
      begun.set(id, { ...one, since: performance.now() })
      // not taken: its claim runs out, and it is found among the open ones
      if (!later(id, 0)) begun.delete(id)
    },
    takeUp(id) {
      // its claim, if somebody has it, runs out
      if (!waiting.has(id) && !working.has(id)) later(id, 0)
    },
    recover,
    recheck: () => wakeAll(waiting.on('approvals')),
    drain: async (signal) => {
      draining = true
      clearTimeout(behind)
      clearInterval(ticking)
      await queue.drain(signal)
    },
  }
}

/** Whether a change of an Intent object is more than our own showing of it. */
function isNews(change: Change<IntentObjectView>, { approvals }: Caches): boolean {
  const { type, value, previous } = change
  if (value.deleting || type === 'deleted') return true
  // approvals that came to us before the object they name
  if (type === 'added') return approvals.findAll(subjectKey('Intent', value.name)).length > 0
  return previous.phase !== undefined
}

/** One that waited long for its turn may have lost its claim meanwhile. */
async function stillHeld(
  begun: (Begun & { readonly since: number }) | undefined,
  { store }: DriverOptions,
): Promise<Begun | undefined> {
  if (begun === undefined || performance.now() - begun.since < renewMs) return begun
  return (await store.renew(begun.record.id, begun.fence, claimMs)) ? begun : undefined
}

async function advanceOnce(
  id: string,
  options: DriverOptions,
  begun: Begun | undefined,
): Promise<{ readonly wake: Wake | undefined; readonly targetUid: string | undefined }> {
  const { store, ports, projection, changes, holder } = options
  const claim = begun ?? (await store.claim(id, holder, claimMs))
  if (claim === undefined) {
    // somebody else is at it, or was until it died: its claim runs out
    return { wake: { on: [], at: ports.clock.now() + 1000 }, targetUid: undefined }
  }
  const renewal = setInterval(() => {
    // a lost claim shows at the next append, which checks the fence in its own transaction
    store.renew(id, claim.fence, claimMs).catch((err: unknown) => {
      options.log.warn({ err, intentId: id }, 'claim not renewed')
    })
  }, renewMs)
  let released = false
  try {
    const history = claimedHistory(options, claim.fence, (record) => {
      released = hasEnded(record)
      changes.notify(id)
      options.note(record)
      if (hasEnded(record)) options.onEnd(record)
    })
    const around = { ...ports, history: options.refusals.around(history) }
    const { record, wake } = await advance(id, around, begun?.record)
    ports.allowances.note(record)
    await projection.show(record, ports.cluster.intentObject(id))
    return { wake, targetUid: record.planned?.plan.target.uid }
  } finally {
    clearInterval(renewal)
    if (!released) await store.release(id, claim.fence)
  }
}

/** Removes what was shown long enough, until the signal aborts. */
export async function sweep(
  options: DriverOptions,
  ttlMs: number,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { caches, ports, projection, store, log } = options
  while (!signal.aborted) {
    for (const known of caches.intents.values()) {
      const old = ports.clock.now() - Date.parse(known.createdAt) > ttlMs
      const row = known.deleting || old ? await store.intent(known.name) : undefined
      if (row?.terminal !== true) continue
      const approvals = ports.cluster.approvalsOf('Intent', known.name)
      await projection.remove(known, approvals).catch((err: unknown) => {
        log.warn({ err, intentId: known.name }, 'intent object not removed yet')
      })
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}
