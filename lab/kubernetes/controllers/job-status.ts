import { isRecord } from '@jackstay/kube/resources'
import type { Stamps } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, numberAt, textAt } from '../resources/columns.ts'
import {
  completionsOf,
  indexesIn,
  indexOf,
  indexText,
  isIndexed,
  type JobPods,
} from './job-pods.ts'
import type { Said } from './recorder.ts'

/** What has come of a Job: nothing yet, or why it is over. */
export type Outcome =
  | { readonly over: undefined }
  | {
      readonly over: 'Complete' | 'Failed'
      readonly reason: string
      readonly message: string
    }

/** Pods that were counted and are gone since are counted still. */
export interface Tally {
  readonly succeeded: number
  readonly failed: number
  /** Of an indexed Job. */
  readonly completed: readonly number[]
}

export function tallyOf(job: KubeObject, pods: JobPods): Tally {
  const before = (field: string) => numberAt(job, `status.${field}`)
  const failed = Math.max(before('failed'), pods.failed.length)
  if (!isIndexed(job)) {
    const succeeded = Math.max(before('succeeded'), pods.succeeded.length)
    return { failed, succeeded, completed: [] }
  }
  const known = indexesIn(textAt(job, 'status.completedIndexes'))
  const completed = [...new Set([...known, ...pods.succeeded.map(indexOf)])]
  return { failed, succeeded: completed.length, completed }
}

export function isOver(job: KubeObject): boolean {
  return holds(job, 'Complete') || holds(job, 'Failed')
}

function holds(job: KubeObject, type: string): boolean {
  return textAt(conditionOf(job, type), 'status') === 'True'
}

/** Judges a Job that is not over by what its Pods have come to. */
export function outcomeOf(
  job: KubeObject,
  pods: JobPods,
  { failed, succeeded }: Tally,
  clock: Stamps,
): Outcome {
  const target = conditionOf(job, 'FailureTarget')
  if (isRecord(target)) {
    const [reason, message] = [textAt(target, 'reason'), textAt(target, 'message')]
    return { over: 'Failed', reason, message }
  }
  const limit = numberAt(job, 'spec.backoffLimit', 6)
  const restarting = textAt(job, 'spec.template.spec.restartPolicy') === 'OnFailure'
  if (failed > limit || (restarting && pods.restarts > 0 && pods.restarts >= limit)) {
    const message = 'Job has reached the specified backoff limit'
    return { over: 'Failed', reason: 'BackoffLimitExceeded', message }
  }
  if (deadlineLeft(job, clock) <= 0) {
    const message = 'Job was active longer than specified deadline'
    return { over: 'Failed', reason: 'DeadlineExceeded', message }
  }
  const wanted = completionsOf(job)
  const isComplete =
    wanted === undefined ? succeeded > 0 && pods.active.length === 0 : succeeded >= wanted
  if (!isComplete) return { over: undefined }
  const message = 'Reached expected number of succeeded pods'
  return { over: 'Complete', reason: 'CompletionsReached', message }
}

/** Milliseconds until the Job has been active too long. */
export function deadlineLeft(job: KubeObject, clock: Stamps): number {
  const seconds = at(job, 'spec.activeDeadlineSeconds')
  const began = textAt(job, 'status.startTime')
  if (typeof seconds !== 'number' || began === '') return Number.POSITIVE_INFINITY
  return seconds * 1000 - clock.elapsed('start', began)
}

export function isSuspended(job: KubeObject): boolean {
  return at(job, 'spec.suspend') === true
}

const eventOfCondition: Readonly<Record<string, Pick<Said, 'reason' | 'message'>>> = {
  Suspended: { reason: 'Suspended', message: 'Job suspended' },
  Complete: { reason: 'Completed', message: 'Job completed' },
}

/** What is news in a status. */
export function jobEvents(
  job: KubeObject,
  status: Readonly<Record<string, unknown>>,
): readonly Said[] {
  return listAt({ status }, 'status.conditions').flatMap((one) => {
    const [type, reason] = [textAt(one, 'type'), textAt(one, 'reason')]
    const known = conditionOf(job, type)
    const isNews = textAt(one, 'status') === 'True' && textAt(known, 'status') !== 'True'
    if (!isNews) return []
    const told = eventOfCondition[type]
    if (told !== undefined) return { type: 'Normal', ...told }
    return type === 'Failed' ? { type: 'Warning', reason, message: textAt(one, 'message') } : []
  })
}

/** The status of a Job: figures, and conditions with what is new in them. */
export function jobStatus(
  job: KubeObject,
  pods: JobPods,
  tally: Tally,
  outcome: Outcome,
  clock: Stamps,
): Readonly<Record<string, unknown>> {
  const suspended = isSuspended(job) && outcome.over === undefined
  const began = textAt(job, 'status.startTime')
  const conditions = conditionsOf(job, pods, outcome, clock)
  const isComplete = conditions.some(({ type }) => type === 'Complete')
  const { active, ready, terminating } = pods
  // whoever still runs when it fails has failed with it
  const failed = tally.failed + (outcome.over === 'Failed' ? active.length : 0)
  const indexes = indexText(tally.completed)
  return {
    ...(suspended ? {} : { startTime: began || clock.stamp('start') }),
    ...(active.length > 0 && { active: active.length }),
    ...(tally.succeeded > 0 && { succeeded: tally.succeeded }),
    ...(failed > 0 && { failed }),
    ...{ ready, terminating, uncountedTerminatedPods: {} },
    ...(indexes !== '' && { completedIndexes: indexes }),
    ...(isComplete && {
      completionTime: textAt(job, 'status.completionTime') || clock.stamp('completion'),
    }),
    ...(conditions.length > 0 && { conditions }),
  }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

function conditionsOf(
  job: KubeObject,
  pods: JobPods,
  outcome: Outcome,
  clock: Stamps,
): readonly (Condition & { readonly type: string })[] {
  const news: Condition[] = []
  const say = (type: string, status: string, reason: string, message: string) =>
    news.push({ type, status, reason, message })
  if (outcome.over !== undefined) {
    const { over, reason, message } = outcome
    say(over === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', reason, message)
    // over only when nothing of it runs any more
    const isQuiet = pods.active.length === 0 && pods.terminating === 0
    if (isQuiet) say(over, 'True', reason, message)
  } else if (isSuspended(job)) say('Suspended', 'True', 'JobSuspended', 'Job suspended')
  else if (holds(job, 'Suspended')) say('Suspended', 'False', 'JobResumed', 'Job resumed')
  const known = listAt(job, 'status.conditions').filter(isRecord)
  const kept = known.map((one) => {
    const said = news.find(({ type }) => type === one.type)
    return said === undefined || said.status === one.status ? one : stamped(said, clock)
  })
  const added = news.filter(({ type }) => !known.some((one) => one.type === type))
  return [...kept, ...added.map((one) => stamped(one, clock))] as unknown as readonly Condition[]
}

function stamped(said: Condition, clock: Stamps) {
  const time = clock.stamp(said.type)
  return { ...said, lastProbeTime: time, lastTransitionTime: time }
}
