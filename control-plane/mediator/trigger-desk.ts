import { type Json, sha256 } from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import type { AlertmanagerWebhook, Trigger } from '@jackstay/contract/trigger'
import { trigger } from '@jackstay/contract/trigger'
import { matchesTriggers } from '@jackstay/judge/class-ceiling'
import type { Store, StoredTrigger } from '@jackstay/ledger/store'
import type { Changes } from './changes.ts'
import type { ClassView, Clock, Incident } from './ports.ts'

/** How long a Pod keeps an alert to itself; then it is offered again, to whoever asks first. */
const leaseMs = 5 * 60_000
const keptMs = 7 * 24 * 3600_000
/** Looked through for one poll. */
const newest = 500

/** The desk where alerts come in and agents pick them up. Context, never authority. */
export interface TriggerDesk {
  accept(webhook: AlertmanagerWebhook): Promise<{ readonly accepted: number }>
  get(id: string): Promise<Trigger | undefined>
  /** Firing triggers as rules see them, `limit` at most, the newest first. */
  firing(limit: number): Promise<readonly Incident[]>
  /** Firing triggers for the class, leased to the holder, waiting up to `waitMs` for the first. */
  take(found: ClassView, holder: string, waitMs: number, signal: AbortSignal): Promise<Trigger[]>
}

export const anyTrigger = 'triggers'

export function triggerDesk(
  store: Store,
  clock: Clock,
  changes: Changes,
  newId: () => string,
  onResolved: () => void,
): TriggerDesk {
  const lease = async (found: ClassView, holder: string): Promise<Trigger[]> => {
    const now = clock.now()
    const taken: Trigger[] = []
    for (const row of await store.triggers({ status: 'firing', limit: newest })) {
      const one = read(row)
      const offered = row.lease?.holder === holder && row.lease.until > now
      if (!matchesTriggers(found.spec, one.labels) || offered) continue
      if (await store.leaseTrigger({ id: row.id, holder, until: now + leaseMs, now }))
        taken.push(one)
    }
    return taken
  }
  return {
    async accept(webhook) {
      const now = clock.now()
      await store.pruneTriggers(now - keptMs)
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
    async firing(limit) {
      const rows = await store.triggers({ status: 'firing', limit })
      return rows.map((row) => {
        const { labels } = read(row)
        const { namespace = '', alertname = '' } = labels
        return { namespace: visible(namespace, 63), name: visible(alertname, 253) }
      })
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

function read({ data, id, status }: StoredTrigger): Trigger {
  return trigger.parse({ ...asObject(data), id, status })
}

function asObject(data: Json): { readonly [key: string]: Json } {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return {}
  return data as { readonly [key: string]: Json }
}
