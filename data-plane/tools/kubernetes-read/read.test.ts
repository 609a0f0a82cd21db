import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '@jackstay/contract/json'
import { failure, listOf, ok, startApiServer } from './api-server-world.ts'
import { getRequest, listRequest, readMany, readOne } from './read.ts'
import { readable, readableKind } from './readable.ts'

const agent = { namespace: 'jackstay-class-web', name: 'fixer' }
const signal = new AbortController().signal
const deployment = getRequest.parse({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
})
const pods = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop' }
const path = '/apis/apps/v1/namespaces/shop/deployments/web'

function podOf(name: string, bytes = 10) {
  const annotations = Object.fromEntries(
    Array.from({ length: Math.ceil(bytes / 1000) }, (_, n) => [`a${n}`, 'x'.repeat(1000)]),
  )
  return { metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1', annotations } }
}

describe('readOne', () => {
  it('asks as exactly the agent, without naming groups, and cites what it read', async (t) => {
    const { client, asked, headers, answers } = await startApiServer(t)
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1' },
      spec: { replicas: 0 },
    }
    answers.set(path, ok(object))
    const read = await readOne(client, agent, deployment, signal)
    assert.deepEqual(read, {
      object,
      evidence: { uri: `k8s:${path}`, digest: digestOf(object) },
    })
    const as = 'system:serviceaccount:jackstay-class-web:fixer'
    assert.deepEqual(asked, [{ method: 'GET', url: path, as }])
    assert.equal(headers[0]?.['impersonate-group'], undefined)
  })

  it('says which role is missing', async (t) => {
    const { client, answers } = await startApiServer(t)
    answers.set(path, failure(403, 'deployments.apps "web" is forbidden: cannot get resource'))
    await assert.rejects(readOne(client, agent, deployment, signal), {
      code: 'forbidden',
      message: /`jackstay-class-web\/fixer` may not get deployments in `shop`.*jackstay-read-/,
    })
  })

  it('tells its own missing right from the agent’s', async (t) => {
    const { client, answers } = await startApiServer(t)
    answers.set(path, failure(403, 'User "x" cannot impersonate resource "serviceaccounts"'))
    await assert.rejects(readOne(client, agent, deployment, signal), { code: 'cluster_refused' })
  })

  it('reports what is not there, and what is too large', async (t) => {
    const { client, answers } = await startApiServer(t)
    await assert.rejects(readOne(client, agent, deployment, signal), { code: 'not_found' })
    answers.set(path, ok(podOf('web', 300_000)))
    await assert.rejects(readOne(client, agent, deployment, signal), { code: 'too_large' })
  })

  it('T25 refuses Secrets, ConfigMaps and every other spelling before any call', async (t) => {
    const { client, asked } = await startApiServer(t)
    const kinds = [
      ['v1', 'Secret'],
      ['v1', 'ConfigMap'],
      ['v1', 'Node'],
      ['v1', 'ServiceAccount'],
      ['v1', 'PodList'],
      ['apps/v1beta1', 'Deployment'],
      ['extensions/v1beta1', 'Deployment'],
      ['apps/v1', 'Pod'],
      ['jackstay.dev/v1alpha1', 'AgentKey'],
      ['rbac.authorization.k8s.io/v1', 'Role'],
    ]
    for (const [apiVersion, kind] of kinds) {
      const request = { ...deployment, apiVersion: apiVersion ?? '', kind: kind ?? '' }
      await assert.rejects(readOne(client, agent, request, signal), { code: 'forbidden' })
      await assert.rejects(readMany(client, agent, { ...request, limit: 1 }, signal), {
        code: 'forbidden',
      })
    }
    assert.deepEqual(asked, [])
  })
})

describe('readMany', () => {
  it('reads one page of one namespace', async (t) => {
    const { client, asked, answers } = await startApiServer(t)
    answers.set('/api/v1/namespaces/shop/pods', listOf('Pod', [podOf('a'), podOf('b')], 'next'))
    const request = listRequest.parse({ ...pods, labelSelector: 'app=web', limit: 2 })
    const page = await readMany(client, agent, request, signal)
    assert.equal(page.items.length, 2)
    assert.equal(page.continue, 'next')
    assert.equal(page.evidence.digest, digestOf(page.items))
    assert.equal(
      page.evidence.uri,
      'k8s:/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb&limit=2',
    )
    assert.equal(asked[0]?.url, '/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb&limit=2')
  })

  it('says how many fit when a page is too large', async (t) => {
    const { client, answers } = await startApiServer(t)
    const items = Array.from({ length: 6 }, (_, n) => podOf(`p${n}`, 60_000))
    answers.set('/api/v1/namespaces/shop/pods', listOf('Pod', items))
    await assert.rejects(readMany(client, agent, listRequest.parse(pods), signal), {
      code: 'too_large',
      message: /ask for `limit` 4 /,
    })
  })

  it('never returns more than asked for, even from a server that ignores the limit', async (t) => {
    const { client, answers } = await startApiServer(t)
    const items = Array.from({ length: 10 }, (_, n) => podOf(`p${n}`))
    answers.set('/api/v1/namespaces/shop/pods', listOf('Pod', items))
    const page = await readMany(client, agent, listRequest.parse({ ...pods, limit: 3 }), signal)
    assert.equal(page.items.length, 3)
  })

  it('explains a wrong selector and an expired page', async (t) => {
    const { client, answers } = await startApiServer(t)
    for (const status of [400, 410]) {
      answers.set('/api/v1/namespaces/shop/pods', failure(status, 'no'))
      await assert.rejects(readMany(client, agent, listRequest.parse(pods), signal), {
        code: 'invalid_request',
      })
    }
  })
})

describe('requests', () => {
  it('are bounded: one namespace, one page of at most 100', () => {
    assert.equal(listRequest.parse(pods).limit, 50)
    const wrong = [
      { ...pods, limit: 101 },
      { ...pods, limit: 0 },
      { ...pods, namespace: '' },
      { ...pods, namespace: '*' },
      { ...pods, namespace: '../kube-system' },
      { apiVersion: 'v1', kind: 'Pod' },
      { ...pods, fieldSelector: 'x' },
      { ...pods, labelSelector: 'x'.repeat(2000) },
    ]
    for (const one of wrong) assert.equal(listRequest.safeParse(one).success, false)
    for (const name of ['', '..', 'a/b', 'web?x=1', 'Web']) {
      assert.equal(getRequest.safeParse({ ...pods, name }).success, false)
    }
  })
})

describe('readable', () => {
  it('holds no kind whose data is secret, and only fixed read roles', () => {
    for (const row of readable) {
      assert.doesNotMatch(row.kind, /Secret|ConfigMap|Token|Role|Agent/)
      assert.match(row.role, /^jackstay-read-/)
      assert.equal(readableKind(row.apiVersion, row.kind), row)
    }
  })
})
