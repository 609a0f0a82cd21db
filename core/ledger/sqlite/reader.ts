import type { TileReader } from '../log/reader.ts'
import { type StoredLeaf, storedLeaf, withRedactions } from '../store/sealed.ts'
import { databaseName, openReadOnly } from './database.ts'
import { SqliteSealed } from './sealed.ts'
import { SqliteTiles } from './tiles.ts'

export { databaseName }

export interface StoreReader extends TileReader {
  /** What the leaf's commitments stand for, as far as it still stands. */
  values(index: number): Promise<StoredLeaf['values']>
  close(): void
}

/** Reads the store of a data directory without changing it, also while its owner writes. */
export function storeReader(directory: string): StoreReader {
  const db = openReadOnly(directory)
  const tiles = new SqliteTiles(db)
  // a store of an older program has no table for it
  let sealed: SqliteSealed | undefined
  return {
    values: async (index) => {
      const bytes = tiles.leaf(index)
      if (bytes === undefined) return {}
      sealed ??= new SqliteSealed(db)
      const leaf = storedLeaf(index, bytes, sealed.of(index))
      return (await withRedactions(leaf, async (at) => tiles.leaf(at))).values
    },
    checkpoint: async () => tiles.checkpoint(),
    tile: async (level, index, width) =>
      level === 'entries' ? tiles.entries(index, width) : tiles.hashes(level, index, width),
    close: () => db.close(),
  }
}
