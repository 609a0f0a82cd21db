import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PatchRefusal } from './refusal.ts'
import { shapeOfKind } from './shapes.ts'
import { applyStrategicMergePatch, noStrategicMergePatch } from './strategic.ts'

const shape = shapeOfKind('v1', 'Pod') ?? {}
const pod = (spec: object) => ({ metadata: { name: 'one' }, spec })
const patched = (before: object, patch: object) =>
  applyStrategicMergePatch(pod(before), { spec: patch }, shape).spec

describe('strategic merge patches', () => {
  it('merge lists by key, new items first, and leave their inputs alone', () => {
    const before = { containers: [{ name: 'a', image: 'x' }, { name: 'b' }] }
    const copy = structuredClone(before)
    const patch = { containers: [{ name: 'c' }, { name: 'a', image: 'y' }] }
    assert.deepEqual(patched(before, patch), {
      containers: [{ name: 'c' }, { name: 'a', image: 'y' }, { name: 'b' }],
    })
    assert.deepEqual(before, copy)
  })

  it('obey each directive', () => {
    const before = {
      containers: [{ name: 'a' }, { name: 'b' }],
      volumes: [{ name: 'v', emptyDir: {} }],
      nodeSelector: { a: 'b' },
    }
    const patch = {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }],
      containers: [{ name: 'a', $patch: 'delete' }, { name: 'c' }],
      volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }],
      nodeSelector: { $patch: 'replace', c: 'd' },
    }
    assert.deepEqual(patched(before, patch), {
      containers: [{ name: 'b' }, { name: 'c' }],
      volumes: [{ name: 'v', secret: { secretName: 's' } }],
      nodeSelector: { c: 'd' },
    })
  })

  it('a patch of an object by itself changes nothing', () => {
    const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))
    fc.assert(
      fc.property(list, list, (names, keys) => {
        const containers = names.map((name) => ({ name, env: keys.map((key) => ({ name: key })) }))
        assert.deepEqual(patched({ containers }, { containers }), { containers })
      }),
    )
  })

  it('refuse what cannot be merged', () => {
    const refused = (patch: object, code: number, message: RegExp) =>
      assert.throws(
        () => patched({ containers: [{ name: 'a' }] }, patch),
        (error) =>
          error instanceof PatchRefusal && error.code === code && message.test(error.message),
      )
    refused({ containers: [{ image: 'x' }] }, 500, /does not contain declared merge key: name/)
    refused({ containers: [[1]] }, 422, /rejected our request/)
    refused({ containers: [1] }, 500, /types are not identical/)
    refused({ $retainKeys: 'x' }, 400, /retainKeys/)
    assert.equal(noStrategicMergePatch().code, 415)
  })
})
