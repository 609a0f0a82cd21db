import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type MadeField, unfit } from '@jackstay/actions/made-field'
import { keptSeconds, madeJob, servesNothing } from '@jackstay/actions/made-job'
import type { Json } from '@jackstay/contract/json'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import { type Answer, attempt, passed, refused, refusedBy, until } from './attempt.ts'
import { type Governed, governed, type Manifest, read } from './governed.ts'
import { jobOf, retrier } from './made-attacks.ts'
import { clusterPath, suspensionOf, zeroUid } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

const made = 'jackstay-executors-made'
const marks = 'jackstay-made-jobs-marked'
const fields = 'jackstay-executor-fields-job-retry-jobs'
const labelled = 'jackstay-suspended-by-kind-labelled'

describe('Jobs that executors make, with every program of Jackstay dead', {
  skip: await noCluster(),
}, () => {
  let w: World
  let g: Governed
  let jobs = ''
  const lifts: (() => Promise<void>)[] = []
  before(async () => {
    w = await world()
    g = await governed(w)
    jobs = `/apis/batch/v1/namespaces/${g.target}/jobs`
  })
  after(async () => {
    for (const lift of lifts) await lift()
  })

  const make = (job: Manifest, as = retrier(w, g), dryRun = true) =>
    attempt(as, 'POST', jobs, job, { dryRun })
  const makes = (spec: object, container: object = {}) => make(jobOf(g, spec, container))
  const present = async (
    job: Manifest & { metadata: Manifest & { name: string } },
    as: KubeClient,
  ) => {
    passed(await make(job, as, false))
    return `${jobs}/${job.metadata.name}`
  }
  /** The executor's own undo, or whatever else `body` says. */
  const takeBack = (path: string, body: Manifest = {}, as = retrier(w, g, 'undo'), dryRun = true) =>
    boundTo(path, (bound) => {
      const metadata = { ...bound, ...Object(body.metadata) }
      const patch = { spec: { suspend: true }, ...body, metadata }
      return attempt(as, 'PATCH', path, patch, { dryRun })
    })
  const boundTo = async (path: string, send: (bound: Manifest) => Promise<Answer>) => {
    // the job controller may come between reading and writing
    for (let left = 20; ; left--) {
      const { uid, resourceVersion } = (await read(w.admin, path)).metadata
      const answer = await send({ uid, resourceVersion })
      if (answer.status !== 409 || left === 0) return answer
    }
  }
  const suspend = async (spec: Manifest) => {
    const one = suspensionOf(spec)
    const path = `${clusterPath('suspensions')}/${one.metadata.name}`
    passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
    const lift = async () => passed(await attempt(w.admin, 'DELETE', path))
    lifts.push(lift)
    return async () => {
      lifts.splice(lifts.indexOf(lift), 1)
      await lift()
    }
  }
  const stops = async (what: string, write: () => Promise<Answer>) => {
    await until(`a Suspension stops ${what}`, async () => (await write()).status >= 400)
    refusedBy(labelled, await write())
  }

  /** Made by a person, with whatever labels they like. */
  const theirs = (name: string, labels: Record<string, string> = {}) => {
    const job = jobOf(g)
    return present({ ...job, metadata: { name, namespace: g.target, labels } }, w.admin)
  }

  describe('are all that an executor takes back (T43)', () => {
    it('by suspending them, and in no other way', async () => {
      const path = await present(jobOf(g), retrier(w, g))
      passed(await takeBack(path))
      const notUndone = await takeBack(path, {}, retrier(w, g))
      refusedBy('jackstay-executor-writes', notUndone)
      const others: Manifest[] = [
        { spec: { suspend: false } },
        { spec: { suspend: true, parallelism: 2 } },
        { metadata: { labels: { 'jackstay.dev/governed': null } } },
        { metadata: { finalizers: ['example.org/stuck'] } },
      ]
      for (const body of others) {
        const either = new RegExp(`'(${fields}|${marks})'`)
        refused(await takeBack(path, body), 403, either)
      }
    })

    it('which ends their Pods, and is the same for one that has failed', async () => {
      const nowhere = { nodeSelector: { 'example.org/none': 'yes' } }
      const job = jobOf(g, nowhere)
      const spec = { ...job.spec, suspend: false, backoffLimit: 0 }
      const running = await present({ ...job, spec }, retrier(w, g))
      const failing = { ...jobOf(g, nowhere), spec: { ...spec, activeDeadlineSeconds: 1 } }
      const failed = await present(failing, retrier(w, g))
      const pods = async () => {
        const selector = `batch.kubernetes.io/job-name=${job.metadata.name}`
        const query = `labelSelector=${encodeURIComponent(selector)}`
        const path = `/api/v1/namespaces/${g.target}/pods?${query}`
        const { body } = await attempt(w.admin, 'GET', path)
        return isRecord(body) && Array.isArray(body.items) ? body.items.length : -1
      }
      await until('the Job has a Pod', async () => (await pods()) === 1, 60_000)
      const undo = (path: string) => takeBack(path, {}, undefined, false)
      passed(await undo(running))
      await until('its Pod is gone', async () => (await pods()) === 0, 60_000)
      const hasFailed = async () => {
        const { status } = await read(w.admin, failed)
        return JSON.stringify(status ?? {}).includes('"Failed"')
      }
      await until('the other one has failed', hasFailed, 60_000)
      passed(await undo(failed))
    })

    it('never another intent’s, and never anybody else’s', async () => {
      const path = await present(jobOf(g), retrier(w, g))
      const intent = { 'jackstay.dev/intent': ['0190b6a0-0000-7000-8000-000000000001'] }
      const other = { ...g, extra: { ...g.extra, ...intent } }
      refusedBy(fields, await takeBack(path, {}, retrier(w, other, 'undo')))
      for (const labels of [{}, { 'jackstay.dev/governed': 'true' }]) {
        const name = `theirs-${Object.keys(labels).length}`
        refusedBy(fields, await takeBack(await theirs(name, labels)))
      }
    })

    it('while nothing is deleted, whatever the executor is bound to', async () => {
      const path = await present(jobOf(g), retrier(w, g))
      for (const at of [path, await theirs('kept')]) {
        const remove = (preconditions: Manifest) => {
          const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
          return attempt(retrier(w, g, 'undo'), 'DELETE', at, options)
        }
        refusedBy('jackstay-executor-writes', await boundTo(at, remove))
      }
    })
  })

  describe('are told from all others by a mark', () => {
    const intent = 'jackstay.dev/intent'

    it('that nobody else gives, moves or takes away', async () => {
      refusedBy(marks, await make(jobOf(g), w.admin))
      const path = await theirs('unmarked')
      const label = (at: string, value: string | null) =>
        attempt(w.admin, 'PATCH', at, { metadata: { labels: { [intent]: value } } })
      refusedBy(marks, await label(path, 'mine'))
      const ours = await present(jobOf(g), retrier(w, g))
      for (const value of [null, 'mine']) refusedBy(marks, await label(ours, value))
      passed(await attempt(w.admin, 'PATCH', ours, { spec: { suspend: true } }))
      passed(await attempt(w.admin, 'DELETE', ours))
    })

    it('and executors make none without it, or named after something else', async () => {
      const { metadata, ...job } = jobOf(g)
      const { labels } = metadata
      const bad: Manifest[] = [
        { ...metadata, labels: { ...labels, [intent]: undefined } },
        { ...metadata, labels: { ...labels, 'jackstay.dev/retries': undefined } },
        { ...metadata, labels: { ...labels, 'jackstay.dev/retries': 'repo' } },
        { ...metadata, name: 'report' },
        { ...metadata, name: 'another-retry-1' },
      ]
      for (const one of bad) refusedBy(made, await make({ ...job, metadata: one }))
      const mine = { ...metadata, labels: { ...labels, [intent]: 'mine' } }
      refused(await make({ ...job, metadata: mine }), 403, new RegExp(`'(${made}|${marks})'`))
      const long = 'a.very-long-name-of-a-cron-job-of-somebody-29384756'
      const names: [string, string][] = [
        ['report-retry-1', 'report-retry-2'],
        [long, 'a-very-long-name-of-a-cron-job-of-somebo-retry-1'],
      ]
      for (const [of, name] of names) {
        const its = { ...metadata, name, labels: { ...labels, 'jackstay.dev/retries': of } }
        passed(await make({ ...job, metadata: its }))
      }
    })
  })

  describe('are stopped by Suspensions (T73, invariant 8)', () => {
    it('of the class, making and taking back', async () => {
      const path = await present(jobOf(g), retrier(w, g))
      const lift = await suspend({ class: g.class })
      await stops('the making', () => makes({}))
      await stops('the taking back', () => takeBack(path))
      await lift()
    })

    it('of the Job that they repeat, and of what that one repeated', async () => {
      const path = await present(jobOf(g), retrier(w, g))
      const { metadata, ...job } = jobOf(g)
      const again = 'report-retry-1'
      const labels = { ...metadata.labels, 'jackstay.dev/retries': again }
      const retried = { ...job, metadata: { ...metadata, labels } }
      const target = { namespace: g.target, kind: 'Job', name: 'report' }
      const lift = await suspend({ target })
      await stops('the making', () => makes({}))
      await stops('the making from a retry', () => make(retried))
      await stops('the taking back', () => takeBack(path))
      await lift()
      const liftRetry = await suspend({ target: { ...target, name: again } })
      await stops('the making from it', () => make(retried))
      passed(await makes({}))
      await liftRetry()
      const liftOther = await suspend({ target: { ...target, name: 'repo' } })
      passed(await makes({}))
      await liftOther()
    })
  })

  describe('are held to a list of what they may have (T36, T37, T39, T40)', () => {
    /** Where the spec has what no made Job may, by the action itself, and the API server's answer. */
    const tried = async ({ spec = {}, container = {}, job = {}, metadata = {} }: Bent) => {
      const plain = jobOf(g, spec, container)
      const bent = {
        ...{ ...plain, metadata: { ...plain.metadata, ...metadata } },
        spec: { ...plain.spec, ...job },
      }
      return { answer: await make(bent), action: unfit(jsonOf(bent.spec), madeJob.spec, 'spec') }
    }

    it('a Job with all that it may have passes', async () => {
      const { answer, action } = await tried(plenty)
      passed(answer)
      assert.equal(action, undefined)
    })

    it('and every field of the list is one that this API server knows', async () => {
      const { body } = await attempt(w.admin, 'GET', '/openapi/v3/apis/batch/v1')
      const known = JSON.stringify(body)
      for (const name of namesIn(madeJob.spec)) {
        // keys of maps are nobody's fields
        if (!name.includes('/')) assert.ok(known.includes(`"${name}":`), name)
      }
    })

    it('anything else is refused, by the action before admission', async () => {
      for (const [what, bent] of Object.entries(dangerous)) {
        const { answer, action } = await tried(bent)
        assert.doesNotThrow(() => refusedBy(made, answer), what)
        if (bent.metadata === undefined) assert.ok(action, `the action lets pass: ${what}`)
      }
    })
  })
})

/** Pods as those of `jobOf`, with metadata. */
function templateWith(metadata: object) {
  const gates = { readinessGates: [{ conditionType: servesNothing }] }
  const rest = { restartPolicy: 'Never', automountServiceAccountToken: false, ...gates }
  return { metadata, spec: { ...rest, containers: [container] } }
}

interface Bent {
  /** Of the Pods. */
  readonly spec?: object
  readonly container?: object
  readonly job?: object
  readonly metadata?: object
}

const jsonOf = (value: object) => JSON.parse(JSON.stringify(value)) as Json

function namesIn(field: MadeField): string[] {
  if (field.holds === 'items') return namesIn(field.each)
  if (field.holds !== 'fields') return []
  return Object.entries(field.fields).flatMap(([name, below]) => [name, ...namesIn(below)])
}

const plenty: Bent = {
  spec: {
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings' } },
    ],
    tolerations: [{ key: 'example.org/batch', operator: 'Exists' }],
    nodeSelector: { 'example.org/none': 'yes' },
    serviceAccountName: 'default',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    imagePullSecrets: [{ name: 'registry' }],
  },
  container: {
    command: ['report'],
    resources: { limits: { memory: '64Mi' } },
    ports: [{ containerPort: 8080 }],
    env: [
      { name: 'A', value: 'b' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    envFrom: [{ configMapRef: { name: 'settings' } }],
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  },
  job: {
    ...{ parallelism: 2, completions: 4, backoffLimit: 2, completionMode: 'Indexed' },
    ttlSecondsAfterFinished: keptSeconds,
  },
}

const volume = (source: object): Bent => ({ spec: { volumes: [{ name: 'v', ...source }] } })
const container = { name: 'more', image: 'jackstay.local/none:1' }
const secret = { secretKeyRef: { name: 's', key: 'k' } }
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: zeroUid }

const dangerous: Readonly<Record<string, Bent>> = {
  'host path': volume({ hostPath: { path: '/' } }),
  'secret volume': volume({ secret: { secretName: 's' } }),
  'projected token': volume({ projected: { sources: [] } }),
  'network volume': volume({ nfs: { server: 'x', path: '/' } }),
  claim: volume({ persistentVolumeClaim: { claimName: 'c' } }),
  'claim of its own': volume({
    ephemeral: {
      volumeClaimTemplate: {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
  }),
  'driver of a volume': volume({ csi: { driver: 'x.example.org' } }),
  'host network': { spec: { hostNetwork: true } },
  'host pid': { spec: { hostPID: true } },
  'host ipc': { spec: { hostIPC: true } },
  'host process of Windows': {
    spec: { hostNetwork: true, securityContext: { windowsOptions: { hostProcess: true } } },
  },
  sysctls: {
    spec: { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } },
  },
  'a node of its choice': { spec: { nodeName: 'n' } },
  'a priority': { spec: { priorityClassName: 'system-node-critical' } },
  'another scheduler': { spec: { schedulerName: 'mine' } },
  'another runtime': { spec: { runtimeClassName: 'mine' } },
  'every taint tolerated': { spec: { tolerations: [{ operator: 'Exists' }] } },
  'the control plane’s nodes': {
    spec: { tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
  },
  'names of hosts': { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['api'] }] } },
  'a name in DNS': { spec: { hostname: 'api', subdomain: 'api' } },
  'a token': { spec: { automountServiceAccountToken: true } },
  'a token by silence': { spec: { automountServiceAccountToken: undefined } },
  'another account': { spec: { serviceAccountName: 'admin' } },
  'another account by its old name': { spec: { serviceAccount: 'admin' } },
  'traffic of Services': { spec: { readinessGates: [] } },
  'an init container': { spec: { initContainers: [container] } },
  'a long farewell': { spec: { terminationGracePeriodSeconds: 86_400 } },
  privileged: { container: { securityContext: { privileged: true } } },
  'escalation of privileges': {
    container: { securityContext: { allowPrivilegeEscalation: true } },
  },
  capability: { container: { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } } },
  'no seccomp': { container: { securityContext: { seccompProfile: { type: 'Unconfined' } } } },
  'unmasked proc': {
    spec: { hostUsers: false },
    container: { securityContext: { procMount: 'Unmasked' } },
  },
  'host port': { container: { ports: [{ containerPort: 80, hostPort: 80 }] } },
  'secret in env': { container: { env: [{ name: 'E', valueFrom: secret }] } },
  'secret as env': { container: { envFrom: [{ secretRef: { name: 's' } }] } },
  'request of the kubelet': {
    container: { lifecycle: { postStart: { httpGet: { host: '169.254.169.254', port: 80 } } } },
  },
  probe: { container: { livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } } },
  'mount into the host': {
    ...volume({ emptyDir: {} }),
    container: {
      securityContext: { privileged: true },
      volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }],
    },
  },
  'annotation of its Pods': {
    job: { template: templateWith({ annotations: { 'example.org/inject': 'yes' } }) },
  },
  'finalizer of its Pods': {
    job: { template: templateWith({ finalizers: ['example.org/stuck'] }) },
  },
  'many at once': { job: { parallelism: 17 } },
  'many in all': { job: { completions: 129, parallelism: 1 } },
  'many again': { job: { backoffLimit: 17 } },
  'another controller': { job: { managedBy: 'example.org/mine' } },
  'no trace afterwards': { job: { ttlSecondsAfterFinished: 0 } },
  owner: { metadata: { ownerReferences: [owner] } },
  finalizer: { metadata: { finalizers: ['example.org/stuck'] } },
  annotation: { metadata: { annotations: { 'example.org/note': 'x' } } },
}
