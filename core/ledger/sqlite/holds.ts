import type { DatabaseSync } from 'node:sqlite'
import { canonical } from '@jackstay/contract/json'
import { pendingLeaf } from '../store/append-request.ts'
import { type Hold, holdLeaf, type LiftedHold, type NewHold } from '../store/erasure.ts'
import { holdExists, holdOf, noHold } from '../store/erasure-rows.ts'
import type { SqliteLog } from './log.ts'

/** Legal holds in force. Writes run inside a transaction of the caller. */
export class SqliteHolds {
  readonly #db: DatabaseSync
  readonly #log: SqliteLog
  readonly #one
  readonly #insert
  readonly #delete

  constructor(db: DatabaseSync, log: SqliteLog) {
    this.#db = db
    this.#log = log
    this.#one = db.prepare('SELECT * FROM holds WHERE id = ?')
    this.#insert = db.prepare(
      'INSERT INTO holds (id, scope, reason, put_by, since, leaf) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#delete = db.prepare('DELETE FROM holds WHERE id = ?')
  }

  list(): readonly Hold[] {
    return holdsIn(this.#db)
  }

  put(hold: NewHold, at: string): Hold {
    const { id, scope, reason, by } = hold
    if (this.#one.get(id) !== undefined) throw holdExists(id)
    const leaf = this.#log.add(pendingLeaf(holdLeaf('put', { id, scope, reason, by }, at)))
    this.#insert.run(id, canonical(scope), reason, by, at, leaf)
    return { ...hold, since: at, leaf }
  }

  /** Answers the index of the leaf that says so. */
  lift({ id, reason, by }: LiftedHold, at: string): number {
    const row = this.#one.get(id)
    if (row === undefined) throw noHold(id)
    const { scope, leaf } = holdOf(row)
    const lifted = { id, scope, put: leaf, reason, by }
    const index = this.#log.add(pendingLeaf(holdLeaf('lift', lifted, at)))
    this.#delete.run(id)
    return index
  }
}

/** The oldest first. */
export function holdsIn(db: DatabaseSync): readonly Hold[] {
  return db.prepare('SELECT * FROM holds ORDER BY leaf').all().map(holdOf)
}
