import { decodeLeaf } from '../store/leaf.ts'
import { oldestLeaf } from './oldest.ts'
import type { TileReader } from './reader.ts'
import { successorIn } from './succession.ts'
import { decodeBundle, tileWidth, widthOf } from './tiles.ts'

const markers = ['rotation', 'recovery'].map((kind) => Buffer.from(`"kind":"${kind}"`))

function mayHandOver(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return markers.some((marker) => buffer.includes(marker))
}

/**
 * Every key that the holder of `vkey` may trust for this log: itself, and those that rotations, or
 * the recovery that began the log, handed over to, in order. These are signed, so nothing of the log is believed here, not
 * even its size: the walk ends where a leaf is missing. Leaves that were pruned cannot be followed.
 * `from` is the first leaf there is, where only a part of the log is.
 */
export async function followKeys(
  read: TileReader,
  size: number,
  vkey: string,
  from?: number,
): Promise<readonly string[]> {
  const trusted = [vkey]
  const first = Math.floor((from ?? (await oldestLeaf(read, size))) / tileWidth)
  for (let index = first; index * tileWidth < size; index++) {
    const bundle = await read.tile('entries', index, widthOf(0, index, size))
    if (bundle === undefined) break
    if (!mayHandOver(bundle)) continue
    for (const entry of decodeBundle(bundle) ?? []) {
      if (!mayHandOver(entry)) continue
      const leaf = decodeLeaf(entry)
      const next = trusted.map((key) => successorIn(leaf, key)).find((key) => key !== undefined)
      if (next !== undefined && !trusted.includes(next)) trusted.push(next)
    }
  }
  return trusted
}
