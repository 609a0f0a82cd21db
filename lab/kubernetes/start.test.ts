import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { parseAllDocuments } from 'yaml'
import { runControllers } from './controllers/all.ts'
import type { KubeObject } from './objects.ts'
import { type Kubernetes, startKubernetes } from './start.ts'

const chart = new URL('../../charts/jackstay/', import.meta.url).pathname

describe('the Kubernetes of the lab, as it starts', () => {
  const errors: unknown[] = []
  let directory: string
  let kubernetes: Kubernetes
  let admin: KubeClient
  const clients: KubeClient[] = []

  async function clientOf(user: string, groups: readonly string[]): Promise<KubeClient> {
    const made = await kubernetes.certificateOf(user, groups)
    const path = join(directory, `${user}.kubeconfig`)
    const data = (text: string) => Buffer.from(text).toString('base64')
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'lab' },
      clusters: [
        {
          name: 'lab',
          cluster: {
            server: kubernetes.url,
            'certificate-authority-data': data(kubernetes.authority),
          },
        },
      ],
      users: [
        {
          name: user,
          user: {
            'client-certificate-data': data(made.certificatePem),
            'client-key-data': data(made.privateKeyPem),
          },
        },
      ],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user } }],
    }
    await writeFile(path, JSON.stringify(config))
    const client = connect(loadConfig({ kubeconfig: path }), {
      userAgent: 'test/1',
      timeoutMs: 20_000,
    })
    clients.push(client)
    return client
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-lab-'))
    kubernetes = await startKubernetes({
      directory,
      port: 0,
      onError: (error) => errors.push(error),
    })
    admin = await clientOf('admin', ['system:masters'])
  })
  after(async () => {
    for (const client of clients) await client.close()
    await kubernetes.close()
    await rm(directory, { recursive: true })
    assert.deepEqual(errors, [])
  })

  it('knows people by their certificates, and lets nobody else do anything', async () => {
    const somebody = await clientOf('somebody', ['devs'])
    const namespaces = { apiVersion: 'v1', resource: 'namespaces' }
    assert.equal((await admin.list(namespaces)).items.length, 4)
    await assert.rejects(
      somebody.list(namespaces),
      /namespaces is forbidden: User "somebody" cannot list resource "namespaces" in API group "" at the cluster scope/,
    )
    const { body } = await somebody.request({
      ...{ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} },
    })
    const { status } = body as { status: { userInfo: { username: string; groups: string[] } } }
    assert.deepEqual(
      [status.userInfo.username, status.userInfo.groups],
      ['somebody', ['devs', 'system:authenticated']],
    )
  })

  it('has a service account for Pods in each namespace, and takes none without', async () => {
    const stop = new AbortController()
    const { signal } = stop
    const running = runControllers({
      client: admin,
      now: Date.now,
      signal,
      onError: (error) => errors.push(error),
    })
    const path = '/api/v1/namespaces'
    await admin.request({ method: 'POST', path, body: { metadata: { name: 'shop' } } })
    const ref = {
      apiVersion: 'v1',
      resource: 'serviceaccounts',
      namespace: 'shop',
      name: 'default',
    }
    for (;;) {
      const found = await admin.get(ref).catch(() => undefined)
      if (found !== undefined) break
      await sleep(20)
    }
    const spec = { containers: [{ name: 'c', image: 'test/c:1' }] }
    const pod = (name: string) => ({ metadata: { name }, spec })
    const made = await admin.create({ apiVersion: 'v1', resource: 'pods' }, 'shop', pod('one'))
    assert.ok(made.kind === 'applied')
    const { serviceAccountName, terminationGracePeriodSeconds } = made.object.spec as Record<
      string,
      unknown
    >
    assert.deepEqual([serviceAccountName, terminationGracePeriodSeconds], ['default', 30])
    stop.abort()
    await running
    await admin.delete(ref)
    const other = await admin.create({ apiVersion: 'v1', resource: 'pods' }, 'shop', pod('two'))
    assert.match(
      other.kind === 'refused' ? other.message : '',
      /serviceaccount "default" not found/,
    )
  })

  it('keeps as many Pods as a ReplicaSet wants, and none where it is gone', async () => {
    const stop = new AbortController()
    const { signal } = stop
    const running = runControllers({
      client: admin,
      now: Date.now,
      signal,
      onError: (error) => errors.push(error),
    })
    await admin.request({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'sets' } },
    })
    const pods = async () =>
      (await admin.list({ apiVersion: 'v1', resource: 'pods' }, { namespace: 'sets' })).items
    const until = async (count: number) => {
      while ((await pods()).length !== count) await sleep(20)
    }
    const sets = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
    const labels = { app: 'web' }
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'test/c:1' }] },
    }
    const spec = { replicas: 3, selector: { matchLabels: labels }, template }
    await admin.create(sets, 'sets', { metadata: { name: 'web' }, spec })
    await until(3)
    const [first] = await pods()
    await admin.delete({
      apiVersion: 'v1',
      resource: 'pods',
      namespace: 'sets',
      name: first?.metadata.name ?? '',
    })
    while ((await pods()).some(({ metadata }) => metadata.uid === first?.metadata.uid))
      await sleep(20)
    await until(3)
    const ref = { ...sets, namespace: 'sets', name: 'web' }
    await admin.mergePatch(ref, { spec: { replicas: 1 } })
    await until(1)
    const observed = async () =>
      (await admin.get(ref)).status as { replicas?: number; observedGeneration?: number }
    while ((await observed()).replicas !== 1) await sleep(20)
    assert.equal((await observed()).observedGeneration, 2)
    await admin.delete(ref)
    await until(0)
    stop.abort()
    await running
  })

  it('moves a Deployment to the next template, and back, each with its revision', async () => {
    const stop = new AbortController()
    const { signal } = stop
    const running = runControllers({
      client: admin,
      now: Date.now,
      signal,
      onError: (error) => errors.push(error),
    })
    await admin.request({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'rolls' } },
    })
    const podType = { apiVersion: 'v1', resource: 'pods' }
    const kubelet = async () => {
      const { items } = await admin.list(podType, { namespace: 'rolls' })
      for (const { metadata, status } of items) {
        if ((status as { phase?: string }).phase === 'Running') continue
        const ref = { ...podType, namespace: 'rolls', name: metadata.name ?? '' }
        const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }
        const patch = { status: { phase: 'Running', conditions: [ready] } }
        await admin.mergePatch(ref, patch, { subresource: 'status' })
      }
    }
    const type = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
    const ref = { ...type, namespace: 'rolls', name: 'web' }
    const done = async (generation: number) => {
      for (;;) {
        await kubelet()
        const { status, metadata } = await admin.get(ref)
        const s = status as Record<string, number>
        const all = [s.observedGeneration, s.replicas, s.updatedReplicas, s.availableReplicas]
        if (isDeepStrictEqual(all, [generation, 2, 2, 2])) {
          return metadata.annotations?.['deployment.kubernetes.io/revision']
        }
        await sleep(20)
      }
    }
    const labels = { app: 'web' }
    const containers = (tag: string) => [{ name: 'c', image: `test/c:${tag}` }]
    const template = (tag: string) => ({
      metadata: { labels },
      spec: { containers: containers(tag) },
    })
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: template('1') }
    await admin.create(type, 'rolls', { metadata: { name: 'web' }, spec })
    assert.equal(await done(1), '1')
    await admin.mergePatch(ref, { spec: { template: template('2') } })
    assert.equal(await done(2), '2')
    await admin.mergePatch(ref, { spec: { template: template('1') } })
    assert.equal(await done(3), '3')
    const { items } = await admin.list(
      { apiVersion: 'apps/v1', resource: 'replicasets' },
      { namespace: 'rolls' },
    )
    assert.equal(items.length, 2)
    stop.abort()
    await running
  })

  it('takes the chart: kinds, roles and policies, which then bite', async () => {
    for (const folder of ['crds', '.', 'roles', 'policies']) {
      for (const object of await manifests(join(chart, folder))) await applied(object)
    }
    const suspension = (spec: object) => ({
      ...{ apiVersion: 'jackstay.dev/v1alpha1', kind: 'Suspension', metadata: { name: 's' } },
      spec,
    })
    const path = '/apis/jackstay.dev/v1alpha1/suspensions'
    const wrong = await admin.request({ method: 'POST', path, body: suspension({ nonsense: 1 }) })
    assert.equal(wrong.status, 422, JSON.stringify(wrong.body))
    const executor = admin.as({
      username: 'system:serviceaccount:jackstay-executors:web',
      groups: ['system:masters'],
    })
    const made = await executor.create({ apiVersion: 'v1', resource: 'configmaps' }, 'default', {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
    })
    assert.equal(made.kind, 'refused')
    assert.match(made.kind === 'refused' ? made.message : '', /ValidatingAdmissionPolicy/)
  })

  async function applied(object: KubeObject): Promise<void> {
    const { apiVersion = '', kind = '', metadata } = object
    const lists = await admin.request({
      ...{
        method: 'GET',
        path: apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
      },
    })
    const { resources } = lists.body as { resources: { name: string; kind: string }[] }
    const resource =
      resources.find((one) => one.kind === kind && !one.name.includes('/'))?.name ?? ''
    const ref = {
      ...{ apiVersion, kind, resource, name: metadata.name ?? '' },
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    }
    const result = await admin.apply(ref, object, { fieldManager: 'test', force: true })
    assert.equal(result.kind, 'applied', `${kind} ${metadata.name}: ${JSON.stringify(result)}`)
  }
})

async function manifests(folder: string): Promise<KubeObject[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return texts.flatMap((text) =>
    parseAllDocuments(text)
      .map((document): KubeObject | null => document.toJS())
      .filter((object) => object !== null),
  )
}
