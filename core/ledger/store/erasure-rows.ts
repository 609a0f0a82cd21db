import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type Json } from '@jackstay/contract/json'
import { erasableNames, redactEvent } from '@jackstay/contract/redaction'
import { assertFree, type ErasedValue, type Hold, holdScope } from './erasure.ts'
import { decodeLeaf } from './leaf.ts'
import { type Candidate, isHeld } from './retention.ts'
import { blob, integer, isNull, json, optionalText, type Row, text } from './rows.ts'
import type { IntentSummary } from './store.ts'

/** What erasing, holding and pruning make of the rows of either database. */

export function holdOf(row: Row): Hold {
  return {
    id: text(row, 'id'),
    scope: holdScope.parse(json(row, 'scope')),
    reason: text(row, 'reason'),
    by: text(row, 'put_by'),
    since: text(row, 'since'),
    leaf: integer(row, 'leaf'),
  }
}

export function holdExists(id: string): JackstayError {
  return new JackstayError(
    'invalid_request',
    `there is a hold \`${id}\` already: lift it first, or name this one otherwise`,
  )
}

export function noHold(id: string): JackstayError {
  return new JackstayError(
    'not_found',
    `there is no hold \`${id}\`; see \`jackstay ledger hold list\``,
  )
}

/** From a row of `leaves` with what it needs of its intent. */
export function candidateOf(row: Row): Candidate {
  const base = { index: integer(row, 'position'), bytes: blob(row, 'bytes') }
  if (isNull(row, 'intent')) return base
  return {
    ...base,
    intent: {
      id: text(row, 'intent'),
      // an intent without a row is not known to have ended
      terminal: row.terminal === 1,
      ...optionalText(row, 'agent', 'agent'),
      ...optionalText(row, 'namespace', 'namespace'),
    },
  }
}

/** What a redaction speaks of. */
export interface Subject {
  readonly intent: IntentSummary | undefined
  readonly leaves: readonly { readonly index: number; readonly bytes: Uint8Array }[]
}

/** @throws JackstayError `retained` */
export function assertNotHeld({ intent, leaves }: Subject, holds: readonly Hold[]): void {
  // an intent without a leaf yet is held by its id, agent or namespace all the same
  const indexes = leaves.length === 0 ? [-1] : leaves.map(({ index }) => index)
  const of = intent === undefined ? {} : { intent }
  assertFree(holds.find((hold) => indexes.some((index) => isHeld({ index, ...of }, hold))))
}

/** The leaf's values of these names, as far as they still stand. */
export function valuesToErase(
  { index, bytes }: Subject['leaves'][number],
  standing: readonly string[],
  names: readonly string[] | 'all',
): readonly ErasedValue[] {
  const { sealed = {} } = decodeLeaf(bytes)
  return Object.entries(sealed)
    .filter(([name]) => standing.includes(name) && (names === 'all' || names.includes(name)))
    .map(([name, commitment]) => ({ leaf: index, name, commitment }))
}

export interface ChangedEvent {
  readonly seq: number
  readonly type: string
  readonly before: Json
  readonly after: Json
}

/** The events that hold any of these names; `leaf` is the one that will say so. */
export function changedEvents(
  rows: readonly Row[],
  names: readonly string[] | 'all',
  leaf: number,
): readonly ChangedEvent[] {
  const erased = names === 'all' ? erasableNames : names
  return rows.flatMap((row) => {
    const type = text(row, 'type')
    const before = json(row, 'data')
    const after = redactEvent(type, before, erased, leaf)
    const same = canonical(after) === canonical(before)
    return same ? [] : [{ seq: integer(row, 'seq'), type, before, after }]
  })
}

export function notFound(what: string): JackstayError {
  return new JackstayError(
    'not_found',
    `there is no ${what}: it never was, or it was pruned; see \`jackstay intents list\``,
  )
}
