import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bundleHashes } from './bundle-hashes.ts'
import { encodeBundle, hashSize, tileWidth } from './tiles.ts'
import { emptyFrontier, extend, leafHash, rootOf } from './tree.ts'
import { TreeRows } from './tree-rows.ts'

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)))

const bundlesOf = (leaves: readonly Uint8Array[]) =>
  Array.from({ length: Math.ceil(leaves.length / tileWidth) }, (_, i) =>
    Buffer.concat(leaves.slice(i * tileWidth, (i + 1) * tileWidth)),
  )

describe('a tree that grows by bundles', () => {
  it('has the root and the tiles of one that grows by leaves', () => {
    for (const count of [0, 1, 2, 255, 256, 257, 600, 65_535, 65_536, 65_800]) {
      const leaves = leavesOf(count)
      const { frontier, hashes } = extend(emptyFrontier, leaves)
      const rows = new TreeRows()
      const tiles = [...bundlesOf(leaves).flatMap((b) => rows.append(b)), ...rows.partial()]
      assert.deepEqual(rows.root(), rootOf(frontier), `root of ${count}`)
      for (const { level, position, hash } of hashes) {
        const index = Math.floor(position / tileWidth)
        const tile = tiles.find((t) => t.level === level && t.index === index)
        const at = (position % tileWidth) * hashSize
        assert.deepEqual(tile?.hashes.subarray(at, at + hashSize), hash)
      }
      const bytes = tiles.reduce((sum, tile) => sum + tile.hashes.length, 0)
      assert.equal(bytes, hashes.length * hashSize)
    }
  })

  it('knows the root of a part of the next bundle', () => {
    const leaves = leavesOf(700)
    const rows = new TreeRows()
    for (const [i, bundle] of bundlesOf(leaves).entries()) {
      for (const more of [0, 1, 2, 100, 187]) {
        const { frontier } = extend(emptyFrontier, leaves.slice(0, i * tileWidth + more))
        assert.deepEqual(rows.root(bundle.subarray(0, more * hashSize)), rootOf(frontier))
      }
      rows.append(bundle)
    }
  })
})

describe('the hashes of a bundle', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })

  it('are those of its entries', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const hashes = bundleHashes(encodeBundle(all), all.length)
        assert.deepEqual(hashes, Buffer.concat(all.map(leafHash)))
      }),
    )
  })

  it('are none of a bundle that is longer, shorter or torn', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (all, n) => {
        const bundle = encodeBundle(all)
        assert.equal(bundleHashes(bundle, all.length + 1), undefined)
        if (all.length > 0) assert.equal(bundleHashes(bundle, all.length - 1), undefined)
        const torn = bundle.subarray(0, n % Math.max(1, bundle.length))
        if (bundle.length > 0) assert.equal(bundleHashes(torn, all.length), undefined)
      }),
    )
  })
})
