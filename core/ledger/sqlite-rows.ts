import type { SQLOutputValue } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import type { Json } from '@jackstay/contract/json'

/** A row as node:sqlite returns it; the readers below refuse what the schema cannot have stored. */
export type Row = Record<string, SQLOutputValue>

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

function damaged(column: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the database holds no valid \`${column}\` where one must be; stop, keep a copy and run \`jackstay verify\``,
  )
}
