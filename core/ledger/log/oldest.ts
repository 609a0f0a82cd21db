import type { TileReader } from './reader.ts'
import { tileWidth, widthOf } from './tiles.ts'

/**
 * The oldest leaf that a log of `size` leaves still has: 0 unless it was pruned. Pruning takes whole
 * bundles from the beginning, so a dozen looks find it; what is missing elsewhere is for
 * `verifyLedger` to find.
 */
export async function oldestLeaf(read: TileReader, size: number): Promise<number> {
  let gone = 0
  let there = Math.floor(Math.max(0, size - 1) / tileWidth)
  if (await isThere(read, 0, size)) return 0
  while (there - gone > 1) {
    const middle = Math.floor((gone + there) / 2)
    if (await isThere(read, middle, size)) there = middle
    else gone = middle
  }
  return there * tileWidth
}

async function isThere(read: TileReader, index: number, size: number): Promise<boolean> {
  return (await read.tile('entries', index, widthOf(0, index, size))) !== undefined
}
