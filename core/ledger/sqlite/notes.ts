import type { DatabaseSync } from 'node:sqlite'
import { canonical, type Json } from '@jackstay/contract/json'
import { json, text } from '../store/rows.ts'
import type { Note } from '../store/store.ts'

/** Small state by name. Writes run inside a transaction of the caller. */
export class SqliteNotes {
  readonly #put
  readonly #remove
  readonly #list

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)')
    this.#remove = db.prepare('DELETE FROM notes WHERE name = ?')
    this.#list = db.prepare(
      'SELECT name, value FROM notes WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name',
    )
  }

  put(name: string, value: Json | undefined): void {
    if (value === undefined) this.#remove.run(name)
    else this.#put.run(name, canonical(value))
  }

  list(prefix: string): readonly Note[] {
    const rows = this.#list.all(prefix)
    return rows.map((row) => ({ name: text(row, 'name'), value: json(row, 'value') }))
  }
}
