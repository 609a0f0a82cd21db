import type { IntentList, IntentSummary } from '@jackstay/contract/api'
import { stageNames, terminalPhases } from '@jackstay/contract/history'
import { describeObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { IntentQuery, Store, StoredEvent } from '@jackstay/ledger/store'
import { z } from 'zod'
import { recordOf } from '../memory/histories.ts'
import type { Journal } from '../memory/journal.ts'
import type { Summaries } from '../people/summaries.ts'

const phase = z.enum([...terminalPhases, ...stageNames])

/** `GET /v1/intents`. */
export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.coerce.number().int().min(1).optional(),
  phase: phase.optional(),
  namespace: z.string().max(63).optional(),
  agent: z.string().max(317).optional(),
})

/** Seconds a caller is ready to wait for an answer. */
export const waitQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(60).default(0),
})

export function summaryOf(record: IntentRecord, updatedAt: string): IntentSummary {
  const { claims, agent, at } = record.authenticated
  return {
    id: record.id,
    agent: agent.name,
    action: claims.action,
    target: describeObject(claims.target),
    phase: record.phase,
    ...(record.ended && { reason: record.ended.reason }),
    receivedAt: at,
    updatedAt,
  }
}

/** An `intentView` as JSON. */
export async function viewOf(
  { store, journal }: { readonly store: Store; readonly journal: Pick<Journal, 'of'> },
  id: string,
): Promise<string> {
  const known = journal.of(id)
  const events = known?.events ?? (await store.events(id))
  const record = known?.record ?? recordOf(id, events)
  const updatedAt = events.at(-1)?.at ?? record.authenticated.at
  const summary = JSON.stringify(summaryOf(record, updatedAt))
  return `{"summary":${summary},"events":[${events.map(eventText).join()}]}`
}

/** What was written a moment ago, for the store, is not written again for an answer. */
function eventText({ seq, type, at, data, leafIndexes, text }: StoredEvent): string {
  const head = JSON.stringify({ seq, type, at, leafIndexes })
  return `${head.slice(0, -1)},"data":${text?.of(data) ?? JSON.stringify(data)}}`
}

export async function listOf(
  store: Pick<Store, 'list'>,
  known: Summaries,
  query: IntentQuery,
): Promise<IntentList> {
  const rows = await store.list(query)
  const intents = await Promise.all(rows.map((row) => known.of(row)))
  const last = rows.at(-1)
  const more = last !== undefined && rows.length === query.limit
  return { intents, ...(more && { next: String(last.ordinal) }) }
}
