import assert from 'node:assert/strict'
import { it } from 'node:test'
import { aggregatedRules } from './aggregation.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const toView = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
const part = (name: string, labels: Record<string, string>, ...rules: object[]) => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name, labels },
  rules,
})
const rule = (verb: string) => ({ verbs: [verb] })

it('a ClusterRole gathers the rules of those it selects, by name, each once and not its own', () => {
  const view = {
    ...part('view', toView, rule('stale')),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: toView }] },
  }
  const all = [
    part('b', toView, rule('get'), rule('watch')),
    part('a', toView, rule('list'), rule('get')),
    part('c', {}, rule('delete')),
    view,
  ]
  assert.deepEqual(aggregatedRules(view, all), [rule('list'), rule('get'), rule('watch')])
  assert.equal(aggregatedRules(part('plain', {}, rule('get')), all), undefined)
})
