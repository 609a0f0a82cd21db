import { hash } from 'node:crypto'
import { entryLimit, hashSize } from './tiles.ts'

/**
 * The leaf hashes of an entry bundle, one after the other: what its level-0 tile must hold.
 * Undefined unless the bundle is exactly `width` entries.
 */
export function bundleHashes(bundle: Uint8Array, width: number): Uint8Array | undefined {
  const hashes = Buffer.allocUnsafe(width * hashSize)
  const input = Buffer.allocUnsafe(1 + entryLimit)
  input[0] = 0x00
  let at = 0
  for (let entry = 0; entry < width; entry++) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0)
    const end = at + 2 + length
    input.set(bundle.subarray(at + 2, end), 1)
    hashes.write(
      hash('sha256', input.subarray(0, 1 + length), 'binary'),
      entry * hashSize,
      'latin1',
    )
    at = end
  }
  // beyond the end where the bundle was cut, in whatever place
  return at === bundle.length ? hashes : undefined
}
