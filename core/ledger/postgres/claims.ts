import { assertFence } from '../store/append-request.ts'
import { integer, type Row, text } from '../store/rows.ts'
import type { Claim } from '../store/store.ts'
import type { Statement, Value } from './session.ts'

interface Held {
  readonly holder: string
  readonly fence: number
  readonly expires: number
}

/**
 * Who works on which intent, as one batch sees and leaves it. The head of the log is locked
 * meanwhile, and every program writes claims in batches alone, so no two can hold the same.
 */
export class PostgresClaims {
  static readonly read: Statement = {
    name: 'batch_claims',
    text: 'SELECT intent, holder, fence, expires FROM claims WHERE intent = ANY($1::text[])',
  }

  readonly #held = new Map<string, Held>()
  readonly #changed = new Set<string>()
  #fence: number

  constructor(newestFence: number) {
    this.#fence = newestFence
  }

  load(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#held.set(text(row, 'intent'), {
        holder: text(row, 'holder'),
        fence: integer(row, 'fence'),
        expires: integer(row, 'expires'),
      })
    }
  }

  /** Greater than any given before. */
  get fence(): number {
    return this.#fence
  }

  get changed(): boolean {
    return this.#changed.size > 0
  }

  claim(intentId: string, holder: string, now: number, expires: number): Claim | undefined {
    const held = this.#held.get(intentId)
    if (held !== undefined && held.expires > now) return undefined
    this.#fence++
    this.#put(intentId, { holder, fence: this.#fence, expires })
    return { fence: this.#fence }
  }

  renew(intentId: string, fence: number, now: number, expires: number): boolean {
    const held = this.#held.get(intentId)
    if (held?.fence !== fence || held.expires <= now) return false
    this.#put(intentId, { ...held, expires })
    return true
  }

  release(intentId: string, fence: number): boolean {
    if (this.#held.get(intentId)?.fence !== fence) return false
    this.#held.delete(intentId)
    this.#changed.add(intentId)
    return true
  }

  /** @throws JackstayError `intent_conflict` unless the claim is held with this fence at `now`. */
  assertHeld(intentId: string, fence: number, now: number): void {
    assertFence(intentId, fence, now, this.#held.get(intentId))
  }

  writes(): readonly { readonly statement: Statement; readonly values: readonly Value[] }[] {
    const changed = [...this.#changed]
    const gone = changed.filter((intent) => !this.#held.has(intent))
    const kept = changed.flatMap((intent) => {
      const held = this.#held.get(intent)
      return held === undefined ? [] : [{ intent, ...held }]
    })
    return [
      ...(gone.length > 0 ? [{ statement: sql.drop, values: [gone] }] : []),
      ...(kept.length > 0 ? [{ statement: sql.put, values: columns(kept) }] : []),
    ]
  }

  #put(intentId: string, held: Held): void {
    this.#held.set(intentId, held)
    this.#changed.add(intentId)
  }
}

const sql = {
  drop: { name: 'drop_claims', text: 'DELETE FROM claims WHERE intent = ANY($1::text[])' },
  put: {
    name: 'put_claims',
    text: `INSERT INTO claims (intent, holder, fence, expires)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
      ON CONFLICT (intent) DO UPDATE SET holder = excluded.holder, fence = excluded.fence,
        expires = excluded.expires`,
  },
}

function columns(claims: readonly (Held & { readonly intent: string })[]): readonly Value[] {
  return [
    claims.map(({ intent }) => intent),
    claims.map(({ holder }) => holder),
    claims.map(({ fence }) => fence),
    claims.map(({ expires }) => expires),
  ]
}
