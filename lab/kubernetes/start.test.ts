import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { TestKubernetes } from './kubernetes-builder.ts'
import type { KubeObject } from './objects.ts'

const chart = new URL('../../charts/jackstay/', import.meta.url).pathname

describe('the Kubernetes of the lab, as it starts', () => {
  const lab = new TestKubernetes()
  before(() => lab.start())
  after(async () => {
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })

  it('knows people by their certificates, and lets nobody else do anything', async () => {
    const somebody = await lab.clientOf('somebody', ['devs'])
    const namespaces = { apiVersion: 'v1', resource: 'namespaces' }
    assert.equal((await lab.admin.list(namespaces)).items.length, 4)
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

  it('takes the chart: kinds, roles and policies, which then bite', async () => {
    for (const folder of ['crds', '.', 'roles', 'policies']) {
      for (const object of await manifests(join(chart, folder))) await applied(object)
    }
    const suspension = (spec: object) => ({
      ...{ apiVersion: 'jackstay.dev/v1alpha1', kind: 'Suspension', metadata: { name: 's' } },
      spec,
    })
    const path = '/apis/jackstay.dev/v1alpha1/suspensions'
    const wrong = await lab.admin.request({
      method: 'POST',
      path,
      body: suspension({ nonsense: 1 }),
    })
    assert.equal(wrong.status, 422, JSON.stringify(wrong.body))
    const executor = lab.admin.as({
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
    const lists = await lab.admin.request({
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
    const result = await lab.admin.apply(ref, object, { fieldManager: 'test', force: true })
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
