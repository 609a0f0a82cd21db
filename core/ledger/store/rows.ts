import { JackstayError } from '@jackstay/contract/errors'
import type { Json } from '@jackstay/contract/json'
import type { SealedRow } from './sealed.ts'
import type { IntentSummary, StoredEvent, StoredTrigger } from './store.ts'

/** A row as a database returns it; the readers below refuse what the schema cannot have stored. */
export type Row = Readonly<Record<string, unknown>>

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw damaged(column)
  return value
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw damaged(column)
  return value
}

export function blob(row: Row, column: string): Uint8Array {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw damaged(column)
  return value
}

export function json(row: Row, column: string): Json {
  const value: Json = JSON.parse(text(row, column))
  return value
}

export function isNull(row: Row, column: string): boolean {
  return row[column] === null
}

/** `{[key]: text}` or nothing, so that optional fields stay absent instead of undefined. */
export function optionalText<K extends string>(
  row: Row,
  column: string,
  key: K,
): { readonly [P in K]?: string } {
  const fields: { [P in K]?: string } = {}
  if (!isNull(row, column)) fields[key] = text(row, column)
  return fields
}

export function summaryOf(row: Row): IntentSummary {
  return {
    id: text(row, 'id'),
    ordinal: integer(row, 'ordinal'),
    seq: integer(row, 'seq'),
    phase: text(row, 'phase'),
    terminal: integer(row, 'terminal') === 1,
    ...optionalText(row, 'agent', 'agent'),
    ...optionalText(row, 'namespace', 'namespace'),
    ...optionalText(row, 'action', 'action'),
    ...optionalText(row, 'kid', 'kid'),
    ...optionalText(row, 'jws_digest', 'jwsDigest'),
    startedAt: text(row, 'started_at'),
    updatedAt: text(row, 'updated_at'),
  }
}

/** Events, and from the rows of the intent's leaves where those written with each stand. */
export function eventsOf(rows: readonly Row[], leaves: readonly Row[]): StoredEvent[] {
  const bySeq = Map.groupBy(leaves, (leaf) => integer(leaf, 'seq'))
  return rows.map((row) => {
    const seq = integer(row, 'seq')
    return {
      seq,
      type: text(row, 'type'),
      at: text(row, 'at'),
      data: json(row, 'data'),
      leafIndexes: bySeq.get(seq)?.map((leaf) => integer(leaf, 'position')) ?? [],
    }
  })
}

export function triggerOf(row: Row): StoredTrigger {
  return {
    ordinal: integer(row, 'ordinal'),
    id: text(row, 'id'),
    dedupKey: text(row, 'dedup_key'),
    source: text(row, 'source'),
    fingerprint: text(row, 'fingerprint'),
    startsAt: text(row, 'starts_at'),
    groupKey: text(row, 'group_key'),
    status: text(row, 'status') === 'firing' ? 'firing' : 'resolved',
    data: json(row, 'data'),
    receivedAt: integer(row, 'received_at'),
    ...(isNull(row, 'lease_holder')
      ? {}
      : { lease: { holder: text(row, 'lease_holder'), until: integer(row, 'lease_until') } }),
  }
}

export function sealedRowOf(row: Row): SealedRow {
  return {
    name: text(row, 'name'),
    salt: isNull(row, 'salt') ? null : text(row, 'salt'),
    value: isNull(row, 'value') ? null : text(row, 'value'),
    redactedBy: isNull(row, 'redacted_by') ? null : integer(row, 'redacted_by'),
  }
}

function damaged(column: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the database holds no valid \`${column}\` where one must be; stop, keep a copy and run \`jackstay ledger verify\``,
  )
}
