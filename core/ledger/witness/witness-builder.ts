import { emptyFrontier, extend, type Hash, leafHash, nodeHash, rootOf } from '../log/tree.ts'

/** Builders for tests of witnesses: a log in memory that may differ from another at one leaf. */

export interface GrownLog {
  root(size: number): Hash
  consistency(from: number, to: number): readonly Hash[]
}

/** `from`: the first leaf that is not the honest one. */
export function grownLog(size: number, fork?: { readonly from: number }): GrownLog {
  const leaves = Array.from({ length: size }, (_, i) =>
    leafHash(Buffer.from(fork !== undefined && i >= fork.from ? `forged ${i}` : `honest ${i}`)),
  )
  return {
    root: (n) => rootOf(extend(emptyFrontier, leaves.slice(0, n)).frontier),
    consistency: (from, to) => (from === 0 ? [] : subProof(from, leaves.slice(0, to), true)),
  }
}

/** RFC 6962 §2.1.2 as it is written, apart from the code under test. */
function subProof(m: number, leaves: readonly Hash[], complete: boolean): Hash[] {
  const n = leaves.length
  if (m === n) return complete ? [] : [treeHash(leaves)]
  let k = 1
  while (k * 2 < n) k *= 2
  return m <= k
    ? [...subProof(m, leaves.slice(0, k), complete), treeHash(leaves.slice(k))]
    : [...subProof(m - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))]
}

function treeHash(leaves: readonly Hash[]): Hash {
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return only
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}
