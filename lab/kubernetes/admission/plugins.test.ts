import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../objects.ts'
import { refusedByNamespace } from './namespace-lifecycle.ts'
import { preparePod } from './pods.ts'
import { charge } from './quota.ts'
import type { AdmissionRequest } from './request.ts'

function request(change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    subResource: '',
    name: 'p',
    namespace: 'shop',
    user: { username: 'ann', groups: [], extra: {} },
    dryRun: false,
    object: pod({}),
    oldObject: null,
    ...change,
  }
}

const container = {
  name: 'c',
  resources: {
    requests: { cpu: '100m', memory: '64Mi' },
    limits: { cpu: '1', memory: '128Mi' },
  },
}

function pod(spec: object): KubeObject {
  return { metadata: { name: 'p', namespace: 'shop' }, spec: { containers: [container], ...spec } }
}

// the words are those of a real API server, asked the same
describe('what the API server does of itself', () => {
  it('makes nothing in a namespace that is missing or ends', () => {
    const gone = refusedByNamespace(request(), { namespace: () => undefined })
    assert.equal(gone?.message, 'namespaces "shop" not found')
    assert.equal(gone?.code, 404)
    const deletionTimestamp = '2026-01-01T00:00:00Z'
    const ends = refusedByNamespace(request(), {
      namespace: (name) => ({ metadata: { name, deletionTimestamp } }),
    })
    assert.equal(
      ends?.message,
      'pods "p" is forbidden: unable to create new content in namespace shop because it is being terminated',
    )
    assert.deepEqual(ends?.details?.causes, [
      {
        reason: 'NamespaceTerminating',
        message: 'namespace shop is being terminated',
        field: 'metadata.namespace',
      },
    ])
    const there = { namespace: (name: string) => ({ metadata: { name } }) }
    assert.equal(refusedByNamespace(request(), there), undefined)
    const changed = request({ operation: 'UPDATE' })
    assert.equal(refusedByNamespace(changed, { namespace: () => undefined }), undefined)
  })

  it('keeps the namespaces that Kubernetes needs', () => {
    const resource = { group: '', version: 'v1', resource: 'namespaces' }
    const deletion = (name: string) =>
      refusedByNamespace(request({ operation: 'DELETE', resource, name, namespace: name }), {
        namespace: () => undefined,
      })
    assert.equal(
      deletion('default')?.message,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    )
    assert.equal(deletion('shop'), undefined)
  })

  const around = {
    serviceAccounts: [{ metadata: { name: 'default', namespace: 'shop' } }],
    priorityClasses: [{ metadata: { name: 'high' }, value: 1000 }],
  }
  const prepared = (spec: object) => preparePod(request({ object: pod(spec) }), around)
  const why = (spec: object) => {
    const made = prepared(spec)
    return 'refusal' in made ? made.refusal.message : ''
  }

  it('gives Pods an account, a priority and patience with lost nodes', () => {
    const made = prepared({ priorityClassName: 'high' })
    assert.ok('pod' in made)
    const { serviceAccountName, priority, preemptionPolicy, tolerations } = Object(made.pod.spec)
    assert.deepEqual([serviceAccountName, priority], ['default', 1000])
    assert.equal(preemptionPolicy, 'PreemptLowerPriority')
    assert.equal(tolerations.length, 2)
    const all = prepared({ tolerations: [{ operator: 'Exists' }] })
    assert.ok('pod' in all)
    assert.equal(Object(all.pod.spec).tolerations.length, 1)
  })

  it('refuses Pods whose account or priority there is not', () => {
    assert.equal(
      why({ serviceAccountName: 'none' }),
      'pods "p" is forbidden: error looking up service account shop/none: serviceaccount "none" not found',
    )
    assert.equal(
      why({ priorityClassName: 'nope' }),
      'pods "p" is forbidden: no PriorityClass with name nope was found',
    )
    assert.equal(
      why({ priority: 5 }),
      'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
    assert.equal(why({ priorityClassName: 'system-node-critical', priority: 2_000_001_000 }), '')
  })

  const quota = (hard: object, used: object): KubeObject => ({
    metadata: { name: 'q', namespace: 'shop' },
    spec: { hard },
    status: { hard, used },
  })
  const charged = (one: KubeObject, object = pod({})) => charge(request({ object }), [one])

  it('refuses what goes beyond a quota, and says by how much', () => {
    const result = charged(
      quota(
        { 'requests.cpu': '50m', 'limits.memory': '64Mi', pods: '0' },
        { 'requests.cpu': '0', 'limits.memory': '0', pods: '0' },
      ),
    )
    assert.ok('refusal' in result)
    assert.equal(
      result.refusal.message,
      'pods "p" is forbidden: exceeded quota: q, requested: limits.memory=128Mi,pods=1,requests.cpu=100m, used: limits.memory=0,pods=0,requests.cpu=0, limited: limits.memory=64Mi,pods=0,requests.cpu=50m',
    )
    const silent = charged(
      quota({ 'requests.cpu': '50m', 'limits.memory': '64Mi' }, {}),
      pod({ containers: [{ name: 'c' }] }),
    )
    assert.ok('refusal' in silent)
    assert.equal(
      silent.refusal.message,
      'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    )
  })

  it('charges what stays within it', () => {
    const two = pod({ containers: [container, container] })
    const hard = { 'requests.cpu': '2', 'requests.memory': '1Gi', 'count/pods': '9', services: '1' }
    const used = { 'requests.cpu': '1800m', 'requests.memory': '896Mi', 'count/pods': '1' }
    const result = charged(quota(hard, used), two)
    assert.ok('quotas' in result)
    assert.deepEqual(Object(result.quotas[0]?.status).used, {
      'requests.cpu': '2',
      'requests.memory': '1Gi',
      'count/pods': '2',
    })
    const other = { ...quota(hard, used), metadata: { name: 'q', namespace: 'other' } }
    assert.deepEqual(charged(other), { quotas: [] })
  })
})
