import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { readRoles } from '@jackstay/contract/readable'
import { attempt, passed, refusedBy } from './attempt.ts'
import { apply, bindingOf, boundAnyway, type Governed, governed, read, suffix } from './governed.ts'
import { noCluster, type World, world } from './world.ts'

const bound = 'jackstay-agents-bound'
const reading = 'jackstay-read-roles-read'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const apiVersion = 'rbac.authorization.k8s.io/v1'
const dryRun = { dryRun: true }

describe('what agents are bound to, by the API server alone', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })

  const pathIn = (namespace?: string) =>
    namespace === undefined
      ? `${rbac}/clusterrolebindings`
      : `${rbac}/namespaces/${namespace}/rolebindings`
  const bind = (subject: object, role: object = {}, namespace: string | undefined = g.target) => {
    const account = { namespace: g.namespace, name: g.agent }
    const binding = bindingOf(`x-${suffix()}`, 'edit', account, namespace)
    const roleRef = { ...Object(binding.roleRef), ...role }
    const object = { ...binding, roleRef, subjects: [subject] }
    return attempt(w.admin, 'POST', pathIn(namespace), object, dryRun)
  }
  const subjects = () => {
    const api = { apiGroup: 'rbac.authorization.k8s.io' }
    return [
      { kind: 'ServiceAccount', namespace: g.namespace, name: g.agent },
      { kind: 'ServiceAccount', namespace: g.namespace, name: 'default' },
      { ...api, kind: 'User', name: `system:serviceaccount:${g.namespace}:${g.agent}` },
      { ...api, kind: 'Group', name: `system:serviceaccounts:${g.namespace}` },
    ]
  }

  it('is a read role and no other, in a namespace or everywhere, however the agent is named (T85)', async () => {
    for (const subject of subjects()) {
      for (const namespace of [g.target, 'kube-system', g.namespace]) {
        refusedBy(bound, await bind(subject, {}, namespace))
      }
      const name = `x-${suffix()}`
      const account = { namespace: g.namespace, name: g.agent }
      const everywhere = { ...bindingOf(name, 'cluster-admin', account), subjects: [subject] }
      refusedBy(bound, await attempt(w.admin, 'POST', pathIn(), everywhere, dryRun))
      for (const role of Object.keys(readRoles)) passed(await bind(subject, { name: role }))
    }
  })

  it('is no role of a namespace, whatever it is called, and none that only sounds alike (T85)', async () => {
    const [agent = {}] = subjects()
    refusedBy(bound, await bind(agent, { kind: 'Role', name: 'jackstay-read-workloads' }))
    refusedBy(bound, await bind(agent, { name: 'jackstay-read-more' }))
    refusedBy(bound, await bind(agent, { name: 'view' }))
  })

  it('is meant by a binding in its namespace that names no other one (T85)', async () => {
    refusedBy(bound, await bind({ kind: 'ServiceAccount', name: g.agent }, {}, g.namespace))
    passed(await bind({ kind: 'ServiceAccount', name: g.agent }, {}, g.target))
  })

  it('is not added to a binding that others have (T85)', async () => {
    const other = { namespace: g.target, name: 'default' }
    const binding = bindingOf(`others-${suffix()}`, 'view', other, g.target)
    await apply(w, [binding])
    const path = `${pathIn(g.target)}/${String(Object(binding.metadata).name)}`
    const all = [...subjects(), { kind: 'ServiceAccount', ...other }]
    refusedBy(bound, await attempt(w.admin, 'PATCH', path, { subjects: all }, dryRun))
    passed(await attempt(w.admin, 'PATCH', path, { metadata: { labels: { a: 'b' } } }, dryRun))
    passed(await attempt(w.admin, 'DELETE', path))
  })

  it('can be taken from it where it was bound before the policy, and given to nobody else', async () => {
    const account = { namespace: g.namespace, name: g.agent }
    const name = `before-${suffix()}`
    await boundAnyway(w, [bindingOf(name, 'view', account, g.target)])
    const path = `${pathIn(g.target)}/${name}`
    passed(await attempt(w.admin, 'PATCH', path, { metadata: { finalizers: [] } }, dryRun))
    passed(await attempt(w.admin, 'PATCH', path, { subjects: [] }, dryRun))
    passed(await attempt(w.admin, 'DELETE', path))
  })

  it('never becomes more by an edit of the role that it names (T85)', async () => {
    const rule = (changes: object) => ({
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'], ...changes }],
    })
    const edits = [
      rule({ verbs: ['get', 'patch'] }),
      rule({ verbs: ['*'] }),
      rule({ resources: ['secrets'] }),
      rule({ resources: ['configmaps'] }),
      rule({ resources: ['*'] }),
      rule({ resources: ['pods/*'] }),
      rule({ apiGroups: ['*'] }),
      // `get` alone runs commands, and reaches the kubelet
      rule({ resources: ['pods/exec'] }),
      rule({ resources: ['nodes/proxy'] }),
      rule({ resources: ['serviceaccounts'], verbs: ['impersonate'] }),
      { rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] },
      { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } },
    ]
    for (const name of Object.keys(readRoles)) {
      for (const edit of edits) {
        const answer = await attempt(w.admin, 'PATCH', `${rbac}/clusterroles/${name}`, edit, dryRun)
        refusedBy(reading, answer)
      }
    }
  })

  it('may be more to read where a later version of the chart says so', async () => {
    const path = `${rbac}/clusterroles/jackstay-read-workloads`
    const { rules } = await read(w.admin, path)
    assert.ok(Array.isArray(rules))
    const more = { apiGroups: ['example.org'], resources: ['widgets'], verbs: ['get', 'list'] }
    passed(await attempt(w.admin, 'PATCH', path, { rules: [...rules, more] }, dryRun))
    const metadata = { name: `jackstay-read-${suffix()}` }
    const role = { apiVersion, kind: 'ClusterRole', metadata, rules: [more] }
    passed(await attempt(w.admin, 'POST', `${rbac}/clusterroles`, role, dryRun))
  })
})
