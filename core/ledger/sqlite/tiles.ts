import type { DatabaseSync } from 'node:sqlite'
import { encodeBundle, hashSize, tileWidth } from '../log/tiles.ts'
import { blob, integer, text } from '../store/rows.ts'

/**
 * The log's tables, read in the C2SP layout. A tile row is as wide as the tree made it, and a
 * narrower partial tile is its beginning; bundles are framed from the leaves when asked for.
 */
export class SqliteTiles {
  readonly #hashes
  readonly #leaves
  readonly #leaf
  readonly #count
  readonly #checkpoint

  constructor(db: DatabaseSync) {
    this.#hashes = db.prepare('SELECT hashes FROM tiles WHERE level = ? AND position = ?')
    this.#leaves = db.prepare(
      'SELECT bytes FROM leaves WHERE position >= ? AND position < ? ORDER BY position',
    )
    this.#leaf = db.prepare('SELECT bytes FROM leaves WHERE position = ?')
    this.#count = db.prepare('SELECT coalesce(max(position) + 1, 0) AS leaves FROM leaves')
    this.#checkpoint = db.prepare('SELECT note FROM checkpoint')
  }

  checkpoint(): string | undefined {
    const row = this.#checkpoint.get()
    return row === undefined ? undefined : text(row, 'note')
  }

  leafCount(): number {
    return integer(this.#count.get() ?? {}, 'leaves')
  }

  leaf(position: number): Uint8Array | undefined {
    const row = this.#leaf.get(position)
    return row === undefined ? undefined : blob(row, 'bytes')
  }

  /** The first `width` hashes of a tile, or undefined when it has fewer. */
  hashes(level: number, index: number, width: number): Uint8Array | undefined {
    const row = this.#hashes.get(level, index)
    if (row === undefined) return undefined
    const hashes = blob(row, 'hashes')
    return hashes.length < width * hashSize ? undefined : hashes.subarray(0, width * hashSize)
  }

  /** The first `width` entries of a bundle, or undefined when it has fewer. */
  entries(index: number, width: number): Uint8Array | undefined {
    const first = index * tileWidth
    const rows = this.#leaves.all(first, first + width)
    if (rows.length < width) return undefined
    return encodeBundle(rows.map((row) => blob(row, 'bytes')))
  }
}
