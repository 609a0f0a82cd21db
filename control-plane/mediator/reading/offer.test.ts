import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { classSpec } from '../line/line-builder.ts'
import { offeredTo } from './offer.ts'

const action = (name: string) => ({ name, description: name, params: {} })
const info = {
  clusterUid: 'u',
  catalogueVersion: '7',
  actions: [action('workload.scale'), action('node.drain')],
}
const targets = { namespaces: ['shop'], names: ['*'] }
const spec = { ...classSpec, actions: [{ name: 'workload.scale', targets }] }

describe('what an agent is offered', () => {
  it('is what its class names, with the targets, and nothing else of the catalogue (T59)', () => {
    const offered = offeredTo({ name: 'web', spec }, info)
    assert.deepEqual(offered.actions, [{ ...action('workload.scale'), targets: [targets] }])
    assert.deepEqual(offered.class, { name: 'web', autonomy: spec.autonomy })
    assert.equal(offered.clusterUid, 'u')
  })

  it('is nothing where the class may only observe', () => {
    const observing = { ...spec, autonomy: 'observe' as const }
    assert.deepEqual(offeredTo({ name: 'web', spec: observing }, info).actions, [])
  })
})
