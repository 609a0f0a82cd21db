import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { watchCache } from '@jackstay/kube/cache'
import { TestKubernetes } from '../kubernetes-builder.ts'
import type { KubeObject } from '../objects.ts'
import { OwnWrites } from './own-writes.ts'

const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }

describe('what a controller wrote', () => {
  const lab = new TestKubernetes()
  before(() => lab.start())
  after(() => lab.stop())

  it('is in its cache before it decides again: made, changed or gone', async () => {
    const project = (object: KubeObject) => object
    const cache = watchCache({ client: lab.admin, resource: configMaps, project })
    const signal = AbortSignal.timeout(20_000)
    await cache.whenSynced(signal)
    const own = new OwnWrites(() => cache)
    const client = own.through(lab.admin)
    for (let n = 0; n < 20; n++) {
      const name = `map-${n}`
      const ref = { ...configMaps, namespace: 'default', name }
      const made = await client.create(configMaps, 'default', { metadata: { name } })
      assert.ok(made.kind === 'applied')
      await own.shown(signal)
      assert.equal(cache.get('default', name)?.metadata.uid, made.object.metadata.uid)
      await client.mergePatch(ref, { data: { n: String(n) } })
      await own.shown(signal)
      assert.deepEqual(cache.get('default', name)?.data, { n: String(n) })
      const { uid = '' } = made.object.metadata
      await client.delete(ref, { preconditions: { uid } })
      await own.shown(signal)
      assert.equal(cache.get('default', name), undefined)
    }
    cache.stop()
  })
})
