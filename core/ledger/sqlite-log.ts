import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import type { PendingLeaf } from './append-request.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { integrate } from './integration.ts'
import type { LedgerKey } from './key.ts'
import { verifierFromVkey } from './note.ts'
import { SqliteSealed } from './sqlite-sealed.ts'
import { SqliteTiles } from './sqlite-tiles.ts'
import { decodeBundle, hashSize, tileWidth, widthOf } from './tiles.ts'
import { emptyFrontier, type Frontier, frontierFrom, leafHash, rootOf } from './tree.ts'

/**
 * The log inside the database. One transaction takes leaves, then `store` integrates them all,
 * writes the tiles they touch and signs one checkpoint; `committed` makes that the state.
 */
export class SqliteLog {
  readonly tiles: SqliteTiles
  readonly sealed: SqliteSealed
  readonly #origin: string
  readonly #key: LedgerKey
  readonly #insertLeaf
  readonly #putTile
  readonly #putCheckpoint
  #frontier: Frontier
  #note: string
  #pending: Uint8Array[] = []
  #next: { readonly frontier: Frontier; readonly note: string } | undefined

  constructor(db: DatabaseSync, origin: string, key: LedgerKey) {
    this.tiles = new SqliteTiles(db)
    this.sealed = new SqliteSealed(db)
    this.#origin = origin
    this.#key = key
    this.#insertLeaf = db.prepare(
      'INSERT INTO leaves (position, intent, seq, bytes) VALUES (?, ?, ?, ?)',
    )
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
    const note = this.tiles.checkpoint()
    if (note === undefined) throw damaged('it has no checkpoint')
    const opened = openCheckpoint(note, verifierFromVkey(this.#key.vkey))
    if (!opened.ok) throw damaged(opened.problem)
    const { size, root } = opened.checkpoint
    if (this.tiles.leafCount() !== size) {
      throw damaged(`it holds ${this.tiles.leafCount()} leaves, its checkpoint says ${size}`)
    }
    const frontier = await frontierFrom(size, async (level, index, width) => {
      const tile = this.tiles.hashes(level, index, width)
      if (tile === undefined) throw damaged(`tile ${level}/${index} is missing`)
      return tile
    })
    if (!Buffer.from(rootOf(frontier)).equals(root)) {
      throw damaged('its tree does not have the root that was signed')
    }
    this.#assertNewestLeaves(size)
    this.#frontier = frontier
    this.#note = note
  }

  /** Adds a leaf to the open transaction and answers its index. */
  add(leaf: PendingLeaf): number {
    const position = this.#frontier.size + this.#pending.length
    this.#insertLeaf.run(position, leaf.intent, leaf.seq, leaf.bytes)
    this.sealed.put(position, leaf.sealed)
    this.#pending.push(leafHash(leaf.bytes))
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
    const { frontier, tiles } = integrate(this.#frontier, this.#pending)
    for (const { level, index, had, added } of tiles) {
      const before = had === 0 ? Buffer.alloc(0) : this.tiles.hashes(level, index, had)
      if (before === undefined) throw damaged(`tile ${level}/${index} is missing`)
      this.#putTile.run(level, index, Buffer.concat([before, added]))
    }
    const note = this.#sign(frontier)
    this.#putCheckpoint.run(note)
    this.#next = { frontier, note }
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

  /** The rest of the entries is for `verifyLedger`; these are the ones a torn write would hit. */
  #assertNewestLeaves(size: number): void {
    if (size === 0) return
    const bundleIndex = Math.floor((size - 1) / tileWidth)
    const width = widthOf(0, bundleIndex, size)
    const hashes = this.tiles.hashes(0, bundleIndex, width) ?? Buffer.alloc(0)
    const entries = decodeBundle(this.tiles.entries(bundleIndex, width) ?? Buffer.alloc(0)) ?? []
    if (entries.length !== width) throw damaged('leaves are missing at its end')
    for (const [i, entry] of entries.entries()) {
      const stored = hashes.subarray(i * hashSize, (i + 1) * hashSize)
      if (Buffer.from(leafHash(entry)).equals(stored)) continue
      throw damaged(`leaf ${bundleIndex * tileWidth + i} was changed`)
    }
  }
}

function damaged(what: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the ledger does not verify: ${what}; keep a copy of the data directory, compare with \`jackstay verify\` and a checkpoint kept elsewhere, then restore a backup or begin a new log`,
  )
}
