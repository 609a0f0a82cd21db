import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createPatch } from 'rfc6902'
import type { JsonMap } from './json.ts'
import { applyJsonPatch } from './json-patch.ts'
import { PatchRefusal } from './refusal.ts'

const refused = (code: number) => (error: unknown) =>
  error instanceof PatchRefusal && error.code === code

describe('JSON patches', () => {
  const target = { list: [{ name: 'a' }, { name: 'b' }], map: { 'x/y': 1, '~': 2 } }

  it('every operation does what it says, on a copy', () => {
    const before = structuredClone(target)
    const patched = applyJsonPatch(target, [
      { op: 'test', path: '/list/0/name', value: 'a' },
      { op: 'add', path: '/list/-', value: { name: 'c' } },
      { op: 'add', path: '/list/1', value: { name: 'ab' } },
      { op: 'remove', path: '/list/-2' },
      { op: 'replace', path: '/map/x~1y', value: 3 },
      { op: 'replace', path: '/map/new', value: 4 },
      { op: 'move', from: '/map/~0', path: '/moved' },
      { op: 'copy', from: '/list/0', path: '/copied' },
      { op: 'test', path: '/nothing', value: null },
    ])
    assert.deepEqual(patched, {
      list: [{ name: 'a' }, { name: 'ab' }, { name: 'c' }],
      map: { 'x/y': 3, new: 4 },
      moved: 2,
      copied: { name: 'a' },
    })
    assert.deepEqual(target, before)
  })

  it('what does not apply is unprocessable, and says nothing more', () => {
    const cases: readonly JsonMap[] = [
      { op: 'test', path: '/list/0/name', value: 'b' },
      { op: 'test', path: '/list/7', value: 'b' },
      { op: 'remove', path: '/nothing' },
      { op: 'remove', path: '/list/2' },
      { op: 'remove', path: '' },
      { op: 'replace', path: '/list/2', value: 1 },
      { op: 'replace', path: '', value: [] },
      { op: 'add', path: '/no/where', value: 1 },
      { op: 'add', path: '/list/9', value: 1 },
      { op: 'add', path: '/list/x', value: 1 },
      { op: 'add', path: 'list', value: 1 },
      { op: 'add', path: '/x' },
      { op: 'move', from: '/nothing', path: '/x' },
      { op: 'copy', path: '/x' },
      { op: 'twist', path: '/x' },
      { path: '/x' },
      { op: 'add', value: 1 },
    ]
    for (const one of cases) {
      assert.throws(() => applyJsonPatch(target, [one]), refused(422), JSON.stringify(one))
    }
  })

  it('the object as a whole can be replaced and tested, and nothing else', () => {
    assert.deepEqual(applyJsonPatch(target, [{ op: 'replace', path: '', value: { a: 1 } }]), {
      a: 1,
    })
    assert.deepEqual(applyJsonPatch(target, [{ op: 'test', path: '', value: target }]), target)
    for (const one of [
      { op: 'add', path: '', value: { a: 1 } },
      { op: 'copy', from: '/map', path: '' },
      { op: 'move', from: '/map', path: '' },
      { op: 'copy', from: '', path: '/x' },
      { op: 'remove', path: '' },
    ]) {
      assert.throws(() => applyJsonPatch(target, [one]), refused(422), JSON.stringify(one))
    }
  })

  it('what is no patch is a bad request, and too long a one too large', () => {
    for (const patch of [{}, null, 'x', [1], [null]]) {
      assert.throws(() => applyJsonPatch(target, patch), refused(400), JSON.stringify(patch))
    }
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/list/0', value: 1 }))
    assert.throws(() => applyJsonPatch(target, many), refused(413))
  })

  it('no pointer reaches a prototype or a function of ours', () => {
    const call = Function.prototype.call
    const roots = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'list/push',
      'list/map',
    ]
    for (const root of roots) {
      for (const path of [`/${root}/polluted`, `/${root}/call`, `/${root}/prototype/polluted`]) {
        const patch = [{ op: 'add', path, value: 1 }]
        assert.throws(() => applyJsonPatch(target, patch), refused(422), path)
      }
    }
    assert.equal(Function.prototype.call, call)
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    assert.equal(Object.hasOwn(Object.prototype.toString, 'polluted'), false)
  })

  it('the patch that a difference makes leads from one object to the other', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const map = fc.dictionary(fc.string(), value, { maxKeys: 4, noNullPrototype: true })
    const plain = map.filter(
      (one) => !/"(__proto__|constructor|prototype)"/.test(JSON.stringify(one)),
    )
    fc.assert(
      fc.property(plain, plain, (from, to) => {
        assert.deepEqual(applyJsonPatch(from, createPatch(from, to)), to)
      }),
    )
  })
})
