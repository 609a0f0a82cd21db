import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '@jackstay/contract/json'
import { readableKinds } from '@jackstay/contract/readable'
import { reads } from '@jackstay/contract/reads'
import type { KubeClient } from '@jackstay/kube/client'
import { AgentReader } from './agent.ts'
import { failure, listOf, ok, rights, rightsPath, startApiServer } from './api-server-world.ts'
import { projectedKinds } from './project.ts'
import { readMany, readOne } from './read.ts'
import { readableKind } from './readable.ts'

const agent = { namespace: 'jackstay-class-web', name: 'fixer' }
const signal = new AbortController().signal
const reader = (client: KubeClient) => new AgentReader(client, agent, signal)
const { request: getRequest } = reads.get
const { request: listRequest } = reads.list
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
    const read = await readOne(reader(client), deployment)
    assert.deepEqual(read, {
      untrusted: true,
      withheld: 0,
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
    answers.set(rightsPath, rights('pods'))
    await assert.rejects(readOne(reader(client), deployment), {
      code: 'forbidden',
      message: /`jackstay-class-web\/fixer` may not get deployments in `shop`.*jackstay-read-/,
    })
  })

  it('T76 answers about a namespace of others as about one that is not there', async (t) => {
    const { client, answers, asked } = await startApiServer(t)
    answers.set(path, failure(403, 'deployments.apps "web" is forbidden: cannot get resource'))
    // what everybody may do anywhere, or what the agent may read of the cluster, makes no namespace its own
    for (const review of [rights(), rights('nodes'), failure(500, 'no'), ok('text')]) {
      answers.set(rightsPath, review)
      await assert.rejects(readOne(reader(client), deployment), { code: 'not_found' })
    }
    assert.ok(asked.every(({ as }) => as === 'system:serviceaccount:jackstay-class-web:fixer'))
  })

  it('tells its own missing right from the agent’s', async (t) => {
    const { client, answers } = await startApiServer(t)
    answers.set(path, failure(403, 'User "x" cannot impersonate resource "serviceaccounts"'))
    await assert.rejects(readOne(reader(client), deployment), { code: 'cluster_refused' })
  })

  it('reports what is not there, and what is too large', async (t) => {
    const { client, answers } = await startApiServer(t)
    await assert.rejects(readOne(reader(client), deployment), { code: 'not_found' })
    answers.set(path, ok(podOf('web', 300_000)))
    const full = { ...deployment, full: true }
    await assert.rejects(readOne(reader(client), full), { code: 'too_large' })
    assert.deepEqual((await readOne(reader(client), deployment)).object.metadata, {
      ...podOf('web').metadata,
      annotations: {},
    })
  })

  it('T25 refuses Secrets, ConfigMaps and every other spelling before any call', async (t) => {
    const { client, asked } = await startApiServer(t)
    const kinds = [
      ['v1', 'Secret'],
      ['v1', 'ConfigMap'],
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
      await assert.rejects(readOne(reader(client), request), { code: 'forbidden' })
      await assert.rejects(readMany(reader(client), { ...request, limit: 1 }), {
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
    const page = await readMany(reader(client), request)
    assert.equal(page.untrusted, true)
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
    await assert.rejects(readMany(reader(client), listRequest.parse({ ...pods, full: true })), {
      code: 'too_large',
      message: /leave `full` out, or ask for `limit` 4 /,
    })
  })

  it('never returns more than asked for, even from a server that ignores the limit', async (t) => {
    const { client, answers } = await startApiServer(t)
    const items = Array.from({ length: 10 }, (_, n) => podOf(`p${n}`))
    answers.set('/api/v1/namespaces/shop/pods', listOf('Pod', items))
    const page = await readMany(reader(client), listRequest.parse({ ...pods, limit: 3 }))
    assert.equal(page.items.length, 3)
  })

  it('explains a wrong selector and an expired page', async (t) => {
    const { client, answers } = await startApiServer(t)
    for (const status of [400, 410]) {
      answers.set('/api/v1/namespaces/shop/pods', failure(status, 'no'))
      await assert.rejects(readMany(reader(client), listRequest.parse(pods)), {
        code: 'invalid_request',
      })
    }
  })
})

describe('the table of kinds', () => {
  it('finds each kind with and without its version, and shows a few fields of each', () => {
    for (const row of readableKinds) {
      assert.equal(readableKind(row.kind, row.apiVersion), row)
      assert.equal(readableKind(row.kind), row)
      assert.ok(projectedKinds.includes(row.kind), row.kind)
    }
  })
})
