import { canonical } from '@jackstay/contract/json'
import { z } from 'zod'
import { defect, type LedgerDefect } from '../log/ledger-defect.ts'
import type { TileReader } from '../log/reader.ts'
import { decodeBundle, tileWidth, widthOf } from '../log/tiles.ts'
import { decodeLeaf } from '../store/leaf.ts'
import { opens } from '../store/sealed.ts'
import type { LeafRange } from './export.ts'

/** A leaf as a bundle shows it to people, with values beside it and the salts that prove them. */
const shownLeaf = z.looseObject({
  index: z.int().min(0),
  values: z.record(z.string(), z.object({ salt: z.string(), value: z.json() })).optional(),
})
type ShownLeaf = z.infer<typeof shownLeaf>

/**
 * Checks what a bundle shows to people against its entries, which `verifyBundle` has found to be
 * the log's: each leaf of the range once and in order, each as the log has it, each value one that
 * its leaf committed to.
 * @returns how many values there were, or the first leaf that is shown otherwise
 */
export async function checkLeaves(
  lines: AsyncIterable<string>,
  read: TileReader,
  size: number,
  { from, to }: LeafRange,
): Promise<{ readonly values: number } | LedgerDefect> {
  let values = 0
  let next = from
  let entries: readonly Uint8Array[] = []
  for await (const text of lines) {
    const bundle = Math.floor(next / tileWidth)
    if (next === from || next % tileWidth === 0) {
      const bytes = await read.tile('entries', bundle, widthOf(0, bundle, size))
      entries = (bytes && decodeBundle(bytes)) ?? []
    }
    const entry = entries[next % tileWidth]
    const shown = readLine(text)
    if (next >= to || entry === undefined || shown?.index !== next) return notShown(next)
    const wrong = differs(shown, entry)
    if (wrong !== undefined) return wrong
    values += Object.keys(shown.values ?? {}).length
    next++
  }
  return next === to ? { values } : notShown(next)
}

function notShown(index: number): LedgerDefect {
  return defect(
    'leaf_shown_differs',
    `leaf ${index} is not the next one in \`leaves.jsonl\``,
    index,
  )
}

/** Undefined for a line that shows no leaf. */
function readLine(text: string): ShownLeaf | undefined {
  try {
    return shownLeaf.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // no JSON, or nested without end: either way no leaf of ours
  }
}

function differs(
  { values = {}, ...shown }: ShownLeaf,
  entry: Uint8Array,
): LedgerDefect | undefined {
  const { index } = shown
  const leaf = decodeLeaf(entry)
  if (canonicalOf(shown) !== canonical({ index, ...leaf })) {
    return defect('leaf_shown_differs', `leaf ${index} is not as \`leaves.jsonl\` shows it`, index)
  }
  const commitments = new Map(Object.entries(leaf.sealed ?? {}))
  for (const [name, value] of Object.entries(values)) {
    const commitment = commitments.get(name)
    if (commitment === undefined || !opens(commitment, value)) {
      return defect('value_differs', `leaf ${index} did not commit to this \`${name}\``, index)
    }
  }
  return undefined
}

/** Undefined for what has no canonical form, which no leaf of ours is without. */
function canonicalOf(value: { readonly [key: string]: unknown }): string | undefined {
  try {
    return canonical(value)
  } catch {
    return undefined
  }
}
