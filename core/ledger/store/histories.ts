import { openReadOnly } from '../sqlite/database.ts'
import { eventsOf, text } from './rows.ts'
import type { StoredEvent } from './store.ts'

/** The events of one intent, oldest first. */
export interface StoredHistory {
  readonly id: string
  readonly events: readonly StoredEvent[]
}

/**
 * Every history of a data directory in the order of arrival, without changing it, also while its
 * owner writes. One at a time: a directory may hold more than fits into memory.
 */
export function* storedHistories(directory: string): Generator<StoredHistory> {
  const db = openReadOnly(directory)
  try {
    const ids = db.prepare('SELECT id FROM intents ORDER BY ordinal')
    const events = db.prepare(
      'SELECT seq, type, at, data FROM events WHERE intent = ? ORDER BY seq',
    )
    const leaves = db.prepare('SELECT seq, position FROM leaves WHERE intent = ? ORDER BY position')
    for (const row of ids.iterate()) {
      const id = text(row, 'id')
      yield { id, events: eventsOf(events.all(id), leaves.all(id)) }
    }
  } finally {
    db.close()
  }
}
