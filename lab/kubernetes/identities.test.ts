import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { identities } from './identities.ts'
import { deployment, TestKubernetes, until } from './kubernetes-builder.ts'
import { wellBehaved } from './node/behaviour.ts'
import { numberAt, textAt } from './resources/columns.ts'
import { ObjectStore } from './store/store.ts'

const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const behaviours = () => ({ ...wellBehaved, startMs: 0, readyMs: 0 })

/** Who is where at the end of one and the same story in a lab of this seed. */
async function story(seed: string): Promise<readonly string[]> {
  const lab = new TestKubernetes()
  await lab.start({ seed })
  const stop = lab.run({ names: ['node-1', 'node-2', 'node-3'], behaviours, seed })
  const namespace = 'shop'
  await lab.namespace(namespace)
  const come = (name: string, replicas: number) =>
    until(
      () => lab.admin.get({ ...deployments, namespace, name }),
      (found) =>
        ['updatedReplicas', 'availableReplicas', 'replicas'].every(
          (field) => numberAt(found, `status.${field}`) === replicas,
        ) &&
        numberAt(found, 'status.observedGeneration') === numberAt(found.metadata, 'generation'),
    )
  await Promise.all(
    ['web', 'api', 'jobs'].map((name) =>
      lab.admin.create(deployments, namespace, deployment(name, 'test/x:1', 4)),
    ),
  )
  for (const name of ['web', 'api', 'jobs']) await come(name, 4)
  const ref = { ...deployments, namespace, name: 'web' }
  await lab.admin.mergePatch(ref, { spec: deployment('web', 'test/x:2', 4).spec as object })
  await come('web', 4)
  const { items } = await lab.admin.list(pods, { namespace })
  await stop()
  await lab.stop()
  assert.deepEqual(lab.errors, [])
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((pod) => `${pod.metadata.name} ${pod.metadata.uid} ${textAt(pod, 'spec.nodeName')}`)
    .sort()
}

describe('a seed', () => {
  it('names the same Pods, and puts them on the same nodes, whoever came first', async () => {
    const first = await story('7')
    assert.equal(first.length, 12)
    assert.deepEqual(await story('7'), first)
    const other = await story('8')
    assert.equal(other.filter((line) => first.includes(line)).length, 0)
  })

  it('gives no uid twice, and none for what was only tried', () => {
    const store = new ObjectStore()
    const ids = identities(store, '7')
    const make = () => {
      const uid = ids.uid('pods', 'a', 'x')
      assert.match(uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(ids.uid('pods', 'a', 'x'), uid)
      const metadata = { name: 'x', namespace: 'a', uid, creationTimestamp: '' }
      const place = { collection: 'pods', namespace: 'a', name: 'x' }
      store.put(place, { apiVersion: 'v1', kind: 'Pod', metadata })
      store.delete(place)
      return uid
    }
    assert.equal(new Set([make(), make(), make()]).size, 3)
    const again = identities(store, '7')
    assert.notEqual(
      again.uid('pods', 'a', 'x'),
      identities(new ObjectStore(), '7').uid('pods', 'a', 'x'),
    )
  })
})
