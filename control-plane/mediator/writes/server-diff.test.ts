import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Observed } from '@jackstay/actions/action'
import type { PatchWrite, Reading } from '@jackstay/contract/plan'
import { serverDiff } from './server-diff.ts'

const uid = '22222222-2222-4222-8222-222222222222'
const object = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  ...{ namespace: 'shop', name: 'web', uid },
}
const field = (path: string, value: number): Reading => ({ of: 'it', path, value: { is: value } })
const write: PatchWrite = {
  ...{ id: 'w1', verb: 'patch', object, body: {}, inverse: { body: {} } },
  before: [field('/spec/replicas', 2)],
  after: [field('/spec/replicas', 5)],
}

function objectOf(replicas: number, metadata: object = {}, spec: object = {}): Observed {
  return { metadata, spec: { replicas, ...spec } } as Observed
}

function changed(before: Observed, after: Observed) {
  const diff = serverDiff(write, before, after)
  return diff.after.map(({ path, value }, i) => [path, diff.before[i]?.value, value])
}

describe('what the API server shows of a write', () => {
  it('is the planned field first, then what admission changed besides, lists whole', () => {
    const before = objectOf(2, { generation: 1, resourceVersion: '1' }, { list: [1, 2] })
    const after = objectOf(5, { generation: 2, resourceVersion: '2' }, { list: [1, 3], a: 1 })
    assert.deepEqual(changed(before, after), [
      ['/spec/replicas', { is: 2 }, { is: 5 }],
      ['/spec/a', 'absent', { is: 1 }],
      ['/spec/list', { is: [1, 2] }, { is: [1, 3] }],
    ])
  })

  it('knows no member that an object only inherits (T11)', () => {
    const labels = JSON.parse('{"constructor": "x", "toString": "y"}')
    assert.deepEqual(changed(objectOf(2, { labels: {} }), objectOf(5, { labels })), [
      ['/spec/replicas', { is: 2 }, { is: 5 }],
      ['/metadata/labels/constructor', 'absent', { is: 'x' }],
      ['/metadata/labels/toString', 'absent', { is: 'y' }],
    ])
  })

  it('that changes nothing is shown as the planned field, as it was', () => {
    assert.deepEqual(changed(objectOf(2), objectOf(2)), [['/spec/replicas', { is: 2 }, { is: 2 }]])
  })
})
