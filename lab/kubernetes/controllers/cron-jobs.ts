import { isRecord } from '@jackstay/kube/resources'
import { Cron } from 'croner'
import type { LabClock } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, mapAt, numberAt, textAt } from '../resources/columns.ts'
import { timestamp } from '../timestamp.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { isOver } from './job-status.ts'
import { jobs } from './jobs.ts'
import { controlledBy, controllerKey, referenceTo } from './owned.ts'
import { statusWritten } from './status.ts'

const cronJobs = { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' }
const scheduledKey = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

type Parts = Reconciling<'cronJobs' | 'jobs'>

/** Starts Jobs by their schedule, on the lab's calendar. */
export function cronJobController(): Controller<'cronJobs' | 'jobs'> {
  /** By uid, when each was last due by the calendar: its status tells whole real seconds. */
  const lastDue = new Map<string, number>()
  return {
    name: 'cronjob-controller',
    watches: {
      cronJobs: { type: cronJobs, keys: (one) => [keyOf(one)] },
      jobs: { type: jobs, keys: (job) => controllerKey('CronJob', job) },
    },
    async reconcile(key, parts) {
      const { namespace, name } = placeIn(key)
      const cronJob = parts.caches.cronJobs.get(namespace, name)
      if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) {
        return undefined
      }
      const own = controlledBy(cronJob, parts.caches.jobs)
      await forget(cronJob, own, parts)
      const schedule = scheduleOf(cronJob)
      // whoever wrote it has been told; until it is mended nothing is due
      if (schedule === undefined || at(cronJob, 'spec.suspend') === true) {
        await report(cronJob, own, undefined, parts)
        return undefined
      }
      const { uid = '' } = cronJob.metadata
      const due = dueTime(cronJob, schedule, lastDue.get(uid), parts.clock)
      const started = due === undefined ? undefined : await start(cronJob, own, due, parts)
      if (started !== undefined) lastDue.set(uid, started.due)
      await report(
        cronJob,
        started?.job === undefined ? own : [...own, started.job],
        started?.due,
        parts,
      )
      const now = parts.clock.calendar()
      const next = schedule.nextRun(new Date(now))
      return next === null ? undefined : next.getTime() - now
    },
  }
}

function scheduleOf(cronJob: KubeObject): Cron | undefined {
  const timezone = textAt(cronJob, 'spec.timeZone', 'UTC')
  try {
    return new Cron(textAt(cronJob, 'spec.schedule'), { timezone, paused: true })
  } catch {
    return undefined
  }
}

/** When it was last due by the calendar and has not run yet; undefined where it is not, or it is too late. */
function dueTime(
  cronJob: KubeObject,
  schedule: Cron,
  known: number | undefined,
  clock: LabClock,
): number | undefined {
  const now = clock.calendar()
  const [last] = schedule.previousRuns(1, new Date(now))
  const since = textAt(cronJob, 'status.lastScheduleTime', cronJob.metadata.creationTimestamp ?? '')
  const earliest = known ?? clock.calendar(Date.parse(since))
  if (last === undefined || last.getTime() <= earliest) return undefined
  const deadline = at(cronJob, 'spec.startingDeadlineSeconds')
  const isLate = typeof deadline === 'number' && now - last.getTime() > deadline * 1000
  return isLate ? undefined : last.getTime()
}

interface Started {
  readonly due: number
  readonly job: KubeObject | undefined
}

/** Starts what is due, as far as runs that still go on allow. */
async function start(
  cronJob: KubeObject,
  own: readonly KubeObject[],
  due: number,
  { client, record, signal }: Parts,
): Promise<Started | undefined> {
  const running = own.filter((job) => !isOver(job))
  const policy = textAt(cronJob, 'spec.concurrencyPolicy', 'Allow')
  if (policy === 'Forbid' && running.length > 0) return undefined
  if (policy === 'Replace') for (const job of running) await remove(job, client, signal)
  const { name = '', namespace = '' } = cronJob.metadata
  const template = mapAt(cronJob, 'spec.jobTemplate')
  const { labels, annotations } = mapAt(template, 'metadata')
  const job = {
    ...{ apiVersion: jobs.apiVersion, kind: jobs.kind, spec: template.spec },
    metadata: {
      name: `${name}-${Math.floor(due / 60_000)}`,
      ...(isRecord(labels) && { labels }),
      annotations: { ...(isRecord(annotations) && annotations), [scheduledKey]: timestamp(due) },
      ownerReferences: [referenceTo(cronJob)],
    },
  }
  const made = await client.create(jobs, namespace, job, { signal })
  if (made.kind === 'applied') {
    const message = `Created job ${made.object.metadata.name ?? ''}`
    record(cronJob, { type: 'Normal', reason: 'SuccessfulCreate', message })
    return { due, job: made.object }
  }
  // one of this name is there: it was started already
  if (made.kind === 'conflict') return { due, job: undefined }
  throw new Error(`no Job of \`${name}\`: ${JSON.stringify(made)}`)
}

async function remove(
  { metadata }: KubeObject,
  client: Parts['client'],
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = metadata
  const options = { preconditions: { uid }, propagationPolicy: 'Background' as const, signal }
  await client.delete({ ...jobs, namespace, name }, options)
}

/** Of those that are over only the last few are kept. */
async function forget(
  cronJob: KubeObject,
  own: readonly KubeObject[],
  { client, signal }: Parts,
): Promise<void> {
  const limits = [
    ['Complete', numberAt(cronJob, 'spec.successfulJobsHistoryLimit', 3)],
    ['Failed', numberAt(cronJob, 'spec.failedJobsHistoryLimit', 1)],
  ] as const
  for (const [type, keep] of limits) {
    const over = own
      .filter((job) => textAt(conditionOf(job, type), 'status') === 'True')
      .toSorted((a, b) => begunAt(a) - begunAt(b))
    for (const job of over.slice(0, Math.max(0, over.length - keep))) {
      if (job.metadata.deletionTimestamp === undefined) await remove(job, client, signal)
    }
  }
}

function begunAt(job: KubeObject): number {
  return Number(job.metadata.resourceVersion ?? 0)
}

async function report(
  cronJob: KubeObject,
  own: readonly KubeObject[],
  due: number | undefined,
  { client, clock, signal }: Parts,
): Promise<void> {
  const active = own
    .filter((job) => !isOver(job) && job.metadata.deletionTimestamp === undefined)
    .map(({ apiVersion, kind, metadata }) => {
      const { name, namespace, resourceVersion, uid } = metadata
      return {
        apiVersion: apiVersion ?? jobs.apiVersion,
        kind: kind ?? jobs.kind,
        name,
        namespace,
        resourceVersion,
        uid,
      }
    })
  const known = listAt(cronJob, 'status.active').filter(isRecord)
  // as they were when they were taken in
  const shown = active.map((one) => known.find(({ uid }) => uid === one.uid) ?? one)
  const last =
    due === undefined ? textAt(cronJob, 'status.lastScheduleTime') : timestamp(clock.moment(due))
  const done = own
    .filter((job) => textAt(conditionOf(job, 'Complete'), 'status') === 'True')
    .map((job) => textAt(job, 'status.completionTime'))
  const succeeded = [textAt(cronJob, 'status.lastSuccessfulTime'), ...done].toSorted().at(-1) ?? ''
  const status = {
    ...(shown.length > 0 && { active: shown }),
    ...(last !== '' && { lastScheduleTime: last }),
    ...(succeeded !== '' && { lastSuccessfulTime: succeeded }),
  }
  await statusWritten({ client, signal }, cronJobs, cronJob, status)
}
