import { JackstayError } from '@jackstay/contract/errors'
import { type Json, sha256 } from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import type { AlertmanagerWebhook, Trigger } from '@jackstay/contract/trigger'
import { trigger } from '@jackstay/contract/trigger'
import { matchesTriggers } from '@jackstay/judge/class-ceiling'
import type { Store, StoredTrigger } from '@jackstay/ledger/store'
import type { ClassView, Clock, Incident } from '../ports.ts'
import type { Changes } from '../reading/changes.ts'

/** An answer that may have been lost is given again after so long. */
const offerMs = 30_000
const keptMs = 7 * 24 * 3600_000
/** Read at a time; a poll looks through all that fire. */
const page = 500
/** Of one answer: what is left is in the next. */
const perAnswer = 64
/** Nothing is hidden: what would be the next one is refused, and its sender tries again and says so. */
const mostFiring = 10_000

/** The desk where alerts come in and agents pick them up. Context, never authority. */
export interface TriggerDesk {
  accept(webhook: AlertmanagerWebhook): Promise<{ readonly accepted: number }>
  get(id: string): Promise<Trigger | undefined>
  /**
   * The Pod has them: they are its own until they resolve or the Pod dies. What another Pod holds
   * is left alone.
   */
  acknowledge(ids: readonly string[], holder: string): Promise<void>
  /** Firing triggers as rules see them, `limit` at most, the newest first. */
  firing(limit: number): Promise<readonly Incident[]>
  /** Firing triggers for the class, leased to the holder, waiting up to `waitMs` for the first. */
  take(found: ClassView, holder: string, waitMs: number, signal: AbortSignal): Promise<Trigger[]>
}

/** Many intents are judged in this time; what another program wrote is seen after it. */
const firingMs = 200
const never = new AbortController().signal

export const anyTrigger = 'triggers'

export function triggerDesk(
  store: Store,
  clock: Clock,
  changes: Changes,
  newId: () => string,
  onResolved: () => void,
  isLive: (podUid: string) => boolean,
): TriggerDesk {
  const lease = async (found: ClassView, holder: string): Promise<Trigger[]> => {
    const now = clock.now()
    const taken: Trigger[] = []
    for await (const row of allFiring()) {
      const one = read(row)
      const held = row.lease !== undefined && row.lease.until > now ? row.lease : undefined
      if (!matchesTriggers(found.spec, one.labels) || held?.holder === holder) continue
      if (held !== undefined && isLive(held.holder)) continue
      // a dead Pod's lease has ended: of several that ask, one takes it over
      const from = held?.holder
      const lease = { id: row.id, holder, until: now + offerMs, now }
      const got = await store.leaseTrigger({ ...lease, ...(from !== undefined && { from }) })
      if (got) taken.push(one)
      if (taken.length >= perAnswer) break
    }
    return taken
  }
  /** By the limit, which is the same for every judgement. */
  const firing = new Map<number, Promise<readonly Incident[]>>()
  async function* allFiring(): AsyncGenerator<StoredTrigger> {
    for (let before: number | undefined; ; ) {
      const query = {
        status: 'firing',
        limit: page,
        ...(before !== undefined && { before }),
      } as const
      const rows = await store.triggers(query)
      yield* rows
      before = rows.at(-1)?.ordinal
      if (rows.length < page) return
    }
  }
  const assertRoom = async () => {
    let count = 0
    for await (const _ of allFiring()) count++
    if (count < mostFiring) return
    throw new JackstayError(
      'overloaded',
      `${mostFiring} alerts fire already: group or inhibit some, then they are taken again`,
    )
  }
  return {
    async accept(webhook) {
      const now = clock.now()
      await store.pruneTriggers(now - keptMs)
      if (webhook.alerts.some((a) => a.status === 'firing')) await assertRoom()
      for (const alert of webhook.alerts) {
        const { status, fingerprint, startsAt, labels, annotations } = alert
        const { groupKey } = webhook
        const dedupKey = sha256(`${groupKey}\n${fingerprint}\n${startsAt}`)
        const known = { source: 'alertmanager', fingerprint, startsAt, groupKey, status } as const
        const receivedAt = new Date(now).toISOString()
        const data: Json = { ...known, receivedAt, labels, annotations }
        await store.putTrigger({ id: newId(), dedupKey, ...known, data })
      }
      changes.notify(anyTrigger)
      if (webhook.alerts.some((a) => a.status === 'resolved')) onResolved()
      return { accepted: webhook.alerts.length }
    },
    async get(id) {
      const row = await store.trigger(id)
      return row && read(row)
    },
    async acknowledge(ids, holder) {
      const now = clock.now()
      for (const id of ids) {
        const row = await store.trigger(id)
        if (row?.lease?.holder !== holder) continue
        await store.leaseTrigger({ id, holder, until: now + keptMs, now })
      }
    },
    async firing(limit) {
      const known = firing.get(limit)
      if (known !== undefined) return await known
      // news that come while it is read make it old as well
      const old = changes.next(anyTrigger, firingMs, never)
      const reading = readFiring(store, limit)
      firing.set(limit, reading)
      const forget = () => {
        if (firing.get(limit) === reading) firing.delete(limit)
      }
      void old.then(forget)
      reading.catch(forget)
      return await reading
    },
    async take(found, holder, waitMs, signal) {
      const until = clock.now() + waitMs
      for (;;) {
        const taken = await lease(found, holder)
        const left = until - clock.now()
        if (taken.length > 0 || left <= 0 || signal.aborted) return taken
        // a lease of another Pod may run out meanwhile: look at least every five seconds
        await changes.next(anyTrigger, Math.min(left, 5000), signal)
      }
    },
  }
}

async function readFiring(store: Store, limit: number): Promise<readonly Incident[]> {
  const rows = await store.triggers({ status: 'firing', limit })
  return rows.map((row) => {
    const { labels } = read(row)
    const { namespace = '', alertname = '' } = labels
    return { namespace: visible(namespace, 63), name: visible(alertname, 253) }
  })
}

function read({ data, id, status }: StoredTrigger): Trigger {
  return trigger.parse({ ...asObject(data), id, status })
}

function asObject(data: Json): { readonly [key: string]: Json } {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return {}
  return data as { readonly [key: string]: Json }
}
