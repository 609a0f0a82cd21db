import { z } from 'zod'
import { decodeLeaf } from './leaf.ts'
import { defect, type LedgerDefect } from './ledger-defect.ts'
import type { TileReader } from './reader.ts'
import { opens } from './sealed.ts'
import { decodeBundle, tileWidth, widthOf } from './tiles.ts'

/** Values as a bundle hands them out beside its leaves, each with the salt that proves it. */
const line = z.looseObject({
  index: z.int().min(0),
  values: z.record(z.string(), z.object({ salt: z.string(), value: z.json() })).optional(),
})

/**
 * Checks values that came with a bundle against the commitments in its leaves, which `verifyBundle`
 * has found to be the log's.
 * @returns how many there were, or the first that is not the one a leaf committed to
 */
export async function checkValues(
  lines: AsyncIterable<string>,
  read: TileReader,
  size: number,
): Promise<{ readonly checked: number } | LedgerDefect> {
  let checked = 0
  let at = -1
  let entries: readonly Uint8Array[] = []
  for await (const text of lines) {
    const { index, values = {} } = line.parse(JSON.parse(text))
    const bundle = Math.floor(index / tileWidth)
    if (bundle !== at) {
      at = bundle
      const bytes = await read.tile('entries', bundle, widthOf(0, bundle, size))
      entries = (bytes && decodeBundle(bytes)) ?? []
    }
    const entry = entries[index % tileWidth]
    const sealed = entry === undefined ? {} : (decodeLeaf(entry).sealed ?? {})
    for (const [name, value] of Object.entries(values)) {
      const commitment = sealed[name]
      if (commitment === undefined || !opens(commitment, value)) {
        return defect('value_differs', `leaf ${index} did not commit to this \`${name}\``, index)
      }
      checked++
    }
  }
  return { checked }
}
