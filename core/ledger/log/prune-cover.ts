import { type PruneData, pruneOf } from '../store/erasure.ts'
import { decodeLeaf } from '../store/leaf.ts'
import { defect, type LedgerDefect } from './ledger-defect.ts'
import { decodeBundle } from './tiles.ts'
import { frontierFrom, type ReadTile, rootOf } from './tree.ts'

/** A prune leaf that speaks for leaves which are no longer there. */
export interface Prune extends PruneData {
  readonly leaf: number
}

const mark = Buffer.from('"kind":"prune"')

/**
 * What a verifier learns about a log whose oldest leaves are gone: how many are missing from the
 * beginning, and whether a later leaf says that they were pruned, and which tree they were.
 */
export class PruneCover {
  #missing = 0
  #newest: Prune | undefined

  /** A bundle of `leaves` is not there; only those before every other may be missing. */
  miss(first: number, leaves: number): boolean {
    if (first !== this.#missing) return false
    this.#missing += leaves
    return true
  }

  /** Looks for prune leaves in a bundle that is there; costs nothing where nothing is missing. */
  see(first: number, bundle: Uint8Array): void {
    if (this.#missing === 0 || !Buffer.from(bundle).includes(mark)) return
    for (const [i, entry] of (decodeBundle(bundle) ?? []).entries()) {
      if (!Buffer.from(entry).includes(mark)) continue
      const said = pruneOf(decodeLeaf(entry))
      if (said !== undefined) this.#newest = { ...said, leaf: first + i }
    }
  }

  /** The oldest leaf that is there, and the prune leaf that covers all that is missing before. */
  async covering(
    read: ReadTile,
  ): Promise<
    { readonly minimum: number; readonly prune?: Prune } | { readonly wrong: LedgerDefect }
  > {
    const minimum = this.#missing
    if (minimum === 0) return { minimum }
    const prune = this.#newest
    const covered = prune?.to ?? 0
    if (prune === undefined || covered < minimum) {
      const message = `leaves ${covered} to ${minimum - 1} are missing and no prune leaf covers them`
      return { wrong: defect('entries_missing', message, covered) }
    }
    const root = Buffer.from(rootOf(await frontierFrom(prune.to, read))).toString('base64')
    if (root === prune.root) return { minimum, prune }
    const message = `leaf ${prune.leaf} names another tree than the one that was pruned`
    return { wrong: defect('prune_differs', message, prune.leaf) }
  }
}
