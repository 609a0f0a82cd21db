import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { AgentClassSpec } from '@jackstay/contract/kinds/agent-class'
import { classHash, matchesTriggers, withinClass } from './class-ceiling.ts'

const spec: AgentClassSpec = {
  namespace: 'jackstay-class-sre',
  autonomy: 'propose',
  actions: [
    { name: 'workload.scale', targets: { namespaces: ['shop'], names: ['web'] } },
    { name: 'workload.scale', targets: { namespaces: ['test'], names: ['*'] } },
  ],
  defaultApproval: { count: 1, groups: ['sre'] },
  limits: {
    intentsPerMinute: 1,
    pending: 1,
    concurrent: 5,
    budgets: [],
    oscillation: { turns: 3, within: '1h' },
  },
  verifySeconds: 60,
  triggers: [{ labels: { alertname: 'A', team: 'shop' } }],
  grant: { count: 1, groups: ['sre'] },
}

it('says which part of the ceiling is in the way', () => {
  const ask = (action: string, namespace: string, name: string) =>
    withinClass(spec, { action, namespace, name })
  assert.equal(ask('workload.scale', 'shop', 'web'), undefined)
  assert.equal(ask('workload.scale', 'test', 'anything'), undefined)
  assert.match(ask('workload.scale', 'shop', 'db') ?? '', /on `db`/)
  assert.match(ask('workload.scale', 'prod', 'web') ?? '', /namespace `prod`/)
  assert.match(ask('workload.restart', 'shop', 'web') ?? '', /action `workload.restart`/)
})

it('routes an alert that carries all labels of one entry', () => {
  assert.ok(matchesTriggers(spec, { alertname: 'A', team: 'shop', more: 'x' }))
  assert.ok(!matchesTriggers(spec, { alertname: 'A' }))
  assert.ok(!matchesTriggers({ triggers: [] }, { alertname: 'A' }))
})

it('gives every edit of the spec another hash', () => {
  assert.equal(classHash({ ...spec }), classHash(spec))
  assert.notEqual(classHash({ ...spec, verifySeconds: 61 }), classHash(spec))
})
