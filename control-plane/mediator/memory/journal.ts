import type { IntentRecord } from '@jackstay/contract/record'
import type { NewEvent, StoredEvent } from '@jackstay/ledger/store'

/** What is on record of one intent, from its first event on. */
export interface Entry {
  readonly record: IntentRecord
  readonly events: readonly StoredEvent[]
}

/**
 * Histories that somebody follows from their begin: what was made durable a moment ago is not read again
 * to answer. Each lasts one request, whose number the server bounds.
 */
export interface Journal {
  follow(id: string): void
  /** Events that are durable, and where the leaves stand that were written with the last of them. */
  note(record: IntentRecord, events: readonly NewEvent[], leafIndexes: readonly number[]): void
  /** Undefined where it is not followed, or began before. */
  of(id: string): Entry | undefined
  /** Somebody else may have written to it: from now on the store is asked. */
  doubt(id: string): void
  leave(id: string): void
}

export function journal(): Journal {
  const entries = new Map<string, { followers: number; entry: Entry | undefined }>()
  return {
    follow(id) {
      const known = entries.get(id)
      if (known === undefined) entries.set(id, { followers: 1, entry: undefined })
      else known.followers++
    },
    note(record, added, leafIndexes) {
      const known = entries.get(record.id)
      if (known === undefined) return
      const before = known.entry?.events ?? []
      const from = record.seq - added.length
      // somebody else wrote in between: the store alone has all of it
      if (before.length !== from) {
        known.entry = undefined
        return
      }
      const last = added.length - 1
      const events = added.map((event, i) => {
        return { ...event, seq: from + i + 1, leafIndexes: i === last ? leafIndexes : [] }
      })
      known.entry = { record, events: [...before, ...events] }
    },
    of: (id) => entries.get(id)?.entry,
    doubt(id) {
      const known = entries.get(id)
      if (known !== undefined) known.entry = undefined
    },
    leave(id) {
      const known = entries.get(id)
      if (known !== undefined && --known.followers === 0) entries.delete(id)
    },
  }
}
