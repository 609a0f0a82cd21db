import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { at, fieldChanges, token, tokens } from './field-changes.ts'
import { planOf } from './intent-builder.ts'
import type { Json } from './json.ts'

const { target } = planOf()

const reading = (path: string, value: Json | undefined) => ({
  ...{ of: 'it', path },
  value: value === undefined ? ('absent' as const) : { is: value },
})
const changes = (before: Json | undefined, after: Json | undefined) =>
  fieldChanges({
    ...{ id: 'w1', verb: 'patch', body: {}, inverse: { body: {} }, object: target },
    before: [reading('/spec', before)],
    after: [reading('/spec', after)],
  })

describe('the fields that a write changes', () => {
  it('are looked for in lists that keep their items and order', () => {
    const list = (...images: string[]) => images.map((image, i) => ({ name: `c${i}`, image }))
    const found = changes({ containers: list('a', 'b') }, { containers: list('a', 'c') })
    assert.deepEqual(found, [{ path: '/spec/containers/1/image', before: 'b', after: 'c' }])
  })

  it('are the list where an item came, went or moved', () => {
    for (const after of [['a'], ['b', 'a'], [{ name: 'a' }]]) {
      const [found, ...others] = changes({ list: ['a', 'b'] }, { list: after })
      assert.deepEqual([found?.path, others], ['/spec/list', []])
    }
  })

  it('may be absent on one side, and one that stays is told once', () => {
    assert.deepEqual(changes(undefined, 1), [{ path: '/spec', before: undefined, after: 1 }])
    assert.deepEqual(changes({ a: 1 }, { a: 1 }), [
      { path: '/spec', before: { a: 1 }, after: { a: 1 } },
    ])
  })

  it('are all there are: put back, they make the old value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        const [before, after] = [one, other].map((v) => JSON.parse(JSON.stringify(v)) as Json)
        for (const change of changes(before, after)) {
          const inner = change.path.slice('/spec'.length)
          assert.deepEqual(at(before ?? null, inner), change.before)
          assert.deepEqual(at(after ?? null, inner), change.after)
        }
      }),
    )
  })
})

describe('a JSON pointer', () => {
  it('finds keys with slashes and tildes, and items of lists', () => {
    const object = { a: { 'x/y~z': [1, { b: 2 }] } }
    assert.equal(at(object, `/a/${token('x/y~z')}/1/b`), 2)
    assert.deepEqual(tokens('/a/x~1y~0z'), ['a', 'x/y~z'])
    for (const path of ['/a/x~1y~0z/01', '/a/x~1y~0z/-', '/a/constructor', '/a/x~1y~0z/length']) {
      assert.equal(at(object, path), undefined, path)
    }
  })
})
