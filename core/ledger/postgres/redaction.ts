import { canonical } from '@jackstay/contract/json'
import { redactTrigger, triggerIdOf } from '@jackstay/contract/redaction'
import { pendingLeaf } from '../store/append-request.ts'
import {
  type ErasedValue,
  namesToErase,
  type Redacted,
  type Redaction,
  redactionLeaves,
} from '../store/erasure.ts'
import {
  assertNotHeld,
  type ChangedEvent,
  changedEvents,
  notFound,
  type Subject,
  valuesToErase,
} from '../store/erasure-rows.ts'
import { blob, integer, isNull, json, summaryOf, text } from '../store/rows.ts'
import type { Batch } from './batch.ts'
import { listHolds } from './holds.ts'

const sql = {
  intent: { name: 'redact_intent', text: 'SELECT * FROM intents WHERE id = $1' },
  leaf: {
    name: 'redact_leaf',
    text: 'SELECT intent, position, bytes FROM leaves WHERE position = $1',
  },
  leaves: {
    name: 'redact_leaves',
    text: 'SELECT position, bytes FROM leaves WHERE intent = $1 ORDER BY position',
  },
  standing: {
    name: 'redact_standing',
    text: `SELECT position, name FROM sealed
      WHERE position = ANY($1::bigint[]) AND value IS NOT NULL`,
  },
  erase: {
    name: 'redact_values',
    text: `UPDATE sealed SET salt = NULL, value = NULL, redacted_by = $3
      FROM unnest($1::bigint[], $2::text[]) AS t (leaf, value_name)
      WHERE position = leaf AND name = value_name`,
  },
  events: {
    name: 'redact_events',
    text: 'SELECT seq, type, data FROM events WHERE intent = $1 ORDER BY seq',
  },
  event: {
    name: 'redact_event',
    text: 'UPDATE events SET data = $1 WHERE intent = $2 AND seq = $3',
  },
  trigger: {
    name: 'redact_trigger',
    text: 'SELECT data FROM triggers WHERE id = $1 AND redacted_by IS NULL',
  },
  emptyTrigger: {
    name: 'empty_trigger',
    text: `UPDATE triggers SET data = $1, group_key = '', redacted_by = $2 WHERE id = $3`,
  },
}

/**
 * Takes values away everywhere they stand, in a batch of its own.
 * @throws JackstayError `not_found`, `retained`
 */
export async function redactIn(batch: Batch, request: Redaction): Promise<Redacted> {
  const subject = await subjectOf(batch, request)
  const { intent, leaves } = subject
  assertNotHeld(subject, await listHolds((...args) => batch.run(...args)))
  const names = namesToErase(request, intent)
  const values = await valuesOf(batch, leaves, names)
  // the leaf's own place, which the events have to name before it is written
  const leaf = batch.next
  const rows = intent === undefined ? [] : (await batch.run(sql.events, [intent.id])).rows
  const events = changedEvents(rows, names, leaf)
  if (values.length === 0 && events.length === 0) return { values: [], events: [], leafIndexes: [] }
  const places = [values.map((value) => value.leaf), values.map(({ name }) => name)]
  if (values.length > 0) await batch.run(sql.erase, [...places, leaf])
  for (const { seq, after } of events) {
    await batch.run(sql.event, [canonical(after), intent?.id ?? null, seq])
  }
  if (names === 'all' || names.includes('trigger')) await emptyTriggers(batch, events, leaf)
  const seqs = events.map(({ seq }) => seq)
  const said = redactionLeaves(request, values, seqs, new Date(batch.now).toISOString())
  const leafIndexes = batch.addLeaves(said.map((one) => pendingLeaf(one)))
  return { values, events: seqs, leafIndexes }
}

async function subjectOf(batch: Batch, { of }: Redaction): Promise<Subject> {
  if ('intent' in of) return subjectNamed(batch, of.intent)
  const [row] = (await batch.run(sql.leaf, [of.leaf])).rows
  if (row === undefined) throw notFound(`leaf ${of.leaf}`)
  if (!isNull(row, 'intent')) return subjectNamed(batch, text(row, 'intent'))
  return { intent: undefined, leaves: [{ index: of.leaf, bytes: blob(row, 'bytes') }] }
}

async function subjectNamed(batch: Batch, id: string): Promise<Subject> {
  const [row] = (await batch.run(sql.intent, [id])).rows
  if (row === undefined) throw notFound(`intent \`${id}\``)
  const { rows } = await batch.run(sql.leaves, [id])
  return {
    intent: summaryOf(row),
    leaves: rows.map((leaf) => ({ index: integer(leaf, 'position'), bytes: blob(leaf, 'bytes') })),
  }
}

async function valuesOf(
  batch: Batch,
  leaves: Subject['leaves'],
  names: readonly string[] | 'all',
): Promise<readonly ErasedValue[]> {
  const { rows } = await batch.run(sql.standing, [leaves.map(({ index }) => index)])
  const standing = Map.groupBy(rows, (row) => integer(row, 'position'))
  return leaves.flatMap((leaf) => {
    const there = standing.get(leaf.index)?.map((row) => text(row, 'name')) ?? []
    return valuesToErase(leaf, there, names)
  })
}

/** The alert itself lies in a table of its own, for as long as agents may be offered it. */
async function emptyTriggers(batch: Batch, events: readonly ChangedEvent[], leaf: number) {
  for (const { type, before } of events) {
    const id = triggerIdOf(type, before)
    if (id === undefined) continue
    const [row] = (await batch.run(sql.trigger, [id])).rows
    if (row === undefined) continue
    await batch.run(sql.emptyTrigger, [canonical(redactTrigger(json(row, 'data'))), leaf, id])
  }
}
