import { setTimeout as sleep } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'
import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import { type WorkQueue, workQueue } from '@jackstay/kube/queue'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Changes } from './changes.ts'
import type { Caches } from './cluster-caches.ts'
import type { Aggregation } from './flood/aggregation.ts'
import { type Begun, claimedHistory, claimMs } from './histories.ts'
import type { Journal } from './journal.ts'
import { advance } from './pipeline.ts'
import type { Ports } from './ports.ts'
import type { Projection } from './projection.ts'
import type { Wake } from './step.ts'

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
  /** Takes up every intent that has not ended, as after a restart. */
  recover(): Promise<number>
  /** Something outside the caches changed (an alert resolved): waiting intents look again. */
  recheck(): void
  drain(signal: AbortSignal): Promise<void>
}

interface Waiting {
  readonly wake: Wake
  readonly targetUid: string | undefined
}

export function startDriver(options: DriverOptions): Driver {
  const { store, log, caches } = options
  const waiting = new Map<string, Waiting>()
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
      waiting.delete(id)
      const first = begun.get(id)
      begun.delete(id)
      const next = await advanceOnce(id, options, await stillHeld(first, options))
      if (next.wake !== undefined) {
        waiting.set(id, { wake: next.wake, targetUid: next.targetUid })
        later(id, Math.max(0, next.wake.at - options.ports.clock.now()))
      }
    },
  })
  /** A full queue loses nothing: what is open stands in the store and is taken up again. */
  const later = (id: string, ms: number): boolean => {
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
  const retry = (err: unknown) => log.error({ err }, 'open intents could not be read')
  const recover = async () => {
    behind = undefined
    const ids = await store.open()
    for (const id of ids) {
      if (!waiting.has(id)) later(id, 0)
      if (behind !== undefined) break
    }
    return ids.length
  }
  const wake = (on: Wake['on'][number], uid?: string) => {
    if (draining) return
    for (const [id, entry] of waiting) {
      if (!entry.wake.on.includes(on)) continue
      if (uid !== undefined && entry.targetUid !== uid) continue
      if (on === 'target') later(id, entry.wake.settleMs ?? settleMs)
      else later(id, 0)
    }
  }
  caches.approvals.onChange(({ value }) => {
    if (value.subject.kind === 'Intent') wake('approvals')
  })
  caches.policies.onChange(() => wake('approvals'))
  caches.classes.onChange(() => wake('approvals'))
  caches.intents.onChange(() => wake('approvals'))
  caches.suspensions.onChange(() => wake('suspensions'))
  caches.namespaces.onChange(() => wake('suspensions'))
  for (const cache of caches.targets.values()) {
    cache.onChange(({ value }) => wake('target', value.uid))
  }
  return {
    begin(one) {
      const { id } = one.record
      options.ports.allowances.note(one.record)
      begun.set(id, { ...one, since: performance.now() })
      // not taken: its claim runs out, and it is found among the open ones
      if (!later(id, 0)) begun.delete(id)
    },
    recover,
    recheck: () => wake('approvals'),
    drain: async (signal) => {
      draining = true
      clearTimeout(behind)
      await queue.drain(signal)
    },
  }
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
