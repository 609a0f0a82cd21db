import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type FactReader,
  isRefusal,
  type Observed,
  type TargetKind,
} from '@jackstay/actions/action'
import { catalogue } from '@jackstay/actions/catalogue'
import { at } from '@jackstay/contract/field-changes'
import { isMap } from '@jackstay/contract/json'
import type { ObjectRef, Plan, PlannedWrite } from '@jackstay/contract/plan'
import { deployment, TestKubernetes, until } from './kubernetes-builder.ts'
import type { Behaviours } from './node/behaviour.ts'
import { wellBehaved } from './node/behaviour.ts'
import type { KubeObject } from './objects.ts'
import { conditionOf, listAt, numberAt, textAt } from './resources/columns.ts'

const apps = { apiVersion: 'apps/v1' }
const deployments = { ...apps, kind: 'Deployment', resource: 'deployments' }
const statefulSets = { ...apps, kind: 'StatefulSet', resource: 'statefulsets' }
const jobs = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' }
const cronJobs = { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' }
const scalers = {
  ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  resource: 'horizontalpodautoscalers',
}
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
const namespace = 'shop'
const governed = { 'jackstay.dev/governed': 'true' }

const behaviours: Behaviours = (image) => {
  const quick = { ...wellBehaved, startMs: 500, readyMs: 500 }
  return image === 'task:1' ? { ...quick, exit: { code: 0, afterMs: 500 } } : quick
}

/** Every action of the catalogue plans, is executed and verified on the lab. */
describe('the catalogue on the lab', () => {
  const lab = new TestKubernetes()
  let stop: () => Promise<void>
  before(async () => {
    await lab.start({ seed: '1' })
    stop = lab.run({ names: ['node-1', 'node-2'], behaviours, speed: 20, seed: '1' })
    await lab.admin.create({ apiVersion: 'v1', resource: 'namespaces' }, undefined, {
      metadata: { name: namespace, labels: governed },
    })
  })
  after(async () => {
    await stop()
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })

  // as JSON it is
  const observed = (object: KubeObject) => object as unknown as Observed
  const read: FactReader = {
    get: (kind, within, name) =>
      lab.admin
        .get({ ...kind, ...(within !== '' && { namespace: within }), name })
        .then(observed, () => undefined),
    list: async (kind, within, labelSelector) => {
      const options = { namespace: within, ...(labelSelector && { labelSelector }) }
      return (await lab.admin.list(kind, options)).items.map(observed)
    },
    listEverywhere: async (kind, fieldSelector) =>
      (await lab.admin.list(kind, { fieldSelector })).items.map(observed),
  }

  async function create(type: TargetKind, object: KubeObject): Promise<ObjectRef> {
    const made = await lab.admin.create(type, namespace, object)
    assert.ok(made.kind === 'applied', JSON.stringify(made))
    return refOf(type, made.object)
  }

  function refOf({ apiVersion, kind, resource }: TargetKind, { metadata }: KubeObject): ObjectRef {
    const { name = '', uid = '' } = metadata
    return { apiVersion, kind, resource, name, uid, ...(metadata.namespace && { namespace }) }
  }

  async function serves(type: TargetKind, name: string, replicas: number): Promise<void> {
    await until(
      () => lab.admin.get({ ...type, namespace, name }),
      (found) =>
        numberAt(found, 'status.availableReplicas') === replicas &&
        numberAt(found, 'status.observedGeneration') === found.metadata.generation,
    )
  }

  /** Plans, writes what is planned, and waits until the action's own test holds. */
  async function done(name: string, target: ObjectRef, params: object = {}): Promise<void> {
    const action = catalogue.find((one) => one.name === name)
    assert.ok(action, name)
    const { apiVersion, kind } = target
    const given = { apiVersion, kind, namespace: target.namespace ?? '', name: target.name }
    const request = { intent: '0190b6a0-0000-7000-8000-000000000000', signedAt: 1_767_268_800 }
    const planned = await action.prepare(given, params, read, request)
    assert.ok(!isRefusal(planned), JSON.stringify(planned))
    const writes: PlannedWrite[] = []
    // what else the line adds is none of the success test's business
    const plan = { ...planned, writes } as unknown as Plan
    for (const write of planned.writes) writes.push(await written(write))
    assert.equal(await action.unplanned?.(plan, read), undefined)
    const progress = async () =>
      action.watch === undefined
        ? action.progress(plan, await read.get(target, target.namespace ?? '', target.name))
        : action.watch(plan, read)
    const end = await until(progress, ({ state }) => state !== 'pending')
    assert.equal(end.state, 'holds', `${name}: ${end.message}`)
    seen.add(name)
  }
  const seen = new Set<string>()

  async function written(write: PlannedWrite): Promise<PlannedWrite> {
    const { namespace: within, ...named } = write.object
    const ref = { ...named, ...(within !== undefined && { namespace: within }) }
    if (write.verb !== 'patch') {
      const answer =
        write.verb === 'evict'
          ? await lab.admin.evict(ref)
          : await lab.admin.create(ref, within, write.body)
      assert.equal(answer.kind, 'applied', JSON.stringify(answer))
      return write
    }
    assert.ok(isMap(write.body))
    const answer = await lab.admin.mergePatch(ref, write.body)
    assert.ok(answer.kind === 'applied', JSON.stringify(answer))
    const { object } = answer
    // as the line learns from the dry-run: a field that is false is not there
    const after = write.after.map((one) => {
      const value = at(observed(object), one.path)
      return { ...one, value: value === undefined ? ('absent' as const) : { is: value } }
    })
    return { ...write, after }
  }

  it('changes Deployments and StatefulSets, and goes back', async () => {
    const web = await create(deployments, deployment('web', 'web:1', 2))
    const labels = { app: 'db' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'db:1' }] } }
    const spec = { replicas: 2, serviceName: 'db', selector: { matchLabels: labels }, template }
    const db = await create(statefulSets, { metadata: { name: 'db' }, spec })
    await serves(deployments, 'web', 2)
    await serves(statefulSets, 'db', 2)
    for (const target of [web, db]) {
      await done('workload.scale', target, { replicas: 3 })
      await done('workload.restart', target)
      await done('workload.setImage', target, { container: 'c', image: 'web:2' })
      const limits = { container: 'c', limits: { memory: '128Mi' } }
      await done('workload.setResources', target, limits)
    }
    await done('workload.rollback', web)
    await done('workload.pause', web)
    await done('workload.resume', web)
  })

  it('sets bounds, suspends, and tries again', async () => {
    const busy = deployment('busy', 'busy:1', 2, { resources: { requests: { cpu: '100m' } } })
    await create(deployments, busy)
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'busy' }
    const bounds = { minReplicas: 1, maxReplicas: 3, scaleTargetRef }
    const scaler = await create(scalers, { metadata: { name: 'busy' }, spec: bounds })
    await serves(deployments, 'busy', 2)
    await done('hpa.setBounds', scaler, { minReplicas: 3, maxReplicas: 5 })
    const containers = [{ name: 'c', image: 'task:1' }]
    const task = { template: { spec: { restartPolicy: 'Never', containers } } }
    const cron = { schedule: '0 3 1 1 *', jobTemplate: { spec: task } }
    const nightly = await create(cronJobs, { metadata: { name: 'nightly' }, spec: cron })
    await done('cronjob.suspend', nightly)
    await done('cronjob.resume', nightly)
    const hasty = { ...task, activeDeadlineSeconds: 1, backoffLimit: 0 }
    const report = await create(jobs, { metadata: { name: 'report' }, spec: hasty })
    await until(
      () => lab.admin.get({ ...jobs, namespace, name: 'report' }),
      (found) => textAt(conditionOf(found, 'Failed'), 'status') === 'True',
    )
    // what made it fail is mended meanwhile
    await lab.admin.mergePatch(
      { ...jobs, namespace, name: 'report' },
      { spec: { activeDeadlineSeconds: 600 } },
    )
    await done('job.retry', report)
  })

  it('evicts, cordons and drains', async () => {
    const on = async (node: string) =>
      (await lab.admin.list(pods, { namespace })).items.filter(
        (pod) => textAt(pod, 'spec.nodeName') === node && textAt(pod, 'status.phase') === 'Running',
      )
    const [first] = await on('node-1')
    assert.ok(first)
    await done('pod.evict', refOf(pods, first))
    const node = { ...nodes, name: 'node-1' }
    await lab.admin.mergePatch(node, { metadata: { labels: governed } })
    const ref = refOf(nodes, await lab.admin.get(node))
    await done('node.cordon', ref)
    await until(
      () => lab.admin.get(node),
      (found) => listAt(found, 'spec.taints').length === 1,
    )
    await done('node.uncordon', ref)
    await done('node.drain', ref)
    assert.equal((await on('node-1')).length, 0)
  })

  it('all of it', () => {
    assert.deepEqual(
      catalogue.map(({ name }) => name).filter((name) => !seen.has(name)),
      [],
    )
  })
})
