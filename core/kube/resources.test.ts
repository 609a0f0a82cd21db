import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { asObject, collectionPath, identityOf, objectPath } from './resources.ts'

describe('paths', () => {
  it('of the core group and of others, namespaced or not', () => {
    assert.equal(
      objectPath({ apiVersion: 'v1', resource: 'pods', namespace: 'a', name: 'p' }),
      '/api/v1/namespaces/a/pods/p',
    )
    assert.equal(objectPath({ apiVersion: 'v1', resource: 'nodes', name: 'n' }), '/api/v1/nodes/n')
    assert.equal(
      objectPath(
        { apiVersion: 'apps/v1', resource: 'deployments', namespace: 'a', name: 'd' },
        'scale',
      ),
      '/apis/apps/v1/namespaces/a/deployments/d/scale',
    )
    assert.equal(
      collectionPath({ apiVersion: 'apps/v1', resource: 'deployments' }),
      '/apis/apps/v1/deployments',
    )
  })

  it('cannot be left by any name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
        (name) => {
          const ref = { apiVersion: 'v1', resource: 'pods', namespace: 'a', name }
          if (['', '.', '..'].includes(name))
            assert.throws(() => objectPath(ref), { code: 'invalid_request' })
          else {
            const { pathname, search, hash } = new URL(objectPath(ref), 'http://host')
            assert.deepEqual([pathname.split('/').length, search, hash], [7, '', ''])
            assert.equal(decodeURIComponent(pathname.split('/')[6] ?? ''), name)
          }
        },
      ),
      { examples: [['..'], ['../../secrets/x'], ['a?b#c'], ['%2e%2e']] },
    )
  })

  it('refuse an apiVersion with too many parts', () => {
    assert.throws(() => collectionPath({ apiVersion: 'a/b/c', resource: 'x' }), {
      code: 'invalid_request',
    })
  })
})

it('identityOf needs name, uid and resourceVersion', () => {
  const metadata = { name: 'n', uid: 'u', resourceVersion: '1' }
  assert.deepEqual(identityOf({ metadata }), metadata)
  for (const key of ['name', 'uid', 'resourceVersion']) {
    assert.throws(() => identityOf({ metadata: { ...metadata, [key]: '' } }), {
      code: 'upstream_unavailable',
    })
  }
})

it('asObject refuses what is no object', () => {
  for (const value of [null, 'text', [], {}, { metadata: [] }, { metadata: { uid: 1 } }]) {
    assert.throws(() => asObject(value), { code: 'upstream_unavailable' })
  }
})
