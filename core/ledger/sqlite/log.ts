import type { DatabaseSync } from 'node:sqlite'
import { signCheckpoint } from '../log/checkpoint.ts'
import { integrate } from '../log/integration.ts'
import type { LedgerKey } from '../log/key.ts'
import { emptyFrontier, type Frontier, leafHash, type ReadTile, rootOf } from '../log/tree.ts'
import type { PendingLeaf } from '../store/append-request.ts'
import { integer } from '../store/rows.ts'
import { assertExtends, checkStoredLog, damaged } from '../store/stored-log.ts'
import type { Remembered } from './newest-checkpoint.ts'
import { SqliteSealed } from './sealed.ts'
import { SqliteTiles } from './tiles.ts'
import { SqliteTokens } from './tokens.ts'

const rowsAtOnce = 16

function insertOf(rows: number): string {
  const row = '(?, ?, ?, ?)'
  return `INSERT INTO leaves (position, intent, seq, bytes) VALUES ${Array(rows).fill(row).join()}`
}

/**
 * The log inside the database. One transaction takes leaves, then `store` integrates them all,
 * writes the tiles they touch and signs one checkpoint; `committed` makes that the state.
 */
export class SqliteLog {
  readonly tiles: SqliteTiles
  readonly sealed: SqliteSealed
  readonly tokens: SqliteTokens
  readonly #origin: string
  readonly #key: LedgerKey
  readonly #pruned
  readonly #insertLeaf
  readonly #insertLeaves
  readonly #putTile
  readonly #putCheckpoint
  #frontier: Frontier
  #note: string
  #pending: PendingLeaf[] = []
  #next: { readonly frontier: Frontier; readonly note: string } | undefined

  constructor(db: DatabaseSync, origin: string, key: LedgerKey) {
    this.tiles = new SqliteTiles(db)
    this.sealed = new SqliteSealed(db)
    this.tokens = new SqliteTokens(db)
    this.#origin = origin
    this.#key = key
    this.#pruned = db.prepare('SELECT minimum FROM pruned')
    this.#insertLeaf = db.prepare(insertOf(1))
    this.#insertLeaves = db.prepare(insertOf(rowsAtOnce))
    this.#putTile = db.prepare(
      `INSERT INTO tiles (level, position, hashes) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET hashes = excluded.hashes`,
    )
    this.#putCheckpoint = db.prepare(
      `INSERT INTO checkpoint VALUES (1, ?) ON CONFLICT DO UPDATE SET note = excluded.note`,
    )
    this.#frontier = emptyFrontier
    this.#note = ''
  }

  /** For proofs: a tile the tree has must be there. */
  readonly readTile: ReadTile = async (level, index, width) => {
    const tile = this.tiles.hashes(level, index, width)
    if (tile === undefined) throw damaged(`tile ${level}/${index} is missing`)
    return tile
  }

  /** Leaves that are durable. */
  get size(): number {
    return this.#frontier.size
  }

  get note(): string {
    return this.#note
  }

  /** Writes the checkpoint of the empty tree: a log that never had one is new, not damaged. */
  create(): void {
    const note = this.#sign(emptyFrontier)
    this.#putCheckpoint.run(note)
    this.#note = note
  }

  /**
   * Takes over what is stored, when the right edge of the tree gives the root that was signed.
   * @throws JackstayError `ledger_damaged`
   */
  async load(): Promise<void> {
    const { tiles } = this
    const { frontier, note } = await checkStoredLog(
      {
        checkpoint: async () => tiles.checkpoint(),
        leafCount: async () => tiles.leafCount(),
        hashes: async (level, index, width) => tiles.hashes(level, index, width),
        entries: async (index, width) => tiles.entries(index, width),
        pruned: async () => integer(this.#pruned.get() ?? {}, 'minimum'),
      },
      this.#key.vkey,
    )
    this.#frontier = frontier
    this.#note = note
  }

  /** Where the next leaf of the open transaction will stand. */
  get next(): number {
    return this.#frontier.size + this.#pending.length
  }

  /** Whether the open transaction has leaves of the intent that are not in the database yet. */
  isPending(intent: string): boolean {
    return this.#pending.some((leaf) => leaf.intent === intent)
  }

  /**
   * Whether it holds all that is remembered of it outside the database.
   * @throws JackstayError `ledger_damaged` with the leaves that are missing or differ
   */
  async assertHolds(remembered: Remembered): Promise<void> {
    if (remembered.origin !== this.#origin) return
    const hashes = async (level: number, index: number, width: number) =>
      this.tiles.hashes(level, index, width)
    await assertExtends({ hashes }, this.#frontier, remembered)
  }

  /** Adds leaves, or answers where those with the same token already stand. */
  addOnce(leaves: readonly PendingLeaf[]): readonly number[] {
    const token = leaves.at(0)?.token
    const known = token === undefined ? [] : this.tokens.of(token)
    return known.length > 0 ? known : leaves.map((leaf) => this.add(leaf))
  }

  /** Adds a leaf to the open transaction and answers its index; `store` writes it. */
  add(leaf: PendingLeaf): number {
    const position = this.#frontier.size + this.#pending.push(leaf) - 1
    if (leaf.token !== undefined) this.tokens.put(leaf.token, position)
    return position
  }

  /** How many leaves the open transaction has; `rewind` goes back there with its savepoint. */
  mark(): number {
    return this.#pending.length
  }

  rewind(mark: number): void {
    this.#pending.length = mark
  }

  store(): void {
    if (this.#pending.length === 0) return
    this.#insert(this.#frontier.size, this.#pending)
    const hashes = this.#pending.map(({ bytes }) => leafHash(bytes))
    const { frontier, tiles } = integrate(this.#frontier, hashes)
    for (const { level, index, had, added } of tiles) {
      const before = had === 0 ? Buffer.alloc(0) : this.tiles.hashes(level, index, had)
      if (before === undefined) throw damaged(`tile ${level}/${index} is missing`)
      this.#putTile.run(level, index, Buffer.concat([before, added]))
    }
    const note = this.#sign(frontier)
    this.#putCheckpoint.run(note)
    this.#next = { frontier, note }
  }

  /** Many rows in one statement: else calling it costs more than the row. */
  #insert(first: number, leaves: readonly PendingLeaf[]): void {
    for (let at = 0; at < leaves.length; ) {
      const count = leaves.length - at < rowsAtOnce ? 1 : rowsAtOnce
      const values = leaves
        .slice(at, at + count)
        .flatMap(({ intent, seq, bytes }, i) => [first + at + i, intent, seq, bytes])
      const statement = count === 1 ? this.#insertLeaf : this.#insertLeaves
      statement.run(...values)
      at += count
    }
    for (const [i, { sealed }] of leaves.entries()) this.sealed.put(first + i, sealed)
  }

  committed(): void {
    if (this.#next !== undefined) {
      this.#frontier = this.#next.frontier
      this.#note = this.#next.note
    }
    this.rolledBack()
  }

  rolledBack(): void {
    this.#next = undefined
    this.#pending = []
  }

  /** Whether the database still stands where this object does: false after a half-known commit. */
  inStep(): boolean {
    return this.tiles.checkpoint() === this.#note
  }

  #sign(frontier: Frontier): string {
    const { size } = frontier
    return signCheckpoint({ origin: this.#origin, size, root: rootOf(frontier) }, [this.#key])
  }
}
