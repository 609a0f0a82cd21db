import type { DatabaseSync } from 'node:sqlite'
import { sealedRowOf } from '../store/rows.ts'
import type { SealedRow } from '../store/sealed.ts'

/** The values that leaves commit to. Writes run inside a transaction of the caller. */
export class SqliteSealed {
  readonly #insert
  readonly #of

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      'INSERT INTO sealed (position, name, salt, value) VALUES (?, ?, ?, ?)',
    )
    this.#of = db.prepare(
      'SELECT name, salt, value, redacted_by FROM sealed WHERE position = ? ORDER BY name',
    )
  }

  put(position: number, rows: readonly SealedRow[]): void {
    for (const { name, salt, value } of rows) this.#insert.run(position, name, salt, value)
  }

  of(position: number): readonly SealedRow[] {
    return this.#of.all(position).map(sealedRowOf)
  }
}
