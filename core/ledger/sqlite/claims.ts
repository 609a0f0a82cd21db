import type { DatabaseSync } from 'node:sqlite'
import { assertFence } from '../store/append-request.ts'
import { integer } from '../store/rows.ts'
import type { Claim } from '../store/store.ts'

/** Who works on an intent. Each call runs inside a transaction of the caller. */
export class SqliteClaims {
  readonly #expire
  readonly #fence
  readonly #insert
  readonly #held
  readonly #renew
  readonly #release

  constructor(db: DatabaseSync) {
    this.#expire = db.prepare('DELETE FROM claims WHERE intent = ? AND expires <= ?')
    this.#fence = db.prepare('UPDATE fences SET newest = newest + 1 RETURNING newest')
    this.#insert = db.prepare(
      'INSERT INTO claims (intent, holder, fence, expires) VALUES (?, ?, ?, ?)',
    )
    this.#held = db.prepare('SELECT fence, expires FROM claims WHERE intent = ?')
    this.#renew = db.prepare(
      'UPDATE claims SET expires = ? WHERE intent = ? AND fence = ? AND expires > ?',
    )
    this.#release = db.prepare('DELETE FROM claims WHERE intent = ? AND fence = ?')
  }

  claim(intentId: string, holder: string, now: number, expires: number): Claim | undefined {
    this.#expire.run(intentId, now)
    if (this.#held.get(intentId) !== undefined) return undefined
    const fence = integer(this.#fence.get() ?? {}, 'newest')
    this.#insert.run(intentId, holder, fence, expires)
    return { fence }
  }

  renew(intentId: string, fence: number, now: number, expires: number): boolean {
    return this.#renew.run(expires, intentId, fence, now).changes === 1
  }

  release(intentId: string, fence: number): boolean {
    return this.#release.run(intentId, fence).changes === 1
  }

  /** @throws JackstayError `intent_conflict` unless the claim is held with this fence at `now`. */
  assertHeld(intentId: string, fence: number, now: number): void {
    const row = this.#held.get(intentId)
    const held = row && { fence: integer(row, 'fence'), expires: integer(row, 'expires') }
    assertFence(intentId, fence, now, held)
  }
}
