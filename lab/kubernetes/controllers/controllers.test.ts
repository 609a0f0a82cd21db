import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { deployment, TestKubernetes, until } from '../kubernetes-builder.ts'
import { type Behaviours, wellBehaved } from '../node/behaviour.ts'
import type { KubeObject } from '../objects.ts'
import { listAt, numberAt, textAt } from '../resources/columns.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const replicaSets = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
const revision = 'deployment.kubernetes.io/revision'

/** Quick, so that a test does not wait; one image crashes, one is nowhere. */
const behaviours: Behaviours = (image) => {
  if (image === 'test/nowhere') return undefined
  const quick = { ...wellBehaved, startMs: 0, readyMs: 0 }
  return image === 'test/crashes' ? { ...quick, exit: { code: 1, afterMs: 100 } } : quick
}

describe('controllers and nodes of the lab', () => {
  const lab = new TestKubernetes()
  let stop: () => Promise<void>
  before(() => lab.start())
  after(async () => {
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })
  beforeEach(() => {
    stop = lab.run({ names: ['node-1', 'node-2'], behaviours })
  })
  afterEach(() => stop())

  const podsIn = async (namespace: string) => (await lab.admin.list(pods, { namespace })).items
  const made = async (namespace: string, object: KubeObject) => {
    const answer = await lab.admin.create(deployments, namespace, object)
    assert.equal(answer.kind, 'applied', JSON.stringify(answer))
    return { ...deployments, namespace, name: object.metadata.name ?? '' }
  }

  it('bring a Deployment up by themselves, on nodes that have room', async () => {
    await lab.namespace('up')
    const ref = await made('up', deployment('web', 'test/web', 3))
    const done = await until(
      () => lab.admin.get(ref),
      (found) => numberAt(found, 'status.availableReplicas') === 3,
    )
    const reasons = listAt(done, 'status.conditions').map((one) => textAt(one, 'reason'))
    assert.ok(reasons.includes('MinimumReplicasAvailable'), reasons.join())
    const on = (await podsIn('up')).map((pod) => textAt(pod, 'spec.nodeName'))
    assert.deepEqual([...new Set(on)].sort(), ['node-1', 'node-2'])
  })

  it('move it to the next template, and back, each with its revision', async () => {
    await lab.namespace('rolls')
    const ref = await made('rolls', deployment('web', 'test/web:1', 2))
    const done = (generation: number) =>
      until(
        () => lab.admin.get(ref),
        (found) =>
          numberAt(found, 'status.observedGeneration') === generation &&
          ['replicas', 'updatedReplicas', 'availableReplicas'].every(
            (field) => numberAt(found, `status.${field}`) === 2,
          ),
      )
    const image = (tag: string) => {
      const { spec } = deployment('web', `test/web:${tag}`, 2)
      return lab.admin.mergePatch(ref, { spec })
    }
    assert.equal((await done(1)).metadata.annotations?.[revision], '1')
    await image('2')
    assert.equal((await done(2)).metadata.annotations?.[revision], '2')
    await image('1')
    assert.equal((await done(3)).metadata.annotations?.[revision], '3')
    assert.equal((await lab.admin.list(replicaSets, { namespace: 'rolls' })).items.length, 2)
  })

  it('show what does not come up as a real cluster does', async () => {
    await lab.namespace('ill')
    await made('ill', deployment('crashes', 'test/crashes', 1))
    await made('ill', deployment('nowhere', 'test/nowhere', 1))
    await made('ill', deployment('huge', 'test/web', 1, { resources: { requests: { cpu: '99' } } }))
    const key = { configMapKeyRef: { name: 'settings', key: 'url' } }
    await made(
      'ill',
      deployment('unset', 'test/web', 1, { env: [{ name: 'URL', valueFrom: key }] }),
    )
    const wordOf = (pod: KubeObject) => {
      const [container] = listAt(pod, 'status.containerStatuses')
      const [condition] = listAt(pod, 'status.conditions')
      return textAt(container, 'state.waiting.reason') || textAt(condition, 'message')
    }
    const words = await until(
      async () =>
        Object.fromEntries(
          (await podsIn('ill')).map((pod) => [pod.metadata.labels?.app ?? '', wordOf(pod)]),
        ),
      (found) =>
        found.crashes === 'CrashLoopBackOff' &&
        found.nowhere === 'ErrImagePull' &&
        found.unset === 'CreateContainerConfigError' &&
        found.huge !== undefined &&
        found.huge !== '',
    )
    assert.equal(words.huge, '0/2 nodes are available: 2 Insufficient cpu.')
  })

  it('keep as many Pods as are wanted, and none where their owner is gone', async () => {
    await lab.namespace('kept')
    const ref = await made('kept', deployment('web', 'test/web', 3))
    const count = (wanted: number) =>
      until(
        () => podsIn('kept'),
        (found) => found.length === wanted,
      )
    const [first] = await count(3)
    const { name = '', uid } = first?.metadata ?? {}
    await lab.admin.evict({ ...pods, namespace: 'kept', name })
    await until(
      () => podsIn('kept'),
      (found) => found.length === 3 && found.every(({ metadata }) => metadata.uid !== uid),
    )
    await lab.admin.mergePatch(ref, { spec: { replicas: 1 } })
    await count(1)
    await lab.admin.delete(ref)
    await count(0)
    assert.equal((await lab.admin.list(replicaSets, { namespace: 'kept' })).items.length, 0)
  })

  it('let a Pod go only where its disruption budget has one to spare', async () => {
    await lab.namespace('budgets')
    const ref = await made('budgets', deployment('web', 'test/web', 2))
    const type = { apiVersion: 'policy/v1', resource: 'poddisruptionbudgets' }
    const spec = { minAvailable: 2, selector: { matchLabels: { app: 'web' } } }
    await lab.admin.create(type, 'budgets', { metadata: { name: 'web' }, spec })
    const budget = { ...type, namespace: 'budgets', name: 'web' }
    await until(
      () => lab.admin.get(budget),
      (found) => numberAt(found, 'status.currentHealthy') === 2,
    )
    const [first] = await podsIn('budgets')
    const pod = { ...pods, namespace: 'budgets', name: first?.metadata.name ?? '' }
    const refused = await lab.admin.evict(pod)
    assert.ok(refused.kind === 'refused' && refused.status === 429)
    await lab.admin.mergePatch(ref, { spec: { replicas: 3 } })
    await until(
      () => lab.admin.evict(pod),
      (answer) => answer.kind === 'applied',
    )
  })

  it('empty a namespace that is to go, and let it', async () => {
    await lab.namespace('ends')
    await made('ends', deployment('web', 'test/web', 2))
    await until(
      () => podsIn('ends'),
      (found) => found.length === 2,
    )
    const ref = { apiVersion: 'v1', resource: 'namespaces', name: 'ends' }
    await lab.admin.delete(ref)
    await until(
      () => lab.admin.get(ref).catch(() => undefined),
      (found) => found === undefined,
    )
    assert.equal((await podsIn('ends')).length, 0)
  })

  it('give Pods that name none a service account', async () => {
    await lab.namespace('accounts')
    const account = { apiVersion: 'v1', resource: 'serviceaccounts', name: 'default' }
    await until(
      () => lab.admin.get({ ...account, namespace: 'accounts' }).catch(() => undefined),
      (found) => found !== undefined,
    )
    const pod = {
      metadata: { name: 'one' },
      spec: { containers: [{ name: 'c', image: 'test/c' }] },
    }
    const answer = await lab.admin.create(pods, 'accounts', pod)
    assert.ok(answer.kind === 'applied')
    assert.equal(textAt(answer.object, 'spec.serviceAccountName'), 'default')
  })
})
