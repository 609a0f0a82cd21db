import type { DatabaseSync } from 'node:sqlite'
import { integer } from '../store/rows.ts'

/** Which leaves were written with a token of the caller. Runs inside a transaction of the caller. */
export class SqliteTokens {
  readonly #insert
  readonly #of

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO leaf_tokens (token, position) VALUES (?, ?)')
    this.#of = db.prepare('SELECT position FROM leaf_tokens WHERE token = ? ORDER BY position')
  }

  put(token: string, position: number): void {
    this.#insert.run(token, position)
  }

  of(token: string): readonly number[] {
    return this.#of.all(token).map((row) => integer(row, 'position'))
  }
}
