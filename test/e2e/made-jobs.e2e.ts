import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import { type Answer, attempt, passed, refused, refusedBy, until } from './attempt.ts'
import { type Governed, governed, type Manifest, read } from './governed.ts'
import { jobOf, retrier } from './made-attacks.ts'
import { clusterPath, suspensionOf } from './specimens.ts'
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

  describe('are harmless (T37)', () => {
    it('a plain Job passes, and nothing that reaches host, identity or secrets', async () => {
      passed(await makes({ volumes: [{ name: 'tmp', emptyDir: {} }] }))
      const secret = { secretKeyRef: { name: 's', key: 'k' } }
      const dangerous: [string, object, object?][] = [
        ['host path', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
        ['secret volume', { volumes: [{ name: 'v', secret: { secretName: 's' } }] }],
        ['token', { volumes: [{ name: 'v', projected: { sources: [] } }] }],
        ['network volume', { volumes: [{ name: 'v', nfs: { server: 'x', path: '/' } }] }],
        ['host network', { hostNetwork: true }],
        ['host pid', { hostPID: true }],
        ['another account', { serviceAccountName: 'admin' }],
        ['another account by its old name', { serviceAccount: 'admin' }],
        ['privileged', {}, { securityContext: { privileged: true } }],
        ['capability', {}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }],
        ['host port', {}, { ports: [{ containerPort: 80, hostPort: 80 }] }],
        ['secret in env', {}, { env: [{ name: 'E', valueFrom: secret }] }],
        ['secret as env', {}, { envFrom: [{ secretRef: { name: 's' } }] }],
        ['in an init container', { initContainers: [privileged] }],
      ]
      for (const [what, spec, container] of dangerous) {
        const answer = await makes(spec, container)
        assert.doesNotThrow(() => refusedBy(made, answer), what)
      }
    })
  })
})

const privileged = {
  ...{ name: 'init', image: 'jackstay.local/none:1', securityContext: { privileged: true } },
}
