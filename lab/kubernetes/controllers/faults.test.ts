import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deployment, TestKubernetes, until } from '../kubernetes-builder.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, numberAt, textAt } from '../resources/columns.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }
const services = { apiVersion: 'v1', kind: 'Service', resource: 'services' }
const slices = { apiVersion: 'discovery.k8s.io/v1', resource: 'endpointslices' }
const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const quotas = { apiVersion: 'v1', kind: 'ResourceQuota', resource: 'resourcequotas' }
const scalers = { apiVersion: 'autoscaling/v2', resource: 'horizontalpodautoscalers' }

const images = `
shop/web:1: {serves: [{port: 8080, path: /healthz}], load: 3}
shop/web:2: {exit: {code: 1, afterMs: 500}}
shop/web:3: {memory: 300Mi}
shop/web:4: {readyMs: never}
`

/** What each incident rests on: declared, or brought about by the objects alone. */
describe('faults in the lab', () => {
  const lab = new TestKubernetes()
  let stop: () => Promise<void>
  before(async () => {
    await lab.start({ seed: '1' })
    await lab.namespace('jackstay-lab')
    const metadata = { name: 'images' }
    await lab.admin.create(configMaps, 'jackstay-lab', { metadata, data: { shop: images } })
    stop = lab.run({ names: ['node-1', 'node-2'], speed: 50, seed: '1' })
  })
  after(async () => {
    await stop()
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })

  let count = 0
  /** A namespace with a healthy Deployment of two. */
  async function shop(container: object = {}) {
    const namespace = `shop-${++count}`
    await lab.namespace(namespace)
    const object = deployment('web', 'shop/web:1', 2, container)
    await lab.admin.create(deployments, namespace, object)
    const ref = { ...deployments, namespace, name: 'web' }
    await until(
      () => lab.admin.get(ref),
      (found) => numberAt(found, 'status.availableReplicas') === 2,
    )
    const template = (change: object) =>
      lab.admin.mergePatch(ref, {
        spec: { template: { spec: { containers: [{ ...containerOf(object), ...change }] } } },
      })
    return {
      namespace,
      ref,
      template,
      pods: async () => (await lab.admin.list(pods, { namespace })).items,
    }
  }

  const containerOf = (object: KubeObject) =>
    listAt(object, 'spec.template.spec.containers')[0] as object

  /** What the container of some Pod comes to say. */
  async function word(world: Awaited<ReturnType<typeof shop>>, path: string, wanted: string) {
    await until(world.pods, (all) =>
      all.some((pod) => textAt(listAt(pod, 'status.containerStatuses')[0], path) === wanted),
    )
  }

  it('a new revision crashes, has no image, or outgrows its limit', async () => {
    const world = await shop()
    await world.template({ image: 'shop/web:2' })
    await word(world, 'state.waiting.reason', 'CrashLoopBackOff')
    await world.template({ image: 'shop/web:9' })
    await word(world, 'state.waiting.reason', 'ImagePullBackOff')
    await world.template({ image: 'shop/web:3', resources: { limits: { memory: '128Mi' } } })
    await word(world, 'lastState.terminated.reason', 'OOMKilled')
    await world.template({ image: 'shop/web:3', resources: { limits: { memory: '512Mi' } } })
    await until(
      () => lab.admin.get(world.ref),
      (found) =>
        numberAt(found, 'status.updatedReplicas') === 2 &&
        numberAt(found, 'status.availableReplicas') === 2,
    )
  })

  it('a probe asks where nothing answers; the rollout stands still until its deadline', async () => {
    const world = await shop()
    const probe = (path: string) => ({ readinessProbe: { httpGet: { port: 8080, path } } })
    await lab.admin.mergePatch(world.ref, { spec: { progressDeadlineSeconds: 30 } })
    await world.template(probe('/health'))
    const stuck = await until(
      () => lab.admin.get(world.ref),
      (found) => textAt(conditionOf(found, 'Progressing'), 'reason') === 'ProgressDeadlineExceeded',
    )
    assert.equal(numberAt(stuck, 'status.availableReplicas'), 2)
    await world.template(probe('/healthz'))
    await until(
      () => lab.admin.get(world.ref),
      (found) => textAt(conditionOf(found, 'Progressing'), 'reason') === 'NewReplicaSetAvailable',
    )
  })

  it('a quota is used up: Pods are refused, and come when there is room again', async () => {
    const world = await shop()
    const { namespace } = world
    const quota = { metadata: { name: 'most' }, spec: { hard: { pods: '3' } } }
    await lab.admin.create(quotas, namespace, quota)
    await until(
      () => lab.admin.get({ ...quotas, namespace, name: 'most' }),
      (found) =>
        at(found, 'status.used')?.toString() !== undefined &&
        textAt(found, 'status.used.pods') === '2',
    )
    await lab.admin.mergePatch(world.ref, { spec: { replicas: 5 } })
    const refused = await until(
      () => lab.admin.get(world.ref),
      (found) => conditionOf(found, 'ReplicaFailure') !== undefined,
    )
    assert.match(
      textAt(conditionOf(refused, 'ReplicaFailure'), 'message'),
      /^pods "web-\w+-\w+" is forbidden: exceeded quota: most, requested: pods=1, used: pods=3, limited: pods=3$/,
    )
    assert.equal((await world.pods()).length, 3)
    await lab.admin.mergePatch(
      { ...quotas, namespace, name: 'most' },
      { spec: { hard: { pods: '9' } } },
    )
    await until(
      () => lab.admin.get(world.ref),
      (found) =>
        numberAt(found, 'status.availableReplicas') === 5 &&
        conditionOf(found, 'ReplicaFailure') === undefined,
    )
    assert.equal(
      textAt(await lab.admin.get({ ...quotas, namespace, name: 'most' }), 'status.used.pods'),
      '5',
    )
  })

  it('a Service that selects nothing has no endpoints', async () => {
    const { namespace } = await shop()
    const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }
    await lab.admin.create(services, namespace, { metadata: { name: 'web' }, spec })
    const endpoints = (wanted: number) =>
      until(
        async () => (await lab.admin.list(slices, { namespace })).items,
        ([slice]) =>
          slice !== undefined &&
          listAt(slice, 'endpoints').filter((one) => at(one, 'conditions.ready') === true)
            .length === wanted,
      )
    await endpoints(2)
    const ref = { ...services, namespace, name: 'web' }
    await lab.admin.mergePatch(ref, { spec: { selector: { app: 'wbe' } } })
    await endpoints(0)
    await lab.admin.mergePatch(ref, { spec: { selector: { app: 'web' } } })
    await endpoints(2)
    await lab.admin.delete(ref)
    await until(
      async () => (await lab.admin.list(slices, { namespace })).items.length,
      (left) => left === 0,
    )
  })

  it('more load than the autoscaler may meet', async () => {
    const world = await shop({ resources: { requests: { cpu: '500m' } } })
    const { namespace } = world
    const target = { type: 'Utilization', averageUtilization: 80 }
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      ...{ minReplicas: 2, maxReplicas: 4 },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    }
    await lab.admin.create(scalers, namespace, { metadata: { name: 'web' }, spec })
    const ref = { ...scalers, namespace, name: 'web' }
    const saturated = await until(
      () => lab.admin.get(ref),
      (found) =>
        textAt(conditionOf(found, 'ScalingLimited'), 'reason') === 'TooManyReplicas' &&
        numberAt(found, 'status.currentReplicas') === 4 &&
        numberAt(
          listAt(found, 'status.currentMetrics')[0],
          'resource.current.averageUtilization',
        ) === 150,
    )
    assert.equal(textAt(conditionOf(saturated, 'ScalingActive'), 'reason'), 'ValidMetricFound')
    await lab.admin.mergePatch(ref, { spec: { maxReplicas: 10 } })
    const met = await until(
      () => lab.admin.get(ref),
      (found) => numberAt(found, 'status.currentReplicas') === 8,
    )
    assert.equal(numberAt(met, 'status.desiredReplicas'), 8)
  })

  it('a node is closed, or lost: its Pods are let go and come elsewhere', async () => {
    const world = await shop()
    const on = (all: readonly KubeObject[], name: string) =>
      all.filter((pod) => textAt(pod, 'spec.nodeName') === name)
    const ref = { ...nodes, name: 'node-1' }
    await lab.admin.mergePatch(ref, { spec: { unschedulable: true } })
    const closed = await until(
      () => lab.admin.get(ref),
      (found) => listAt(found, 'spec.taints').length === 1,
    )
    assert.equal(
      textAt(listAt(closed, 'spec.taints')[0], 'key'),
      'node.kubernetes.io/unschedulable',
    )
    await lab.admin.mergePatch(ref, { spec: { unschedulable: null } })
    await until(
      () => lab.admin.get(ref),
      (found) => listAt(found, 'spec.taints').length === 0,
    )
    const conditions = (status: string) => [{ type: 'Ready', status, reason: 'KubeletStopped' }]
    await lab.admin.mergePatch(
      ref,
      { status: { conditions: conditions('False') } },
      { subresource: 'status' },
    )
    await until(
      world.pods,
      (all) => on(all, 'node-1').length === 0 && on(all, 'node-2').length === 2,
    )
    await lab.admin.mergePatch(
      ref,
      { status: { conditions: conditions('True') } },
      { subresource: 'status' },
    )
    await until(
      () => lab.admin.get(ref),
      (found) => listAt(found, 'spec.taints').length === 0,
    )
  })
})
