import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashSize, tileWidth, widthOf } from './tiles.ts'
import {
  consistencyProof,
  emptyFrontier,
  extend,
  frontierFrom,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  type ReadTile,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The inputs and roots of the reference tests of RFC 6962 (certificate-transparency, merkletree). */
const inputs = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** RFC 6962 §2.1, word for word: the slow truth to compare with. */
function slowRoot(leaves: readonly Hash[]): Hash {
  const [only] = leaves
  if (only === undefined) return rootOf(emptyFrontier)
  if (leaves.length === 1) return only
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return nodeHash(slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)))
}

/** Tiles in memory, filled by `extend` alone; refuses to read what a tree of `size` lacks. */
function tilesFor(leaves: readonly Hash[]): ReadTile {
  const levels: Buffer[] = []
  const { hashes, frontier } = extend(emptyFrontier, leaves)
  for (const { level, position, hash } of hashes) {
    const before = levels[level] ?? Buffer.alloc(0)
    assert.equal(before.length, position * hashSize)
    levels[level] = Buffer.concat([before, hash])
  }
  return async (level, index, width) => {
    assert.ok(width <= widthOf(level, index, frontier.size), `tile ${level}/${index} is too narrow`)
    const start = index * tileWidth * hashSize
    return (levels[level] ?? Buffer.alloc(0)).subarray(start, start + width * hashSize)
  }
}

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)))

/** Every small tree, and those around the first full tile. */
const sizes = [...Array(100).keys(), 127, 128, 129, 254, 255, 256, 257, 258, 300]

describe('tree', () => {
  it('has the roots of the RFC 6962 reference vectors', () => {
    for (const [size, root] of roots.entries()) {
      const leaves = inputs.slice(0, size).map((input) => leafHash(Buffer.from(input, 'hex')))
      assert.equal(hex(rootOf(extend(emptyFrontier, leaves).frontier)), root)
    }
  })

  it('has the same root however the leaves arrive, and rebuilds its frontier from tiles', async () => {
    const count = fc.integer({ min: 0, max: 1100 })
    await fc.assert(
      fc.asyncProperty(count, fc.array(count, { maxLength: 4 }), async (size, cuts) => {
        const leaves = leavesOf(size)
        let frontier = emptyFrontier
        let done = 0
        for (const cut of [...cuts.filter((c) => c < size).sort((a, b) => a - b), size]) {
          frontier = extend(frontier, leaves.slice(done, cut)).frontier
          done = cut
        }
        assert.equal(hex(rootOf(frontier)), hex(slowRoot(leaves)))
        assert.deepEqual(await frontierFrom(size, tilesFor(leaves)), frontier)
      }),
      { numRuns: 30 },
    )
  })

  it('proves the inclusion of every leaf in small trees and around the first full tile', async () => {
    const leaves = leavesOf(300)
    const read = tilesFor(leaves)
    for (const size of sizes) {
      const root = rootOf(extend(emptyFrontier, leaves.slice(0, size)).frontier)
      for (const [index, leaf] of leaves.slice(0, size).entries()) {
        const proof = await inclusionProof(index, size, read)
        assert.ok(verifyInclusion({ index, size, leaf, proof, root }), `${index} of ${size}`)
      }
    }
  })

  it('proves the consistency of every pair of them', async () => {
    const leaves = leavesOf(300)
    const read = tilesFor(leaves)
    const trees = sizes.map((size) => ({
      size,
      root: rootOf(extend(emptyFrontier, leaves.slice(0, size)).frontier),
    }))
    for (const { size: to, root: toRoot } of trees) {
      for (const { size: from, root: fromRoot } of trees) {
        if (from > to) continue
        const proof = await consistencyProof(from, to, read)
        assert.ok(verifyConsistency({ from, to, fromRoot, toRoot, proof }), `${from} to ${to}`)
      }
    }
  })

  it('refuses a proof with any byte flipped, a hash missing or one too many', async () => {
    const leaves = leavesOf(300)
    const read = tilesFor(leaves)
    const rootAt = (size: number) => rootOf(extend(emptyFrontier, leaves.slice(0, size)).frontier)
    const pick = fc.tuple(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), fc.nat())
    await fc.assert(
      fc.asyncProperty(pick, async ([size, a, b, c]) => {
        const index = a % size
        const leaf = leafHash(Buffer.from(`leaf ${index}`))
        const root = rootAt(size)
        const good = await inclusionProof(index, size, read)
        for (const proof of broken(good, b, c)) {
          assert.ok(!verifyInclusion({ index, size, leaf, proof, root }))
        }
        assert.ok(!verifyInclusion({ index, size, leaf: flip(leaf, b), proof: good, root }))
        assert.ok(!verifyInclusion({ index, size, leaf, proof: good, root: flip(root, b) }))
        const from = 1 + (a % (size - 1))
        const consistency = { from, to: size, fromRoot: rootAt(from), toRoot: root }
        const chain = await consistencyProof(from, size, read)
        for (const proof of broken(chain, b, c)) {
          assert.ok(!verifyConsistency({ ...consistency, proof }))
        }
        const fromRoot = flip(consistency.fromRoot, b)
        assert.ok(!verifyConsistency({ ...consistency, fromRoot, proof: chain }))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a path that ends before the root', async () => {
    const leaves = leavesOf(8)
    const [leaf = leafHash(Buffer.of())] = leaves
    const proof = await inclusionProof(0, 4, tilesFor(leaves))
    const root = rootOf(extend(emptyFrontier, leaves.slice(0, 4)).frontier)
    assert.ok(verifyInclusion({ index: 0, size: 4, leaf, proof, root }))
    assert.ok(!verifyInclusion({ index: 0, size: 8, leaf, proof, root }))
  })

  it('refuses to prove what is not in the tree', async () => {
    const read = tilesFor(leavesOf(3))
    await assert.rejects(inclusionProof(3, 3, read), { code: 'invalid_request' })
    await assert.rejects(consistencyProof(4, 3, read), { code: 'invalid_request' })
    assert.ok(
      !verifyInclusion({
        index: 0,
        size: 0,
        leaf: leafHash(Buffer.of()),
        proof: [],
        root: leafHash(Buffer.of()),
      }),
    )
  })
})

function flip(hash: Hash, at: number): Hash {
  const copy = Uint8Array.from(hash)
  const i = at % copy.length
  copy[i] = (copy[i] ?? 0) ^ (1 << (at % 8))
  return copy
}

function* broken(proof: readonly Hash[], which: number, at: number): Generator<Hash[]> {
  if (proof.length > 0) {
    yield proof.map((hash, i) => (i === which % proof.length ? flip(hash, at) : hash))
    yield proof.slice(1)
  }
  yield [...proof, leafHash(Buffer.from('one too many'))]
}
