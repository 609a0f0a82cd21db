import type { KubeObject } from '../objects.ts'
import { listAt, numberAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { completionsOf, indexOf, isIndexed, type JobPods, jobPods, podOf } from './job-pods.ts'
import {
  deadlineLeft,
  isOver,
  isSuspended,
  jobEvents,
  jobStatus,
  outcomeOf,
  type Tally,
  tallyOf,
} from './job-status.ts'
import { controlledBy, controllerKey } from './owned.ts'
import { statusWritten } from './status.ts'

export const jobs = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

type Parts = Reconciling<'jobs' | 'pods'>

/** Runs Pods until enough of them succeeded, or too many failed. */
export const jobController: Controller<'jobs' | 'pods'> = {
  name: 'job-controller',
  watches: {
    jobs: { type: jobs, keys: (job) => [keyOf(job)] },
    pods: { type: pods, keys: (pod) => controllerKey('Job', pod) },
  },
  async reconcile(key, parts) {
    const { namespace, name } = placeIn(key)
    const job = parts.caches.jobs.get(namespace, name)
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
    const clock = parts.clock.of(job)
    const found = jobPods(controlledBy(job, parts.caches.pods))
    if (isOver(job)) {
      await end(job, found.active, parts)
      return undefined
    }
    const tally = tallyOf(job, found)
    const outcome = outcomeOf(job, found, tally, clock)
    const status = jobStatus(job, found, tally, outcome, clock)
    await statusWritten({ client: parts.client, signal: parts.signal }, jobs, job, status)
    for (const said of jobEvents(job, status)) parts.record(job, said)
    if (outcome.over !== undefined || isSuspended(job)) {
      await end(job, found.active, parts)
      return undefined
    }
    const dueMs = await go(job, found, tally, parts)
    const due = [dueMs ?? Number.POSITIVE_INFINITY, deadlineLeft(job, clock)]
    const soonest = Math.min(...due)
    return Number.isFinite(soonest) ? soonest : undefined
  },
}

/** What was refused is tried again, for whatever it was that stood in the way. */
const againMs = 2000
/** The wait after the first failure, and the longest one. */
const [firstBackOffMs, longestBackOffMs] = [10_000, 360_000]

/** Makes the Pods that are missing, ends those that are too many; answers when there is more to do. */
async function go(
  job: KubeObject,
  found: JobPods,
  tally: Tally,
  parts: Parts,
): Promise<number | undefined> {
  const { client, record, signal } = parts
  const wanted = wantedOf(job, found, tally)
  const missing = wanted - found.active.length
  if (missing <= 0) {
    await end(job, found.active.slice(wanted), parts)
    return undefined
  }
  const waitMs = backOffLeft(found, parts)
  if (waitMs > 0) return waitMs
  const { namespace = '' } = job.metadata
  const indexes = isIndexed(job) ? freeIndexes(job, found, tally) : undefined
  for (let n = 0; n < missing; n++) {
    const made = await client.create(pods, namespace, podOf(job, indexes?.[n]), { signal })
    if (made.kind === 'refused') {
      const message = `Error creating: ${made.message}`
      record(job, { type: 'Warning', reason: 'FailedCreate', message })
      return againMs
    }
    if (made.kind !== 'applied') throw new Error(`no Pod of \`${job.metadata.name}\`: ${made.kind}`)
    const message = `Created pod: ${made.object.metadata.name ?? ''}`
    record(job, { type: 'Normal', reason: 'SuccessfulCreate', message })
  }
  return undefined
}

/** How many are to run at a time now. */
function wantedOf(job: KubeObject, { active }: JobPods, { succeeded }: Tally): number {
  const parallelism = numberAt(job, 'spec.parallelism', 1)
  const completions = completionsOf(job)
  if (completions !== undefined) return Math.min(parallelism, completions - succeeded)
  // whoever succeeded knows that the work is done: the others end by themselves
  return succeeded > 0 ? Math.min(parallelism, active.length) : parallelism
}

function freeIndexes(job: KubeObject, { active }: JobPods, { completed }: Tally) {
  const taken = new Set([...completed, ...active.map(indexOf)])
  const all = Array.from({ length: completionsOf(job) ?? 0 }, (_, i) => i)
  return all.filter((index) => !taken.has(index))
}

/** Each failure makes the wait before the next try longer. */
function backOffLeft({ failed }: JobPods, { clock }: Parts): number {
  if (failed.length === 0) return 0
  const wait = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failed.length - 1))
  const ends = failed.flatMap((pod) =>
    listAt(pod, 'status.containerStatuses').map((one) =>
      clock.elapsed('', textAt(one, 'state.terminated.finishedAt')),
    ),
  )
  const last = Math.min(...ends.filter((elapsed) => !Number.isNaN(elapsed)))
  return Number.isFinite(last) ? Math.max(0, wait - last) : 0
}

async function end(job: KubeObject, gone: readonly KubeObject[], parts: Parts): Promise<void> {
  const { client, record, signal } = parts
  for (const { metadata } of gone) {
    const { namespace = '', name = '', uid = '' } = metadata
    await client.delete({ ...pods, namespace, name }, { preconditions: { uid }, signal })
    record(job, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
  }
}
