import type { DatabaseSync } from 'node:sqlite'
import { canonical } from '@jackstay/contract/json'
import { text, triggerOf } from '../store/rows.ts'
import type { NewTrigger, StoredTrigger, TriggerLease, TriggerQuery } from '../store/store.ts'

/** What has happened in the cluster. Writes run inside a transaction of the caller. */
export class SqliteTriggers {
  readonly #byKey
  readonly #insert
  readonly #resolveByKey
  readonly #hear
  readonly #byId
  readonly #newest
  readonly #newestWith
  readonly #lease
  readonly #resolve
  readonly #prune

  constructor(db: DatabaseSync) {
    this.#byKey = db.prepare('SELECT id FROM triggers WHERE dedup_key = ?')
    this.#insert = db.prepare(
      `INSERT INTO triggers
         (id, dedup_key, source, fingerprint, starts_at, group_key, status, data, received_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#resolveByKey = db.prepare(
      // what was erased does not come back with the message that it is over
      `UPDATE triggers SET status = 'resolved',
         data = CASE WHEN redacted_by IS NULL THEN ? ELSE data END
       WHERE dedup_key = ? AND status = 'firing'`,
    )
    this.#hear = db.prepare(
      `UPDATE triggers SET received_at = ? WHERE dedup_key = ? AND status = 'firing'`,
    )
    this.#byId = db.prepare('SELECT * FROM triggers WHERE id = ?')
    this.#newest = db.prepare(
      'SELECT * FROM triggers WHERE ordinal < ? ORDER BY ordinal DESC LIMIT ?',
    )
    this.#newestWith = db.prepare(
      'SELECT * FROM triggers WHERE status = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT ?',
    )
    this.#lease = db.prepare(
      `UPDATE triggers SET lease_holder = :holder, lease_until = :until
       WHERE id = :id AND status = 'firing'
         AND (lease_holder IS NULL OR lease_holder IN (:holder, :from) OR lease_until <= :now)`,
    )
    this.#resolve = db.prepare(
      `UPDATE triggers SET status = 'resolved' WHERE id = ? AND status = 'firing'`,
    )
    this.#prune = db.prepare('DELETE FROM triggers WHERE received_at < ?')
  }

  put(trigger: NewTrigger, receivedAt: number): { readonly id: string; readonly created: boolean } {
    const { id, dedupKey, source, fingerprint, startsAt, groupKey, status } = trigger
    const data = canonical(trigger.data)
    const known = this.#byKey.get(dedupKey)
    if (known !== undefined) {
      if (status === 'resolved') this.#resolveByKey.run(data, dedupKey)
      else this.#hear.run(receivedAt, dedupKey)
      return { id: text(known, 'id'), created: false }
    }
    this.#insert.run(
      id,
      dedupKey,
      source,
      fingerprint,
      startsAt,
      groupKey,
      status,
      data,
      receivedAt,
    )
    return { id, created: true }
  }

  get(id: string): StoredTrigger | undefined {
    const row = this.#byId.get(id)
    return row === undefined ? undefined : triggerOf(row)
  }

  list({ status, limit, before }: TriggerQuery): readonly StoredTrigger[] {
    const end = before ?? Number.MAX_SAFE_INTEGER
    const rows =
      status === undefined ? this.#newest.all(end, limit) : this.#newestWith.all(status, end, limit)
    return rows.map(triggerOf)
  }

  lease({ id, holder, until, now, from = holder }: TriggerLease): boolean {
    const floored = { id, holder, from, until: Math.floor(until), now: Math.floor(now) }
    return this.#lease.run(floored).changes === 1
  }

  resolve(id: string): boolean {
    return this.#resolve.run(id).changes === 1
  }

  prune(before: number): number {
    return Number(this.#prune.run(Math.floor(before)).changes)
  }
}
