import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { pathText } from './element.ts'
import {
  difference,
  type FieldSet,
  has,
  intersection,
  isEmpty,
  outside,
  type Path,
  paths,
  setOf,
  union,
} from './field-set.ts'
import { decodeFields, encodeFields } from './wire.ts'

const element = fc.constantFrom('f:a', 'f:b', 'f:c', 'k:{"name":"x"}', 'v:"x"', 'v:1')
const path: fc.Arbitrary<Path> = fc.array(element, { minLength: 1, maxLength: 4 })
const somePaths = fc.array(path, { maxLength: 8 })
const texts = (set: FieldSet) => new Set([...paths(set)].map((one) => one.join('/')))
const textsOf = (list: readonly Path[]) => new Set(list.map((one) => one.join('/')))

describe('sets of fields', () => {
  it('are sets', () => {
    fc.assert(
      fc.property(somePaths, somePaths, (left, right) => {
        const [a, b] = [setOf(left), setOf(right)]
        const [as, bs] = [textsOf(left), textsOf(right)]
        assert.deepEqual(texts(a), as)
        assert.deepEqual(texts(union(a, b)), new Set([...as, ...bs]))
        assert.deepEqual(texts(intersection(a, b)), new Set([...as].filter((one) => bs.has(one))))
        assert.deepEqual(texts(difference(a, b)), new Set([...as].filter((one) => !bs.has(one))))
        assert.equal(isEmpty(difference(a, a)), true)
        assert.ok(left.every((one) => has(a, one)))
      }),
    )
  })

  it('leave out what lies below a path', () => {
    fc.assert(
      fc.property(somePaths, somePaths, (left, right) => {
        const below = (one: Path) => right.some((prefix) => prefix.every((e, i) => one[i] === e))
        const kept = left.filter((one) => !below(one))
        assert.deepEqual(texts(outside(setOf(left), setOf(right))), textsOf(kept))
      }),
    )
  })

  it('come back from the wire as they went', () => {
    fc.assert(
      fc.property(somePaths, (list) => {
        const wire: unknown = JSON.parse(JSON.stringify(encodeFields(setOf(list))))
        const back = decodeFields(wire)
        assert.ok(back)
        assert.deepEqual(texts(back), textsOf(list))
      }),
    )
  })

  it('read what others write, and refuse what is none', () => {
    const set = decodeFields({
      'f:ports': { '.': {}, 'k:{"protocol":"TCP","containerPort":80}': { 'f:name': {} } },
    })
    assert.ok(set)
    assert.deepEqual([...paths(set)].map(pathText), [
      '.ports',
      '.ports[containerPort=80,protocol="TCP"].name',
    ])
    for (const wrong of [
      1,
      [],
      { a: {} },
      { 'f:a': 1 },
      { 'k:x': {} },
      { 'v:': {} },
      { 'i:x': {} },
    ]) {
      assert.equal(decodeFields(wrong), undefined, JSON.stringify(wrong))
    }
  })
})
