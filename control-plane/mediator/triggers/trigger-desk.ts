import { type Json, sha256 } from '@jackstay/contract/json'
import type { AlertmanagerWebhook, Trigger } from '@jackstay/contract/trigger'
import { matchesTriggers } from '@jackstay/judge/class-ceiling'
import type { Store } from '@jackstay/ledger/store'
import type { ClassView, Clock, Incident } from '../ports.ts'
import { anyTrigger, type Changes } from '../reading/changes.ts'
import { allFiring, assertRoom, incidents } from './firing.ts'
import { readTrigger } from './stored-trigger.ts'

/** An answer that may have been lost is given again after so long. */
const offerMs = 30_000
const keptMs = 7 * 24 * 3600_000
/** Of one answer: what is left is in the next. */
const perAnswer = 64

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

export interface DeskPorts {
  readonly store: Store
  readonly clock: Clock
  readonly changes: Changes
  readonly newId: () => string
  readonly onResolved: () => void
  /** Whether the Pod of this uid still works on what it took. */
  readonly isLive: (podUid: string) => boolean
  /** Whether the agents of the class are to begin anything now. */
  readonly isOffered: (found: ClassView) => boolean
}

export function triggerDesk(ports: DeskPorts): TriggerDesk {
  const { store, clock, changes } = ports
  return {
    accept: (webhook) => accept(webhook, ports),
    async get(id) {
      const row = await store.trigger(id)
      return row && readTrigger(row)
    },
    async acknowledge(ids, holder) {
      const now = clock.now()
      for (const id of ids) {
        const row = await store.trigger(id)
        if (row?.lease?.holder !== holder) continue
        await store.leaseTrigger({ id, holder, until: now + keptMs, now })
      }
    },
    firing: incidents(store, changes),
    async take(found, holder, waitMs, signal) {
      const until = clock.now() + waitMs
      for (;;) {
        const taken = await lease(found, holder, ports)
        const left = until - clock.now()
        if (taken.length > 0 || left <= 0 || signal.aborted) return taken
        // a lease of another Pod may run out meanwhile: look at least every five seconds
        await changes.next(anyTrigger, Math.min(left, 5000), signal)
      }
    },
  }
}

async function accept(
  { alerts, groupKey }: AlertmanagerWebhook,
  { store, clock, changes, newId, onResolved }: DeskPorts,
): Promise<{ readonly accepted: number }> {
  const now = clock.now()
  await store.pruneTriggers(now - keptMs)
  if (alerts.some(({ status }) => status === 'firing')) await assertRoom(store)
  for (const { status, fingerprint, startsAt, labels, annotations } of alerts) {
    const dedupKey = sha256(`${groupKey}\n${fingerprint}\n${startsAt}`)
    const known = { source: 'alertmanager', fingerprint, startsAt, groupKey, status } as const
    const receivedAt = new Date(now).toISOString()
    const data: Json = { ...known, receivedAt, labels, annotations }
    await store.putTrigger({ id: newId(), dedupKey, ...known, data })
  }
  changes.notify(anyTrigger)
  if (alerts.some(({ status }) => status === 'resolved')) onResolved()
  return { accepted: alerts.length }
}

/** Has the holder lease what fires for its class, as much as one answer takes. */
async function lease(
  found: ClassView,
  holder: string,
  { store, clock, isLive, isOffered }: DeskPorts,
): Promise<Trigger[]> {
  if (!isOffered(found)) return []
  const now = clock.now()
  const taken: Trigger[] = []
  for await (const row of allFiring(store)) {
    const one = readTrigger(row)
    const held = row.lease !== undefined && row.lease.until > now ? row.lease : undefined
    if (!matchesTriggers(found.spec, one.labels) || held?.holder === holder) continue
    if (held !== undefined && isLive(held.holder)) continue
    // a dead Pod's lease has ended: of several that ask, one takes it over
    const from = held?.holder
    const wanted = { id: row.id, holder, until: now + offerMs, now }
    const got = await store.leaseTrigger({ ...wanted, ...(from !== undefined && { from }) })
    if (got) taken.push(one)
    if (taken.length >= perAnswer) break
  }
  return taken
}
