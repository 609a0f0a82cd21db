import type { Inbox, InboxItem } from '@jackstay/contract/people-api'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import type { Store } from '@jackstay/ledger/store'
import { statusOf } from '../cluster/projection.ts'
import { recordOf } from '../memory/histories.ts'
import type { IntentObjectView } from '../ports.ts'
import { summaryOf } from '../reading/views.ts'

/** Shown at once; the counts are of all. */
export const inboxLimit = 200

/**
 * What waits for people. Which intents these are is known from the cache of their objects, so that
 * ten thousand that wait cost the reading of those that are shown.
 */
export async function inboxOf(
  objects: Iterable<IntentObjectView>,
  store: Pick<Store, 'events'>,
  limit: number,
): Promise<Inbox> {
  const { waiting, held } = sorted(objects)
  return {
    waiting: { count: waiting.length, items: await read(waiting.slice(0, limit), store) },
    held: { count: held.length, items: await read(held.slice(0, limit), store) },
  }
}

const heldPhases: ReadonlySet<string | undefined> = new Set(['undo', 'rollback_failed'])

export function sorted(objects: Iterable<IntentObjectView>): {
  readonly waiting: readonly IntentObjectView[]
  readonly held: readonly IntentObjectView[]
} {
  const all = [...objects]
  const waiting = all.filter(({ phase, deleting }) => phase === 'approve' && !deleting)
  const held = all.filter(({ phase }) => heldPhases.has(phase))
  return {
    waiting: waiting.toSorted((a, b) => order(a.expiresAt ?? '9', b.expiresAt ?? '9')),
    held: held.toSorted((a, b) => order(a.createdAt, b.createdAt)),
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function read(
  objects: readonly IntentObjectView[],
  store: Pick<Store, 'events'>,
): Promise<InboxItem[]> {
  const records = await Promise.all(objects.map(({ name }) => recordIn(store, name)))
  // the object follows the ledger: what ended a moment ago waits for nobody
  return records
    .flat()
    .filter(({ phase }) => phase === 'approve' || heldPhases.has(phase))
    .map(itemOf)
}

/** An object that a log before this one left behind is no intent of this ledger. */
async function recordIn(store: Pick<Store, 'events'>, id: string): Promise<IntentRecord[]> {
  const events = await store.events(id)
  return events.length === 0 ? [] : [recordOf(id, events)]
}

function itemOf(record: IntentRecord): InboxItem {
  const { summary = '', diff = [], needs = [], digest, expiresAt, message } = statusOf(record)
  const waits = record.phase === 'approve'
  return {
    intent: summaryOf(record, record.authenticated.at),
    ...{ summary, diff, needs },
    ...(digest !== undefined && { digest }),
    ...(waits && expiresAt !== undefined && { expiresAt }),
    ...(!waits && { why: visible(record.undoing?.message ?? message ?? '') }),
  }
}
