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
    const own = new OwnWrites(() => ({ type: configMaps, cache }), lab.admin)
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

  /** A cache that shows what it has after a while, or never. */
  async function written(name: string, afterMs?: number) {
    const late: KubeObject[] = []
    const cache = { get: () => late[0] }
    const own = new OwnWrites(() => ({ type: configMaps, cache }), lab.admin)
    const client = own.through(lab.admin)
    const made = await client.create(configMaps, 'default', { metadata: { name } })
    assert.ok(made.kind === 'applied')
    const { object } = made
    if (afterMs !== undefined) setTimeout(() => late.push(object), afterMs)
    return { own, shows: () => late.length > 0 }
  }

  it('is waited for where a watch is late', async () => {
    const { own, shows } = await written('late', 2_000)
    await own.shown(AbortSignal.timeout(20_000))
    assert.ok(shows())
  })

  it('holds nobody up where somebody else took it away before it was seen', async () => {
    const { own } = await written('gone')
    await lab.admin.delete({ ...configMaps, namespace: 'default', name: 'gone' })
    const began = performance.now()
    await own.shown(AbortSignal.timeout(20_000))
    assert.ok(performance.now() - began < 9_000)
  })
})
