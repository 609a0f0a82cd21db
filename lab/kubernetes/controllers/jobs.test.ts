import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { TestKubernetes, until } from '../kubernetes-builder.ts'
import { wellBehaved } from '../node/behaviour.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, listAt, numberAt, textAt } from '../resources/columns.ts'
import { indexesIn, indexText } from './job-pods.ts'

const jobs = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' }
const cronJobs = { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

const quick = { ...wellBehaved, startMs: 500, readyMs: 0 }
const behaviours = (image: string) => {
  if (image === 'task:fails') return { ...quick, exit: { code: 3, afterMs: 500 } }
  return image === 'task:done' ? { ...quick, exit: { code: 0, afterMs: 2_000 } } : quick
}

function job(image: string, spec: object = {}, restartPolicy = 'Never'): KubeObject {
  const containers = [{ name: 'c', image }]
  return {
    metadata: { name: 'task' },
    spec: { template: { spec: { restartPolicy, containers } }, ...spec },
  }
}

describe('Jobs of the lab', () => {
  const lab = new TestKubernetes()
  let stop: () => Promise<void>
  before(async () => {
    await lab.start()
    stop = lab.run({ names: ['node-1'], behaviours, speed: 50 })
  })
  after(async () => {
    await stop()
    await lab.stop()
    assert.deepEqual(lab.errors, [])
  })

  async function run(namespace: string, object: KubeObject) {
    await lab.namespace(namespace)
    const made = await lab.admin.create(jobs, namespace, object)
    assert.equal(made.kind, 'applied', JSON.stringify(made))
    const ref = { ...jobs, namespace, name: 'task' }
    const come = (holds: (found: KubeObject) => boolean) => until(() => lab.admin.get(ref), holds)
    const podsNow = async () => (await lab.admin.list(pods, { namespace })).items
    return { ref, come, pods: podsNow }
  }
  const is = (type: string) => (found: KubeObject) =>
    textAt(conditionOf(found, type), 'status') === 'True'

  it('run as many Pods as have to succeed, so many at a time', async () => {
    const spec = { completions: 5, parallelism: 2 }
    // of Pods that go on for ever there are two for as long as anybody looks
    const busy = await run('busy', job('task:on', spec))
    await busy.come((found) => numberAt(found, 'status.ready') === 2)
    assert.equal(numberAt(await lab.admin.get(busy.ref), 'status.active'), 2)
    assert.equal((await busy.pods()).length, 2)
    const { come, pods: all } = await run('done', job('task:done', spec))
    const done = await come(is('Complete'))
    const { startTime, completionTime, conditions, ...figures } = done.status as Record<
      string,
      unknown
    >
    assert.deepEqual(figures, {
      succeeded: 5,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
    })
    assert.ok(typeof startTime === 'string' && typeof completionTime === 'string')
    assert.deepEqual(
      listAt(done, 'status.conditions').map((one) => [textAt(one, 'type'), textAt(one, 'reason')]),
      [
        ['SuccessCriteriaMet', 'CompletionsReached'],
        ['Complete', 'CompletionsReached'],
      ],
    )
    assert.ok(Array.isArray(conditions))
    assert.deepEqual(
      new Set((await all()).map((pod) => textAt(pod, 'status.phase'))),
      new Set(['Succeeded']),
    )
  })

  it('give up when too many Pods failed', async () => {
    const { come } = await run('fails', job('task:fails', { backoffLimit: 1 }))
    const failed = await come(is('Failed'))
    assert.equal(numberAt(failed, 'status.failed'), 2)
    const said = conditionOf(failed, 'Failed')
    assert.equal(textAt(said, 'reason'), 'BackoffLimitExceeded')
    assert.equal(textAt(said, 'message'), 'Job has reached the specified backoff limit')
    assert.equal(textAt(conditionOf(failed, 'FailureTarget'), 'reason'), 'BackoffLimitExceeded')
  })

  it('give up when Pods that start again do so too often, or when it takes too long', async () => {
    const restarting = await run('again', job('task:fails', { backoffLimit: 1 }, 'OnFailure'))
    await restarting.come(is('Failed'))
    await until(restarting.pods, (all) => all.length === 0)
    const long = await run('long', job('task:on', { activeDeadlineSeconds: 10 }))
    const late = await long.come(is('Failed'))
    assert.equal(textAt(conditionOf(late, 'Failed'), 'reason'), 'DeadlineExceeded')
  })

  it('are suspended and go on', async () => {
    const { ref, come, pods: all } = await run('waits', job('task:done', { suspend: true }))
    const waiting = await come(is('Suspended'))
    assert.equal(textAt(waiting, 'status.startTime'), '')
    assert.equal((await all()).length, 0)
    await lab.admin.mergePatch(ref, { spec: { suspend: false } })
    const done = await come(is('Complete'))
    assert.equal(textAt(conditionOf(done, 'Suspended'), 'reason'), 'JobResumed')
  })

  it('give each Pod its index where they are told apart', async () => {
    const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed' }
    const { come, pods: all } = await run('indexed', job('task:done', spec))
    const done = await come(is('Complete'))
    assert.equal(textAt(done, 'status.completedIndexes'), '0-2')
    assert.deepEqual(
      (await all()).map(({ metadata }) => metadata.name?.replace(/-\w+$/, '')).sort(),
      ['task-0', 'task-1', 'task-2'],
    )
    assert.equal(indexText([5, 0, 1, 2, 7, 8]), '0-2,5,7-8')
    assert.deepEqual(indexesIn('0-2,5,7-8'), [0, 1, 2, 5, 7, 8])
  })

  it('are let go when they were kept long enough, their Pods with them', async () => {
    const { ref, come, pods: all } = await run('gone', job('task:done'))
    await come(is('Complete'))
    assert.equal((await all()).length, 1)
    await lab.admin.mergePatch(ref, { spec: { ttlSecondsAfterFinished: 20 } })
    await until(all, (found) => found.length === 0)
    await until(
      () => lab.admin.get(ref).catch(() => undefined),
      (found) => found === undefined,
    )
  })

  it('are started by the calendar of their CronJob, until that is suspended', async () => {
    const namespace = 'cron'
    await lab.namespace(namespace)
    const { spec } = job('task:done')
    await lab.admin.create(cronJobs, namespace, {
      metadata: { name: 'nightly' },
      spec: { schedule: '* * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec } },
    })
    const ref = { ...cronJobs, namespace, name: 'nightly' }
    const all = async () => (await lab.admin.list(jobs, { namespace })).items
    const first = await until(all, (found) => found.length === 2)
    for (const { metadata } of first) assert.match(metadata.name ?? '', /^nightly-\d+$/)
    await until(
      all,
      (found) =>
        found.length === 2 &&
        found.every(({ metadata }) => first.every((one) => one.metadata.name !== metadata.name)),
    )
    const found = await lab.admin.get(ref)
    assert.notEqual(textAt(found, 'status.lastSuccessfulTime'), '')
    await lab.admin.mergePatch(ref, { spec: { suspend: true } })
    const started = async (name: string) =>
      (await all()).map(({ metadata }) => metadata.name ?? '').filter((one) => one.startsWith(name))
    const before = await started('nightly')
    // another goes on meanwhile: two of its runs later the suspended one has had its chance
    await lab.admin.create(cronJobs, namespace, {
      metadata: { name: 'other' },
      spec: { schedule: '* * * * *', jobTemplate: { spec } },
    })
    await until(
      () => started('other'),
      (found) => found.length > 1,
    )
    assert.deepEqual(await started('nightly'), before)
    for (const name of ['nightly', 'other']) await lab.admin.delete({ ...ref, name })
    await until(all, (left) => left.length === 0)
  })
})
