import { frontierFrom, type ReadTile, rootOf } from '../log/tree.ts'
import { pruneOf } from './erasure.ts'
import { decodeLeaf } from './leaf.ts'
import { integer, type Row } from './rows.ts'
import { damaged } from './stored-log.ts'

/** What a database says of its newest prune. */
export interface PruneState {
  /** The row of `pruned`: the first leaf that is left, and the leaf that says so. */
  readonly pruned: Row
  /** The smallest place in `leaves`. */
  readonly oldest: number
}

/**
 * Whether every missing leaf is covered by a prune leaf that is right; true when the removal was
 * interrupted and has to be finished.
 * @throws JackstayError `ledger_damaged`
 */
export async function assertPruneCovered(
  { pruned, oldest }: PruneState,
  leafAt: (index: number) => Promise<Uint8Array | undefined>,
  read: ReadTile,
): Promise<boolean> {
  const minimum = integer(pruned, 'minimum')
  if (oldest > minimum) {
    throw damaged(`leaves ${minimum} to ${oldest - 1} are missing and no prune leaf covers them`)
  }
  if (minimum === 0) return false
  const leaf = integer(pruned, 'leaf')
  const bytes = await leafAt(leaf)
  const said = bytes === undefined ? undefined : pruneOf(decodeLeaf(bytes))
  const root = Buffer.from(rootOf(await frontierFrom(minimum, read))).toString('base64')
  if (said?.to !== minimum || said.root !== root) {
    throw damaged(`leaves below ${minimum} are gone, and leaf ${leaf} does not say so`)
  }
  return oldest < minimum
}
