import { JackstayError } from '@jackstay/contract/errors'
import type { Store } from '../store/store.ts'
import type { TileReader } from './reader.ts'
import { hashSize, tilePath, tileWidth, widthOf } from './tiles.ts'
import type { ReadTile } from './tree.ts'

/**
 * The hash tiles of the first `size` leaves, wherever a log lies, for proofs over it. A partial
 * tile may be gone once the full one is there (https://c2sp.org/tlog-tiles).
 * @throws JackstayError `ledger_damaged` for a tile that is missing or too short
 */
export function tilesOfSize(read: TileReader, size: number): ReadTile {
  return async (level, index, width) => {
    const has = widthOf(level, index, size)
    const tile =
      (await read.tile(level, index, has)) ??
      (has < tileWidth ? await read.tile(level, index, tileWidth) : undefined)
    if (tile !== undefined && tile.length >= width * hashSize) {
      return tile.subarray(0, width * hashSize)
    }
    throw new JackstayError(
      'ledger_damaged',
      `\`${tilePath({ level, index, width: has })}\` is missing or too short; run \`jackstay ledger verify\``,
    )
  }
}

/** An open store as a log to read. */
export function storeTiles(store: Pick<Store, 'checkpoint' | 'tile' | 'entries'>): TileReader {
  return {
    checkpoint: () => store.checkpoint(),
    tile: (level, index, width) =>
      level === 'entries' ? store.entries(index, width) : store.tile(level, index, width),
  }
}
