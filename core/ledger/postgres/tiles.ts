import { JackstayError } from '@jackstay/contract/errors'
import { encodeBundle, hashSize, tileWidth } from '../log/tiles.ts'
import { blob, integer, type Row, sealedRowOf, text } from '../store/rows.ts'
import { type StoredLeaf, storedLeaf, withRedactions } from '../store/sealed.ts'
import type { StoredLog } from '../store/stored-log.ts'
import type { Result, Statement, Value } from './session.ts'

/** Runs one statement, on whatever connection its owner has. */
export type Run = (statement: Statement, values?: readonly Value[]) => Promise<Result>

const sql = {
  head: { name: 'head', text: 'SELECT note, size FROM head' },
  count: { name: 'count', text: 'SELECT coalesce(max(position) + 1, 0) AS leaves FROM leaves' },
  pruned: { name: 'minimum', text: 'SELECT minimum FROM pruned' },
  leaf: { name: 'leaf', text: 'SELECT bytes FROM leaves WHERE position = $1' },
  leaves: {
    name: 'leaves',
    text: 'SELECT bytes FROM leaves WHERE position >= $1 AND position < $2 ORDER BY position',
  },
  hashes: {
    name: 'hashes',
    text: 'SELECT hashes FROM tiles WHERE level = $1 AND position = $2',
  },
  // One statement sees one moment: no leaf without its values.
  stored: {
    name: 'stored_leaf',
    text: `SELECT bytes, name, salt, value, redacted_by FROM leaves
      LEFT JOIN sealed USING (position) WHERE position = $1 ORDER BY name`,
  },
}

/** The log's tables, read in the C2SP layout. */
export class PostgresTiles implements StoredLog {
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async checkpoint(): Promise<string | undefined> {
    const [row] = (await this.#run(sql.head)).rows
    return row === undefined ? undefined : text(row, 'note')
  }

  /** Leaves under the newest checkpoint. */
  async size(): Promise<number> {
    return integer(one(await this.#run(sql.head)), 'size')
  }

  async leafCount(): Promise<number> {
    return integer(one(await this.#run(sql.count)), 'leaves')
  }

  /** The leaves before this one were pruned. */
  async pruned(): Promise<number> {
    return integer(one(await this.#run(sql.pruned)), 'minimum')
  }

  async leaf(position: number): Promise<Uint8Array | undefined> {
    const [row] = (await this.#run(sql.leaf, [position])).rows
    return row === undefined ? undefined : blob(row, 'bytes')
  }

  async storedLeaf(position: number): Promise<StoredLeaf | undefined> {
    const { rows } = await this.#run(sql.stored, [position])
    const [row] = rows
    if (row === undefined) return undefined
    const sealed = rows.filter(({ name }) => name !== null).map(sealedRowOf)
    const leaf = storedLeaf(position, blob(row, 'bytes'), sealed)
    return withRedactions(leaf, (at) => this.leaf(at))
  }

  /** The first `width` hashes of a tile, or undefined when it has fewer. */
  async hashes(level: number, index: number, width: number): Promise<Uint8Array | undefined> {
    const [row] = (await this.#run(sql.hashes, [level, index])).rows
    if (row === undefined) return undefined
    const hashes = blob(row, 'hashes')
    return hashes.length < width * hashSize ? undefined : hashes.subarray(0, width * hashSize)
  }

  /** The first `width` entries of a bundle, or undefined when it has fewer. */
  async entries(index: number, width: number): Promise<Uint8Array | undefined> {
    const first = index * tileWidth
    const { rows } = await this.#run(sql.leaves, [first, first + width])
    return rows.length < width ? undefined : encodeBundle(rows.map((row) => blob(row, 'bytes')))
  }
}

export function one({ rows }: Result): Row {
  const [row] = rows
  if (row !== undefined) return row
  throw new JackstayError(
    'ledger_damaged',
    'the database has lost the row that says where the log ends: stop and restore a backup',
  )
}
