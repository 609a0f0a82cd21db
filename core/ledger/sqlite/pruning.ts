import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { tileWidth } from '../log/tiles.ts'
import type { ReadTile } from '../log/tree.ts'
import { pendingLeaf } from '../store/append-request.ts'
import { type PrunePlan, type PruneRequest, pruneLeaf } from '../store/erasure.ts'
import { candidateOf } from '../store/erasure-rows.ts'
import { assertPruneCovered } from '../store/prune-state.ts'
import { keeperOf, policyDigest, type RetentionPolicy } from '../store/retention.ts'
import { integer } from '../store/rows.ts'
import { oweScrub } from './database.ts'
import { holdsIn } from './holds.ts'
import type { SqliteLog } from './log.ts'

/**
 * Removes the oldest leaves once nothing needs them. The leaf that says so is durable before
 * anything goes; hash tiles stay, so every proof does. Writes run inside a transaction of the caller.
 */
export class SqlitePruning {
  readonly #db: DatabaseSync
  readonly #log: SqliteLog
  readonly #sql
  readonly #sweep

  constructor(db: DatabaseSync, log: SqliteLog) {
    this.#db = db
    this.#log = log
    this.#sql = {
      state: db.prepare('SELECT minimum, leaf FROM pruned'),
      oldest: db.prepare('SELECT min(position) AS oldest FROM leaves'),
      record: db.prepare('UPDATE pruned SET minimum = ?, leaf = ?'),
    }
    const gone = `intent IN (SELECT intent FROM leaves WHERE position < :to)
      AND NOT EXISTS (SELECT 1 FROM leaves WHERE leaves.intent = OF_INTENT AND position >= :to)
      AND EXISTS (SELECT 1 FROM intents WHERE intents.id = OF_INTENT AND terminal = 1)`
    this.#sweep = [
      `DELETE FROM events WHERE ${gone.replaceAll('OF_INTENT', 'events.intent')}`,
      `DELETE FROM intents WHERE terminal = 1
         AND id IN (SELECT intent FROM leaves WHERE position < :to)
         AND NOT EXISTS (SELECT 1 FROM leaves WHERE leaves.intent = intents.id AND position >= :to)`,
      'DELETE FROM sealed WHERE position < :to',
      'DELETE FROM leaves WHERE position < :to',
    ].map((sql) => db.prepare(sql))
  }

  /** The oldest leaf that is still there, or will be when the last prune is finished. */
  get minimum(): number {
    return minimumIn(this.#db)
  }

  /** What may go at `now`. Only looks. */
  plan(policy: RetentionPolicy, now: number): PrunePlan {
    return planPruneIn(this.#db, this.#log.size, policy, now)
  }

  /** Puts a prune on record; answers its leaf. */
  record(plan: PrunePlan, root: Uint8Array, request: PruneRequest, now: number): number {
    // a hold may have been put between looking and writing
    if (this.plan(request.policy, now).to !== plan.to) {
      throw new JackstayError('not_ready', 'the log moved meanwhile: nothing was pruned, try again')
    }
    const digest = policyDigest(request.policy)
    const at = new Date(now).toISOString()
    const leaf = this.#log.add(pendingLeaf(pruneLeaf(plan, root, digest, request, at)))
    this.#sql.record.run(plan.to, leaf)
    return leaf
  }

  /** Removes what the newest prune leaf says is gone; safe to repeat. */
  sweep(): void {
    const to = this.minimum
    for (const statement of this.#sweep) statement.run({ to })
    oweScrub(this.#db)
  }

  /**
   * Whether an interrupted removal has to be finished.
   * @throws JackstayError `ledger_damaged` where leaves are missing that no prune leaf covers
   */
  async check(read: ReadTile): Promise<boolean> {
    if (this.#log.size === 0) return false
    const pruned = this.#sql.state.get() ?? {}
    const oldest = integer(this.#sql.oldest.get() ?? {}, 'oldest')
    return assertPruneCovered({ pruned, oldest }, async (at) => this.#log.tiles.leaf(at), read)
  }
}

function minimumIn(db: DatabaseSync): number {
  return integer(db.prepare('SELECT minimum FROM pruned').get() ?? {}, 'minimum')
}

/** What may go from a log of `size` leaves. Only looks, so a reader may ask as well. */
export function planPruneIn(
  db: DatabaseSync,
  size: number,
  policy: RetentionPolicy,
  now: number,
): PrunePlan {
  const from = minimumIn(db)
  const retention = { policy, holds: holdsIn(db), now }
  const bundle = db.prepare(
    `SELECT position, bytes, intent, terminal, agent, namespace
     FROM leaves LEFT JOIN intents ON intents.id = leaves.intent
     WHERE position >= ? AND position < ? ORDER BY position`,
  )
  for (let to = from; ; to += tileWidth) {
    if (to + tileWidth > size) return { from, to }
    for (const row of bundle.all(to, to + tileWidth)) {
      const keeper = keeperOf(candidateOf(row), retention)
      if (keeper !== undefined) return { from, to, keeper }
    }
  }
}

/**
 * Finishes a prune that was interrupted after it was put on record.
 * @throws JackstayError `ledger_damaged` where leaves are missing that no prune leaf covers
 */
export async function finishPrune(db: DatabaseSync, log: SqliteLog): Promise<void> {
  const pruning = new SqlitePruning(db, log)
  if (!(await pruning.check(log.readTile))) return
  db.exec('BEGIN IMMEDIATE')
  pruning.sweep()
  db.exec('COMMIT')
}
