import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRecord } from '@jackstay/kube/resources'
import fc from 'fast-check'
import { type JsonMap, mapOf, own } from './json.ts'
import { applyMergePatch } from './merge-patch.ts'
import { PatchRefusal } from './refusal.ts'

const leaf = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.array(fc.integer()))
const { map } = fc.letrec<{ map: JsonMap; value: unknown }>((tie) => ({
  map: fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof({ depthSize: 'small' }, leaf, tie('map')),
}))

/** The smallest patch from one object to another. */
function diff(from: JsonMap, to: JsonMap): JsonMap {
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key))
  const set = Object.entries(to).map(([key, value]) => {
    const before = own(from, key)
    return [key, isRecord(before) && isRecord(value) ? diff(before, value) : value] as const
  })
  return mapOf([...gone.map((key) => [key, null] as const), ...set])
}

describe('merge patches', () => {
  it('the patch that a difference makes leads from one object to the other', () => {
    fc.assert(
      fc.property(map, map, (from, to) => {
        const before = structuredClone(from)
        assert.deepEqual(applyMergePatch(from, diff(from, to)), to)
        assert.deepEqual(from, before, 'the object itself is left alone')
      }),
    )
  })

  it('nulls remove, maps merge, everything else replaces', () => {
    const target = { a: { b: 1, c: 2 }, list: [1, 2], gone: 'x' }
    const patch = {
      a: { b: null, d: 3 },
      list: [{ x: null, y: 1 }, null],
      gone: null,
      n: { m: null },
    }
    assert.deepEqual(applyMergePatch(target, patch), {
      ...{ a: { c: 2, d: 3 }, list: [{ y: 1 }, null] },
      n: {},
    })
  })

  it('a field called `__proto__` reaches no prototype', () => {
    const patch: unknown = JSON.parse('{"__proto__": {"polluted": true}}')
    const merged = applyMergePatch({}, patch)
    assert.deepEqual(Object.keys(merged), ['__proto__'])
    assert.equal(Object.getPrototypeOf(merged), Object.prototype)
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  it('what is no object is refused', () => {
    for (const patch of [null, 1, [], 'x']) {
      assert.throws(() => applyMergePatch({}, patch), PatchRefusal)
    }
  })
})
