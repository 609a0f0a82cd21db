import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '../objects.ts'
import { TestApi } from './api-builder.ts'

const api = new TestApi()
let client: KubeClient
before(async () => {
  client = await api.start()
})
after(async () => {
  await api.stop()
  assert.deepEqual(api.errors, [])
})

const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }
const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }

function configMap(name: string, data: Record<string, string>, labels = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data }
}

async function made(namespace: string, name: string, data = {}, labels = {}) {
  const result = await client.create(configMaps, namespace, configMap(name, data, labels))
  assert.equal(result.kind, 'applied')
  if (result.kind !== 'applied') throw new Error('not made')
  return result.object
}

function replicasOf({ spec }: KubeObject): unknown {
  return (spec as { replicas?: unknown }).replicas
}

async function words(method: string, path: string, body?: unknown, contentType?: string) {
  const answer = await client.request({ method, path, body, ...(contentType && { contentType }) })
  const { message = '', reason = '' } = answer.body as { message?: string; reason?: string }
  return [answer.status, reason, message]
}

describe('objects', () => {
  it('get what the server gives: uid, revision, time, namespace', async () => {
    const { metadata, kind, apiVersion } = await made('a', 'one', { k: 'v' })
    assert.match(metadata.uid ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual([kind, apiVersion, metadata.namespace], ['ConfigMap', 'v1', 'a'])
    assert.equal(metadata.creationTimestamp, '2026-01-01T00:00:00Z')
    const read = await client.get({ ...configMaps, namespace: 'a', name: 'one' })
    assert.equal(read.metadata.resourceVersion, metadata.resourceVersion)
  })

  it('are made once, under names that the server takes', async () => {
    await made('a', 'twice')
    const path = '/api/v1/namespaces/a/configmaps'
    assert.deepEqual(await words('POST', path, configMap('twice', {})), [
      ...[409, 'AlreadyExists', 'configmaps "twice" already exists'],
    ])
    const [status, reason] = await words('POST', path, configMap('No_Name', {}))
    assert.deepEqual([status, reason], [422, 'Invalid'])
    const generated = { ...configMap('', {}), metadata: { generateName: 'x-' } }
    const answer = await client.request({ method: 'POST', path, body: generated })
    assert.match((answer.body as { metadata: { name: string } }).metadata.name, /^x-[a-z0-9]{5}$/)
  })

  it('are written by the revision that was read, and count what is wanted of them', async () => {
    const spec = (replicas: number) => ({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
      spec: { replicas },
    })
    const created = await client.create(deployments, 'a', { ...spec(1), status: { replicas: 9 } })
    assert.ok(created.kind === 'applied')
    assert.deepEqual([created.object.metadata.generation, created.object.status], [1, {}])
    const ref = { ...deployments, namespace: 'a', name: 'web' }
    const { resourceVersion = '', uid = '' } = created.object.metadata
    const changed = await client.mergePatch(
      ref,
      { spec: { replicas: 2 } },
      { preconditions: { uid, resourceVersion } },
    )
    assert.ok(changed.kind === 'applied')
    assert.equal(changed.object.metadata.generation, 2)
    const late = await client.mergePatch(
      ref,
      { spec: { replicas: 3 } },
      { preconditions: { uid, resourceVersion } },
    )
    assert.equal(late.kind, 'conflict')
    const other = await client.mergePatch(ref, {}, { preconditions: { uid: 'another' } })
    assert.deepEqual(other.kind === 'refused' && other.status, 422)
    const status = await client.mergePatch(
      ref,
      { spec: { replicas: 7 }, status: { replicas: 2 } },
      { subresource: 'status' },
    )
    assert.ok(status.kind === 'applied')
    assert.deepEqual(
      [replicasOf(status.object), status.object.status, status.object.metadata.generation],
      [2, { replicas: 2 }, 2],
    )
    const same = await client.mergePatch(ref, { spec: { replicas: 2 } })
    assert.ok(same.kind === 'applied')
    assert.equal(same.object.metadata.resourceVersion, status.object.metadata.resourceVersion)
  })

  it('are scaled without the rest of them', async () => {
    const ref = { ...deployments, namespace: 'a', name: 'web' }
    const result = await client.mergePatch(ref, { spec: { replicas: 5 } }, { subresource: 'scale' })
    assert.ok(result.kind === 'applied')
    assert.deepEqual([result.object.kind, result.object.spec], ['Scale', { replicas: 5 }])
    const whole = await client.get(ref)
    assert.deepEqual([replicasOf(whole), whole.metadata.generation], [5, 3])
  })

  it('are rehearsed without a trace', async () => {
    const ref = { ...configMaps, namespace: 'a', name: 'one' }
    const dry = await client.mergePatch(ref, { data: { k: 'other' } }, { dryRun: true })
    assert.ok(dry.kind === 'applied')
    assert.deepEqual(dry.object.data, { k: 'other' })
    assert.deepEqual((await client.get(ref)).data, { k: 'v' })
    assert.equal(
      (await client.create(configMaps, 'a', configMap('dry', {}), { dryRun: true })).kind,
      'applied',
    )
    await assert.rejects(
      client.get({ ...configMaps, namespace: 'a', name: 'dry' }),
      /"dry" not found/,
    )
  })

  it('go at once, or when their finalizers are gone', async () => {
    const { metadata } = await made('a', 'held')
    const ref = { ...configMaps, namespace: 'a', name: 'held' }
    await client.mergePatch(ref, { metadata: { finalizers: ['test/hold'] } })
    const wrong = await client.delete(ref, { preconditions: { uid: 'another' } })
    assert.equal(wrong.kind, 'conflict')
    assert.equal(
      (await client.delete(ref, { preconditions: { uid: metadata.uid ?? '' } })).kind,
      'applied',
    )
    assert.equal((await client.get(ref)).metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
    await client.mergePatch(ref, { metadata: { finalizers: null } })
    await assert.rejects(client.get(ref), /not found/)
  })
})

describe('lists', () => {
  it('select by labels and fields, and say what does not read', async () => {
    await made('b', 'x', {}, { app: 'web', tier: 'front' })
    await made('b', 'y', {}, { app: 'web' })
    await made('b', 'z')
    const names = async (labelSelector: string, fieldSelector = '') => {
      const { items } = await client.list(configMaps, {
        namespace: 'b',
        labelSelector,
        fieldSelector,
      })
      return items.map(({ metadata }) => metadata.name).join('')
    }
    assert.equal(await names('app=web'), 'xy')
    assert.equal(await names('app in (web, api),!tier'), 'y')
    assert.equal(await names('tier!=front'), 'yz')
    assert.equal(await names('app notin (web)'), 'z')
    assert.equal(await names('tier'), 'x')
    assert.equal(await names('', 'metadata.name=z'), 'z')
    await assert.rejects(names('a=(b'), /unable to parse requirement/)
    await assert.rejects(names('', 'data.k=v'), /"data.k" is not a known field selector/)
  })

  it('come in pages of one moment, until that is forgotten', async () => {
    const page = (token?: string) =>
      client.list(configMaps, { namespace: 'b', limit: 2, ...(token && { continue: token }) })
    const first = await page()
    assert.deepEqual(
      first.items.map(({ metadata }) => metadata.name),
      ['x', 'y'],
    )
    await made('b', 'zz')
    await client.delete({ ...configMaps, namespace: 'b', name: 'z' })
    const second = await page(first.continue)
    assert.deepEqual(
      second.items.map(({ metadata }) => metadata.name),
      ['z'],
    )
    assert.equal(second.resourceVersion, first.resourceVersion)
    assert.equal(second.continue ?? '', '')
    api.store.compact()
    await assert.rejects(page(first.continue), /too old to display a consistent list/)
  })

  it('are rows for who prints them', async () => {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json'
    api.now += 200_000
    const path = '/apis/apps/v1/namespaces/a/deployments'
    const { body } = await client.request({ method: 'GET', path, accept })
    const { columnDefinitions, rows } = body as {
      columnDefinitions: { name: string; priority: number }[]
      rows: { cells: unknown[] }[]
    }
    const shown = columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name)
    assert.deepEqual(shown, ['Name', 'Ready', 'Up-to-date', 'Available', 'Age'])
    assert.deepEqual(rows[0]?.cells.slice(0, 5), ['web', '0/5', 0, 0, '3m20s'])
  })
})

describe('what is not served', () => {
  it('is said as the real server says it, or that this is the lab', async () => {
    assert.deepEqual(await words('GET', '/api/v1/nonsense'), [
      ...[404, 'NotFound', 'the server could not find the requested resource'],
    ])
    const [status, , message] = await words('GET', '/api/v1/namespaces/a/pods/x/exec')
    assert.equal(status, 501)
    assert.match(String(message), /this is the Jackstay lab/)
    const patch = await words('PATCH', '/api/v1/namespaces/a/configmaps/one', {}, 'text/plain')
    assert.deepEqual(patch.slice(0, 2), [415, 'UnsupportedMediaType'])
    assert.equal((await words('DELETE', '/api/v1/namespaces'))[0], 405)
  })
})
