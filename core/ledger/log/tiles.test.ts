import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  decodeBundle,
  encodeBundle,
  parseTilePath,
  tilePath,
  tilesOf,
  tileWidth,
  widthOf,
} from './tiles.ts'

describe('tiles', () => {
  it('spells paths as C2SP tlog-tiles does', () => {
    assert.equal(tilePath({ level: 0, index: 0, width: 256 }), 'tile/0/000')
    assert.equal(tilePath({ level: 0, index: 1067, width: 5 }), 'tile/0/x001/067.p/5')
    assert.equal(tilePath({ level: 5, index: 1234067, width: 256 }), 'tile/5/x001/x234/067')
    assert.equal(tilePath({ level: 'entries', index: 999, width: 1 }), 'tile/entries/999.p/1')
  })

  it('parses exactly the paths it spells', () => {
    const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant<'entries'>('entries'))
    const index = fc.integer({ min: 0, max: 999_999_999_999 })
    const width = fc.integer({ min: 1, max: tileWidth })
    fc.assert(
      fc.property(fc.record({ level, index, width }, { noNullPrototype: true }), (tile) => {
        assert.deepEqual(parseTilePath(tilePath(tile)), tile)
      }),
    )
    for (const path of [
      'tile/0/x000/001',
      'tile/0/1',
      'tile/0/000.p/256',
      'tile/0/000.p/0',
      'tile/64/000',
      'tile/00/000',
      'tile/0/../000',
      'tile/0/000.p/05',
      '/tile/0/000',
    ]) {
      assert.equal(parseTilePath(path), undefined, path)
    }
  })

  it('lists every tile of a tree with its width', () => {
    assert.deepEqual([...tilesOf(0)], [])
    assert.deepEqual([...tilesOf(257)].map(tilePath), [
      'tile/entries/000',
      'tile/entries/001.p/1',
      'tile/0/000',
      'tile/0/001.p/1',
      'tile/1/000.p/1',
    ])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), (size) => {
        for (const { level, index, width } of tilesOf(size)) {
          if (level !== 'entries') assert.equal(widthOf(level, index, size), width)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('frames entries and refuses what does not add up', () => {
    assert.equal(
      Buffer.from(encodeBundle([Buffer.from('a'), Buffer.of()])).toString('hex'),
      '0001610000',
    )
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
        const bundle = encodeBundle(entries)
        assert.deepEqual(
          decodeBundle(bundle)?.map((e) => Uint8Array.from(e)),
          entries,
        )
        if (bundle.length > 0) {
          assert.notEqual(decodeBundle(bundle.subarray(0, -1))?.length, entries.length)
        }
      }),
    )
    assert.equal(decodeBundle(Buffer.from('0002ff', 'hex')), undefined)
    assert.throws(() => encodeBundle([Buffer.alloc(65_536)]), { code: 'too_large' })
  })
})
