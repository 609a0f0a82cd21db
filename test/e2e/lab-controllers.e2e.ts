import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { type LabCluster, startLabCluster } from '@jackstay/lab/lab-cluster'
import { attempt, until } from './attempt.ts'
import { images, job, template, workload } from './controller-objects.ts'
import {
  ControllerTwins,
  each,
  eventsOf,
  failed,
  of,
  serving,
  statusOf,
  succeeded,
} from './controller-twins.ts'
import { at, condition, fields, says, some } from './shown.ts'
import { realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const id = randomBytes(3).toString('hex')
const apps = '/apis/apps/v1/namespaces/{}'
const events = '/api/v1/namespaces/{}/events'
const batch = '/apis/batch/v1/namespaces/{}'
const core = '/api/v1/namespaces/{}'
const rbac = '/apis/rbac.authorization.k8s.io/v1/clusterroles'

/*
 * The same objects and steps at a real control plane and at the lab's: what controllers write has to be the
 * same, status by status. Where they differ, and why it stays so:
 * - Hashes of templates and what is drawn by lot are made differently; they are left out.
 * - Conditions come in another order.
 * - A rollout whose set was just made is `NewReplicaSetCreated` until a controller sees it grow, which either
 *   may do at once: taken for `ReplicaSetUpdated`.
 * - Pods of Jobs have no finalizer in the lab: its controller counts them before anybody takes them away.
 * - A field that is null and one that is not there are taken for the same.
 * - The lab publishes no `kube-root-ca.crt`, and measures only load that is declared: metrics are tried in its
 *   own tests.
 * - A policy that does not compile is refused by both, each compiler in its own words.
 */
describe('the lab’s controllers and the real ones', { skip: await noCluster() }, () => {
  let real: KubeClient
  let lab: LabCluster
  let directory: string
  let twins: ControllerTwins
  const errors: unknown[] = []

  before(async () => {
    real = (await realServer({ own: true })).admin
    directory = await mkdtemp(join(tmpdir(), 'jackstay-controllers-'))
    const onError = (error: unknown) => void errors.push(error)
    lab = await startLabCluster({ directory, port: 0, nodes: [], onError })
    twins = new ControllerTwins(real, lab.client, `controllers-${id}`)
    const metadata = { name: twins.namespace }
    await twins.both('POST', '/api/v1/namespaces', { metadata })
    // Pods are made only where their account is there
    await twins.agree(
      `${core}/serviceaccounts/default`,
      () => true,
      () => true,
    )
  })
  after(async () => {
    await attempt(real, 'DELETE', twins.at('/api/v1/namespaces/{}'))
    await lab.close()
    await rm(directory, { recursive: true, force: true })
    assert.deepEqual(errors, [])
  })

  it('roll a Deployment, stop at what does not come up, and go back', async () => {
    const path = `${apps}/deployments/web`
    const sets = `${apps}/replicasets`
    await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'web', 3))
    await twins.agree(path, says('status.replicas', 3))
    await twins.play(of('web'))
    await twins.agree(path, condition('Progressing', 'NewReplicaSetAvailable'))
    const image = (tag: string) => ({
      spec: { template: template('web', `registry.example/x:${tag}`) },
    })
    await twins.both('PATCH', path, image('2'))
    await twins.agree(path, says('status.updatedReplicas', 1))
    await twins.agree(sets, (shown) => Array.isArray(shown) && shown.length === 2, each(statusOf))
    await twins.both('PATCH', path, { spec: { progressDeadlineSeconds: 1 } })
    await twins.agree(path, condition('Progressing', 'ProgressDeadlineExceeded'))
    await twins.both('PATCH', path, { spec: { progressDeadlineSeconds: 600, ...image('1').spec } })
    await twins.agree(path, condition('Progressing', 'NewReplicaSetAvailable'))
    await twins.agree(
      path,
      (revision) => revision === '3',
      ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'],
    )
    await twins.both('PATCH', path, { spec: { replicas: 1 } })
    await twins.agree(path, says('status.availableReplicas', 1))
    await twins.both('PATCH', path, { spec: { replicas: 0 } })
    await twins.agree(path, says('status.replicas', undefined))
  })

  it('say why no Pods come where a quota is used up', async () => {
    const hard = { 'count/deployments.apps': '50', pods: '2' }
    const small = { metadata: { name: 'small' }, spec: { hard } }
    const path = `${apps}/deployments/many`
    await twins.both('POST', `${core}/resourcequotas`, small)
    try {
      await twins.agree(`${core}/resourcequotas/small`, says('status.used.pods', '0'))
      await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'many', 4))
      await twins.agree(path, condition('ReplicaFailure', 'FailedCreate'))
      await twins.agree(`${core}/resourcequotas/small`, says('status.used.pods', '2'))
    } finally {
      await twins.ask('DELETE', `${core}/resourcequotas/small`)
    }
    await twins.both('DELETE', path)
    await twins.agree(
      `${core}/pods?labelSelector=app=many`,
      (shown) => Array.isArray(shown) && shown.length === 0,
      each(images),
    )
  })

  it('bring StatefulSets up one by one, and update them from the highest down', async () => {
    const path = `${apps}/statefulsets/db`
    const pods = `${core}/pods?labelSelector=app=db`
    const at = (name: string) => (pod: KubeObject) => pod.metadata.name === name
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }
    await twins.both(
      'POST',
      `${apps}/statefulsets`,
      workload('StatefulSet', 'db', 2, { updateStrategy, serviceName: 'db' }),
    )
    await twins.agree(path, says('status.replicas', 1))
    await twins.play(at('db-0'))
    await twins.agree(path, says('status.replicas', 2))
    await twins.play(at('db-1'))
    await twins.agree(path, says('status.availableReplicas', 2))
    await twins.both('PATCH', path, { spec: { template: template('db', 'registry.example/x:2') } })
    await twins.agree(path, says('status.updatedReplicas', 1))
    await twins.agree(pods, (shown) => Array.isArray(shown) && shown.length === 2, each(images))
    await twins.play(at('db-1'))
    await twins.agree(path, says('status.availableReplicas', 2))
    await twins.both('PATCH', path, {
      spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
    })
    await twins.agree(
      pods,
      (shown) => JSON.stringify(shown).split('x:2').length === 3,
      each(images),
    )
    await twins.play(at('db-0'))
    await twins.agree(
      path,
      (shown) =>
        says('status.currentReplicas', 2)(shown) && says('status.availableReplicas', 2)(shown),
    )
    await twins.agree(
      `${apps}/controllerrevisions`,
      (shown) => Array.isArray(shown) && shown.length === 2,
      each(({ revision }) => revision),
    )
    await twins.both('PATCH', path, { spec: { replicas: 1 } })
    await twins.agree(path, says('status.replicas', 1))
    await twins.agree(events, some, eventsOf('StatefulSet', 'db'))
  })

  it('run Jobs to their end, suspended or not', async () => {
    const path = (name: string) => `${batch}/jobs/${name}`
    await twins.both('POST', `${batch}/jobs`, job('done', { completions: 2, parallelism: 2 }))
    await twins.agree(path('done'), says('status.active', 2))
    await twins.play(of('done'))
    await twins.agree(path('done'), says('status.ready', 2))
    await twins.play(of('done'), succeeded)
    await twins.agree(path('done'), condition('Complete', 'CompletionsReached'))
    await twins.agree(
      path('done'),
      () => true,
      ({ spec }) => spec,
    )
    await twins.both('POST', `${batch}/jobs`, job('fails', { backoffLimit: 0 }))
    await twins.agree(path('fails'), says('status.active', 1))
    await twins.play(of('fails'), failed)
    await twins.agree(path('fails'), condition('Failed', 'BackoffLimitExceeded'))
    await twins.both('POST', `${batch}/jobs`, job('waits', { suspend: true }))
    await twins.agree(path('waits'), condition('Suspended', 'JobSuspended'))
    await twins.both('PATCH', path('waits'), { spec: { suspend: false } })
    await twins.agree(path('waits'), says('status.active', 1))
    await twins.play(of('waits'), succeeded)
    await twins.agree(path('waits'), condition('Complete', 'CompletionsReached'))
    const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 }
    await twins.both('POST', `${batch}/jobs`, job('parts', indexed))
    await twins.agree(path('parts'), says('status.active', 3))
    await twins.play(of('parts'), succeeded)
    await twins.agree(path('parts'), says('status.completedIndexes', '0-2'))
    await twins.both('POST', `${batch}/jobs`, job('late', { activeDeadlineSeconds: 1 }))
    await twins.agree(path('late'), condition('Failed', 'DeadlineExceeded'))
    for (const name of ['done', 'fails', 'late']) {
      await twins.agree(events, some, eventsOf('Job', name))
    }
  })

  it('start what a CronJob missed, and count what came of it', async () => {
    const path = `${batch}/cronjobs/nightly`
    const jobTemplate = {
      spec: { template: template('nightly', undefined, { restartPolicy: 'Never' }) },
    }
    const metadata = { name: 'nightly' }
    const spec = { schedule: '0 3 1 1 *', jobTemplate, suspend: true }
    await twins.both('POST', `${batch}/cronjobs`, { metadata, spec })
    await twins.agree(
      path,
      () => true,
      ({ spec: shown }) => shown,
    )
    const lastScheduleTime = '2025-12-31T00:00:00Z'
    await twins.both('PATCH', `${path}/status`, { status: { lastScheduleTime } })
    await twins.both('PATCH', path, { spec: { suspend: false } })
    await twins.agree(
      `${batch}/jobs?labelSelector=app!=x`,
      (shown) => JSON.stringify(shown).includes('nightly-'),
      each(jobOf),
    )
    await twins.agree(path, (shown) => Array.isArray(at(shown, 'status.active')))
    await twins.both('PATCH', path, { spec: { suspend: true } })
    await twins.play(of('nightly'), succeeded)
    await twins.agree(path, (shown) => at(shown, 'status.lastSuccessfulTime') !== undefined)
  })

  const jobOf = ({ metadata }: KubeObject) => ({
    name: metadata.name,
    annotations: metadata.annotations,
    owners: metadata.ownerReferences,
  })

  it('keep workloads within the bounds of their autoscalers', async () => {
    const path = '/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers'
    const scaler = (name: string, minReplicas: number, maxReplicas: number) => ({
      metadata: { name },
      spec: {
        minReplicas,
        maxReplicas,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      },
    })
    await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'busy', 5))
    await twins.both('POST', path, scaler('busy', 1, 3))
    await twins.agree(`${apps}/deployments/busy`, says('status.replicas', 3))
    await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'off', 0))
    await twins.both('POST', path, scaler('off', 1, 3))
    await twins.agree(`${path}/off`, condition('ScalingActive', 'ScalingDisabled'))
    await twins.both('POST', path, scaler('nobody', 1, 3))
    await twins.agree(`${path}/nobody`, condition('AbleToScale', 'FailedGetScale'))
  })

  it('say where the Pods of a Service are, and how many may go', async () => {
    const node = `served-${id}`
    const pods = of('served')
    const shown = each(({ addressType, endpoints, metadata, ports }) => ({
      ...{ addressType, endpoints, ports, labels: metadata.labels },
    }))
    await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'served', 2))
    const ports = [{ port: 80, targetPort: 8080 }]
    const service = { metadata: { name: 'served' }, spec: { selector: { app: 'served' }, ports } }
    await twins.both('POST', `${core}/services`, service)
    const discovery = '/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices'
    const slices = `${discovery}?labelSelector=kubernetes.io/service-name=served`
    await twins.agree(slices, (all) => Array.isArray(all) && all.length === 1, shown)
    await twins.agree(`${apps}/deployments/served`, says('status.replicas', 2))
    // nobody else's Pods come here, and it is alive as long as somebody says so
    const taints = [{ key: `example.org/${id}`, effect: 'NoSchedule' }]
    await twins.both('POST', '/api/v1/nodes', { metadata: { name: node }, spec: { taints } })
    const alive = async () => {
      const now = new Date().toISOString().replace(/\.\d+/, '')
      const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: now }]
      await twins.both('PATCH', `/api/v1/nodes/${node}/status`, { status: { conditions } })
    }
    try {
      await alive()
      await twins.bind(pods, node)
      await twins.play(pods, { ...serving, podIP: '10.9.9.9', podIPs: [{ ip: '10.9.9.9' }] })
      const ready = (all: unknown) => JSON.stringify(all).split('"ready":true').length === 3
      await twins.agree(slices, ready, shown, alive)
      const budgets = '/apis/policy/v1/namespaces/{}/poddisruptionbudgets'
      const selector = { matchLabels: { app: 'served' } }
      const budget = { metadata: { name: 'served' }, spec: { minAvailable: 1, selector } }
      await twins.both('POST', budgets, budget)
      await twins.agree(`${budgets}/served`, says('status.disruptionsAllowed', 1), statusOf, alive)
    } finally {
      await twins.both('DELETE', `${apps}/deployments/served`)
      await twins.ask('DELETE', `/api/v1/nodes/${node}`)
    }
    await twins.both('PATCH', `${core}/services/served`, { spec: { selector: { app: 'sevred' } } })
    await twins.agree(slices, (all) => !JSON.stringify(all).includes('addresses'), shown)
  })

  it('take nodes out that are closed, and put roles together', async () => {
    const name = `closed-${id}`
    // nobody else's Pods come here
    const own = { key: `example.org/${id}`, effect: 'NoSchedule' }
    const node = { metadata: { name }, spec: { unschedulable: true, taints: [own] } }
    const path = `/api/v1/nodes/${name}`
    const cordon = (shown: unknown) =>
      JSON.stringify(shown).includes('node.kubernetes.io/unschedulable')
    const taints = ({ spec }: KubeObject) => (isRecord(spec) ? spec.taints : undefined)
    const sorted = (object: KubeObject) => {
      const all = taints(object)
      return Array.isArray(all) ? all.map((one) => `${one.key}:${one.effect}`).sort() : all
    }
    await twins.both('POST', '/api/v1/nodes', node)
    try {
      await twins.both('PATCH', `${path}/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      })
      await twins.agree(path, cordon, sorted)
      await twins.both('PATCH', path, { spec: { unschedulable: null } })
      await twins.agree(path, (shown) => !cordon(shown), sorted)
    } finally {
      await twins.ask('DELETE', path)
    }
    const label = `example.org/${id}`
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
    const selectors = [{ matchLabels: { [label]: 'yes' } }]
    const whole = {
      metadata: { name: `whole-${id}` },
      aggregationRule: { clusterRoleSelectors: selectors },
    }
    const part = { metadata: { name: `part-${id}`, labels: { [label]: 'yes' } }, rules }
    try {
      for (const role of [whole, part]) await twins.both('POST', rbac, role)
      await twins.agree(
        `${rbac}/whole-${id}`,
        (shown) => JSON.stringify(shown).includes('pods'),
        ({ rules: all }) => all,
      )
    } finally {
      for (const one of ['whole', 'part']) await twins.ask('DELETE', `${rbac}/${one}-${id}`)
    }
  })

  it('refuse a policy that does not compile', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
    const policy = (expression: string) => ({
      metadata: { name: `broken-${id}` },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        validations: [{ expression }],
      },
    })
    for (const expression of ['object.spec >', 'obect.spec == 1']) {
      const answers = await twins.ask('POST', path, policy(expression))
      const [theirs, ours] = answers.map(({ status, body }) => ({ status, causes: fields(body) }))
      assert.deepEqual(ours, theirs, expression)
      assert.equal(theirs?.status, 422)
    }
  })

  it('let a Deployment go after what it owns, where that is asked for', async () => {
    await twins.both('POST', `${apps}/deployments`, workload('Deployment', 'last', 2))
    await twins.agree(`${apps}/deployments/last`, says('status.replicas', 2))
    await twins.both('DELETE', `${apps}/deployments/last?propagationPolicy=Foreground`)
    await twins.agree(
      `${core}/pods?labelSelector=app=last`,
      (shown) => Array.isArray(shown) && shown.length === 0,
      each(images),
    )
    await gone(`${apps}/deployments/last`)
  })

  async function gone(path: string): Promise<void> {
    await until(`\`${path}\` is gone`, async () => {
      const answers = await twins.ask('GET', path)
      return answers.every(({ status }) => status === 404)
    })
  }
})
