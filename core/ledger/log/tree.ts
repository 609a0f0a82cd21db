import { hash } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import { hashSize, tileWidth } from './tiles.ts'

/**
 * The Merkle tree of RFC 6962 with SHA-256, kept as tiles of height 8. Sizes are plain numbers, so
 * halving is division: bit operators would cut them to 32 bits.
 */

const tileHeight = 8

export type Hash = Uint8Array

export function leafHash(entry: Uint8Array): Hash {
  const input = Buffer.allocUnsafe(entry.length + 1)
  input[0] = 0x00
  input.set(entry, 1)
  return sha256(input)
}

export function nodeHash(left: Hash, right: Hash): Hash {
  const input = Buffer.allocUnsafe(2 * hashSize + 1)
  input[0] = 0x01
  input.set(left, 1)
  input.set(right, 1 + hashSize)
  return sha256(input)
}

// asked for as text, Node hashes in 0.4 µs, as a buffer of its own in 1.3 µs
function sha256(input: Uint8Array): Hash {
  return Buffer.from(hash('sha256', input, 'binary'), 'latin1')
}

/** A growing tree: the roots of its perfect subtrees, the largest first (one per bit of `size`). */
export interface Frontier {
  readonly size: number
  readonly peaks: readonly Hash[]
}

export const emptyFrontier: Frontier = { size: 0, peaks: [] }

/** A hash that became part of a tile, in the order tiles grow. */
export interface TileHash {
  readonly level: number
  /** Position within the whole level, not within the tile. */
  readonly position: number
  readonly hash: Hash
}

export interface Extension {
  readonly frontier: Frontier
  readonly hashes: readonly TileHash[]
}

/** Appends leaves by their hashes; about one node hash per leaf. */
export function extend(frontier: Frontier, leaves: readonly Hash[]): Extension {
  const peaks = [...frontier.peaks]
  const hashes: TileHash[] = []
  let size = frontier.size
  for (const leaf of leaves) {
    let carry = leaf
    let position = size
    hashes.push({ level: 0, position, hash: carry })
    for (let height = 1; position % 2 === 1; height++) {
      const left = peaks.pop()
      if (left === undefined) throw new JackstayError('internal', 'the frontier misses a peak')
      carry = nodeHash(left, carry)
      position = (position - 1) / 2
      if (height % tileHeight === 0)
        hashes.push({ level: height / tileHeight, position, hash: carry })
    }
    peaks.push(carry)
    size++
  }
  return { frontier: { size, peaks }, hashes }
}

/** The tree's root; the hash of nothing for the empty tree. */
export function rootOf({ peaks }: Pick<Frontier, 'peaks'>): Hash {
  return foldRight(peaks) ?? sha256(Buffer.alloc(0))
}

function foldRight(subtrees: readonly Hash[]): Hash | undefined {
  let root: Hash | undefined
  for (const left of subtrees.toReversed()) root = root === undefined ? left : nodeHash(left, root)
  return root
}

/** A run of leaves, `from` included, `to` not. */
interface Range {
  readonly from: number
  readonly to: number
}

/** A perfect subtree: the leaves from `index * 2**height` on, `2**height` of them. */
interface Subtree {
  readonly height: number
  readonly index: number
}

/** The largest perfect subtrees that make up a run as RFC 6962 splits it, from left to right. */
function subtreesOf({ from, to }: Range): Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = from; at < to; ) {
    let height = 0
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= to) height++
    subtrees.push({ height, index: at / 2 ** height })
    at += 2 ** height
  }
  return subtrees
}

/** The first `width` hashes of a tile, one after the other. */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array>

async function subtreeHash({ height, index }: Subtree, read: ReadTile): Promise<Hash> {
  const level = Math.floor(height / tileHeight)
  const count = 2 ** (height % tileHeight)
  const first = index * count
  const offset = first % tileWidth
  const tile = await read(level, Math.floor(first / tileWidth), offset + count)
  return perfectRoot(tile.subarray(offset * hashSize, (offset + count) * hashSize))
}

/** The root over a power of two of hashes, one after the other: of a full tile, the hash above it. */
export function perfectRoot(hashes: Uint8Array): Hash {
  const work = Buffer.from(hashes)
  const pair = Buffer.allocUnsafe(2 * hashSize + 1)
  pair[0] = 0x01
  // each round writes the level above over the one it reads: 255 hashes of a tile and no garbage
  for (let parents = hashes.length / hashSize / 2; parents >= 1; parents /= 2) {
    for (let i = 0; i < parents; i++) {
      pair.set(work.subarray(2 * i * hashSize, 2 * (i + 1) * hashSize), 1)
      work.write(hash('sha256', pair, 'binary'), i * hashSize, 'latin1')
    }
  }
  return Buffer.from(work.subarray(0, hashSize))
}

/** The roots of the perfect subtrees over hashes that stand one after the other, the largest first. */
export function peaksOf(hashes: Uint8Array): Hash[] {
  return subtreesOf({ from: 0, to: hashes.length / hashSize }).map(({ height, index }) => {
    const bytes = 2 ** height * hashSize
    return perfectRoot(hashes.subarray(index * bytes, (index + 1) * bytes))
  })
}

async function rangeHash(range: Range, read: ReadTile): Promise<Hash> {
  const subtrees: Hash[] = []
  for (const subtree of subtreesOf(range)) subtrees.push(await subtreeHash(subtree, read))
  const root = foldRight(subtrees)
  if (root === undefined) throw new JackstayError('internal', 'a proof asked for an empty range')
  return root
}

/** Rebuilds the frontier of the first `size` leaves from tiles. */
export async function frontierFrom(size: number, read: ReadTile): Promise<Frontier> {
  const peaks: Hash[] = []
  for (const subtree of subtreesOf({ from: 0, to: size })) {
    peaks.push(await subtreeHash(subtree, read))
  }
  return { size, peaks }
}

/** The largest power of two below `n`: where RFC 6962 splits `n > 1` leaves. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/**
 * RFC 6962 §2.1.1: the audit path of leaf `index` in the tree of `size` leaves, leaf side first.
 * @throws JackstayError `invalid_request` when the leaf is not in that tree.
 */
export async function inclusionProof(index: number, size: number, read: ReadTile): Promise<Hash[]> {
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw new JackstayError('invalid_request', `there is no leaf ${index} in a tree of ${size}`)
  }
  const ranges: Range[] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    ranges.push(index < middle ? { from: middle, to } : { from, to: middle })
    if (index < middle) to = middle
    else from = middle
  }
  return hashAll(ranges.reverse(), read)
}

/**
 * RFC 6962 §2.1.2: the proof that the tree of `from` leaves begins the tree of `to` leaves. Empty
 * when either is trivial.
 * @throws JackstayError `invalid_request` unless 0 ≤ from ≤ to.
 */
export async function consistencyProof(from: number, to: number, read: ReadTile): Promise<Hash[]> {
  if (!isCount(from) || !isCount(to) || from > to) {
    throw new JackstayError('invalid_request', `a tree of ${to} cannot extend one of ${from}`)
  }
  if (from === 0 || from === to) return []
  const ranges: Range[] = []
  let start = 0
  let end = to
  // The part of the older tree inside [start, end) ends at `from`; descend until it fills it.
  while (from !== end) {
    const middle = start + splitOf(end - start)
    ranges.push(from <= middle ? { from: middle, to: end } : { from: start, to: middle })
    if (from <= middle) end = middle
    else start = middle
  }
  // When the older tree is itself this subtree, the verifier has its root already.
  if (start > 0) ranges.push({ from: start, to: end })
  return hashAll(ranges.reverse(), read)
}

async function hashAll(ranges: readonly Range[], read: ReadTile): Promise<Hash[]> {
  const hashes: Hash[] = []
  for (const range of ranges) hashes.push(await rangeHash(range, read))
  return hashes
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export interface Inclusion {
  readonly index: number
  readonly size: number
  readonly leaf: Hash
  readonly proof: readonly Hash[]
  readonly root: Hash
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion({ index, size, leaf, proof, root }: Inclusion): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  let fn = index
  let sn = size - 1
  let current = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      current = nodeHash(sibling, current)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else {
      current = nodeHash(current, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && equal(current, root)
}

export interface Consistency {
  readonly from: number
  readonly to: number
  readonly fromRoot: Hash
  readonly toRoot: Hash
  readonly proof: readonly Hash[]
}

/** RFC 9162 §2.1.4.2; the empty tree begins every tree. */
export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: Consistency): boolean {
  if (!isCount(from) || !isCount(to) || from > to) return false
  if (from === to) return proof.length === 0 && equal(fromRoot, toRoot)
  if (from === 0) return proof.length === 0 && equal(fromRoot, rootOf(emptyFrontier))
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : [...proof]
  const first = path.shift()
  if (first === undefined) return false
  let fn = from - 1
  let sn = to - 1
  while (fn % 2 === 1) [fn, sn] = [(fn - 1) / 2, Math.floor(sn / 2)]
  let older = first
  let newer = first
  for (const sibling of path) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      older = nodeHash(sibling, older)
      newer = nodeHash(sibling, newer)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else {
      newer = nodeHash(newer, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && equal(older, fromRoot) && equal(newer, toRoot)
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n))
}

function equal(a: Hash, b: Hash): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
