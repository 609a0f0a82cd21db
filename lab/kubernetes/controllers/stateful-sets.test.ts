import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { TestKubernetes, until } from '../kubernetes-builder.ts'
import { wellBehaved } from '../node/behaviour.ts'
import type { KubeObject } from '../objects.ts'
import { numberAt, textAt } from '../resources/columns.ts'

const statefulSets = { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' }
const revisions = { apiVersion: 'apps/v1', resource: 'controllerrevisions' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const claims = { apiVersion: 'v1', resource: 'persistentvolumeclaims' }

const behaviours = (image: string) => ({
  ...wellBehaved,
  startMs: 20,
  readyMs: image.endsWith(':bad') ? undefined : 20,
})

function statefulSet(spec: object = {}): KubeObject {
  const labels = { app: 'db' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'db:1' }] } }
  return {
    metadata: { name: 'db' },
    spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: labels }, template, ...spec },
  }
}

describe('StatefulSets of the lab', () => {
  const lab = new TestKubernetes()
  let stop: () => Promise<void>
  before(async () => {
    await lab.start()
    stop = lab.run({ names: ['node-1'], behaviours })
  })
  after(async () => {
    await stop()
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })

  async function world(namespace: string, spec: object = {}) {
    await lab.namespace(namespace)
    const made = await lab.admin.create(statefulSets, namespace, statefulSet(spec))
    assert.equal(made.kind, 'applied', JSON.stringify(made))
    const ref = { ...statefulSets, namespace, name: 'db' }
    const podsNow = async () => (await lab.admin.list(pods, { namespace })).items
    return {
      ref,
      pods: podsNow,
      image: (image: string) =>
        lab.admin.mergePatch(ref, {
          spec: { template: { spec: { containers: [{ name: 'c', image }] } } },
        }),
      come: (figures: Readonly<Record<string, number>>) =>
        until(
          () => lab.admin.get(ref),
          (found) =>
            numberAt(found, 'status.observedGeneration') === found.metadata.generation &&
            Object.entries(figures).every(
              ([field, value]) => numberAt(found, `status.${field}`) === value,
            ),
        ),
      images: async () => (await podsNow()).map((pod) => `${pod.metadata.name} ${imageOf(pod)}`),
    }
  }

  function imageOf(pod: KubeObject): string {
    const { spec } = pod as { spec?: { containers: { image: string }[] } }
    return spec?.containers[0]?.image ?? ''
  }

  it('come up one after another, each under its name, with its claims', async () => {
    const volumeClaimTemplates = [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } },
    ]
    const {
      pods: all,
      come,
      ref,
    } = await world('up', {
      volumeClaimTemplates,
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' },
    })
    const done = await come({ replicas: 3, readyReplicas: 3, availableReplicas: 3 })
    assert.equal(textAt(done, 'status.currentRevision'), textAt(done, 'status.updateRevision'))
    const found = await all()
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      ['db-0', 'db-1', 'db-2'],
    )
    // each was made after the one before it was ready
    const revision = (pod: KubeObject | undefined) =>
      Date.parse(pod?.metadata.creationTimestamp ?? '')
    assert.ok(revision(found[0]) <= revision(found[2]))
    const names = async () =>
      (await lab.admin.list(claims, { namespace: 'up' })).items.map(({ metadata }) => metadata.name)
    assert.deepEqual(await names(), ['data-db-0', 'data-db-1', 'data-db-2'])
    await lab.admin.mergePatch(ref, { spec: { replicas: 1 } })
    await come({ replicas: 1, availableReplicas: 1 })
    await until(names, (left) => left.join() === 'data-db-0')
  })

  it('are updated from the highest down to the partition, and back', async () => {
    const { come, image, images, ref } = await world('rolls', {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
    })
    await come({ availableReplicas: 3 })
    await image('db:2')
    await come({ updatedReplicas: 1, currentReplicas: 2, availableReplicas: 3 })
    assert.deepEqual(await images(), ['db-0 db:1', 'db-1 db:1', 'db-2 db:2'])
    const partition = { updateStrategy: { rollingUpdate: { partition: 0 } } }
    await lab.admin.mergePatch(ref, { spec: partition })
    const done = await come({ updatedReplicas: 3, currentReplicas: 3, availableReplicas: 3 })
    assert.equal(textAt(done, 'status.currentRevision'), textAt(done, 'status.updateRevision'))
    await image('db:1')
    await come({ updatedReplicas: 3, currentReplicas: 3, availableReplicas: 3 })
    const { items } = await lab.admin.list(revisions, { namespace: 'rolls' })
    assert.deepEqual(items.map(({ revision }) => revision).sort(), [2, 3])
  })

  it('stop at the first that does not come up', async () => {
    const { come, image, images } = await world('stuck')
    await come({ availableReplicas: 3 })
    await image('db:bad')
    await come({ updatedReplicas: 1, readyReplicas: 2, replicas: 3 })
    assert.deepEqual(await images(), ['db-0 db:1', 'db-1 db:1', 'db-2 db:bad'])
  })

  it('come all at once, and are replaced when deleted, where that is asked for', async () => {
    const { come, image, images, ref } = await world('parallel', {
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      ordinals: { start: 5 },
    })
    await come({ availableReplicas: 3 })
    await image('db:2')
    await come({ observedGeneration: 2 })
    assert.deepEqual(await images(), ['db-5 db:1', 'db-6 db:1', 'db-7 db:1'])
    await lab.admin.delete({ ...pods, namespace: 'parallel', name: 'db-6' })
    await come({ updatedReplicas: 1, availableReplicas: 3 })
    assert.deepEqual(await images(), ['db-5 db:1', 'db-6 db:2', 'db-7 db:1'])
    await lab.admin.delete(ref)
    await until(images, (left) => left.length === 0)
  })
})
