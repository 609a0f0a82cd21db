import { isRecord } from '@jackstay/kube/resources'
import type { Stamps } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, mapAt, numberAt, textAt } from '../resources/columns.ts'
import { bounds, type Share } from './rollout.ts'

interface Condition {
  readonly type: 'Available' | 'Progressing'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

interface Reported {
  readonly status: Readonly<Record<string, unknown>>
  /** After so many milliseconds the deadline of a rollout that stands still is over. */
  readonly dueMs: number | undefined
}

/** What a Deployment says of itself: how many Pods there are of which template, and how the rollout goes. */
export function deploymentStatus(
  deployment: KubeObject,
  newest: KubeObject | undefined,
  sets: readonly KubeObject[],
  clock: Stamps,
): Reported {
  const of = (set: KubeObject, field: string) => numberAt(set, `status.${field}`)
  const sum = (field: string) => sets.reduce((total, set) => total + of(set, field), 0)
  const replicas = sum('replicas')
  const available = sum('availableReplicas')
  const updated = newest === undefined ? 0 : of(newest, 'replicas')
  const desired = numberAt(deployment, 'spec.replicas', 1)
  const ready = sum('readyReplicas')
  const unavailable = Math.max(0, Math.max(replicas, desired) - available)
  const figures = { replicas, updated, ready, available, desired }
  const moved = hasMoved(deployment, figures)
  const { condition, dueMs } = progress(deployment, newest, figures, moved, clock)
  const failure = failureOf(newest, sets)
  return {
    dueMs,
    status: {
      observedGeneration: deployment.metadata.generation ?? 1,
      ...positive({
        replicas,
        updatedReplicas: updated,
        readyReplicas: ready,
        availableReplicas: available,
        unavailableReplicas: unavailable,
      }),
      // Pods of the lab that are on their way out are gone at once
      terminatingReplicas: 0,
      conditions: [
        stamped(deployment, availability(deployment, available, desired), false, clock),
        ...(failure === undefined ? [] : [failure]),
        stamped(deployment, condition, moved, clock),
      ],
    },
  }
}

/** Why Pods cannot be made, as the newest ReplicaSet says it, or one before. */
function failureOf(
  newest: KubeObject | undefined,
  sets: readonly KubeObject[],
): object | undefined {
  const inTurn = newest === undefined ? sets : [newest, ...sets]
  const failed = inTurn.map((set) => conditionOf(set, 'ReplicaFailure')).find(isRecord)
  return failed && { ...failed, lastUpdateTime: failed.lastTransitionTime }
}

/** Figures that are nought go without saying. */
function positive(figures: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value > 0))
}

function availability(deployment: KubeObject, available: number, desired: number): Condition {
  const maxUnavailable = shareAt(deployment, 'maxUnavailable')
  const isRecreated = textAt(deployment, 'spec.strategy.type') === 'Recreate'
  const { unavailable } = bounds({ desired, maxSurge: 1, maxUnavailable })
  const isEnough = available >= (isRecreated ? desired : desired - unavailable)
  return isEnough
    ? {
        ...{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
        message: 'Deployment has minimum availability.',
      }
    : {
        ...{ type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' },
        message: 'Deployment does not have minimum availability.',
      }
}

/** One of the two bounds of a rolling update, as it is written. */
export function shareAt(deployment: KubeObject, field: string): Share {
  const value = at(deployment, `spec.strategy.rollingUpdate.${field}`)
  return typeof value === 'number' || typeof value === 'string' ? value : '25%'
}

interface Figures {
  readonly replicas: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  readonly desired: number
}

function progress(
  deployment: KubeObject,
  newest: KubeObject | undefined,
  { replicas, updated, available, desired }: Figures,
  moved: boolean,
  clock: Stamps,
): { readonly condition: Condition; readonly dueMs: number | undefined } {
  const name = newest?.metadata.name ?? ''
  const known = conditionOf(deployment, 'Progressing')
  const said = (status: Condition['status'], reason: string, message: string) => ({
    condition: { type: 'Progressing', status, reason, message } as const,
    dueMs: undefined,
  })
  const reason = textAt(known, 'reason')
  const isStuck = reason === stuck
  const unchanged = { condition: progressing(known), dueMs: undefined }
  if (at(deployment, 'spec.paused') === true) {
    return isStuck ? unchanged : said('Unknown', 'DeploymentPaused', 'Deployment is paused')
  }
  if (updated === desired && replicas === desired && available === desired) {
    const message = `ReplicaSet "${name}" has successfully progressed.`
    return said('True', 'NewReplicaSetAvailable', message)
  }
  // more or fewer Pods of a template that is rolled out are no rollout
  if (reason === 'NewReplicaSetAvailable' && replicas === updated) return unchanged
  const still = clock.elapsed('Progressing', textAt(known, 'lastUpdateTime'))
  const deadlineMs = numberAt(deployment, 'spec.progressDeadlineSeconds', 600) * 1000
  const dueMs = Number.isNaN(still) || moved ? deadlineMs : deadlineMs - still
  if ((dueMs <= 0 || isStuck) && !moved) {
    return said('False', stuck, `ReplicaSet "${name}" has timed out progressing.`)
  }
  const going = moved
    ? said('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
    : reason === 'DeploymentPaused'
      ? said('Unknown', 'DeploymentResumed', 'Deployment is resumed')
      : unchanged
  return { ...going, dueMs: Math.max(dueMs, 100) }
}

const stuck = 'ProgressDeadlineExceeded'

function progressing(known: unknown): Condition {
  const status = textAt(known, 'status', 'True')
  return {
    type: 'Progressing',
    status: status === 'False' || status === 'Unknown' ? status : 'True',
    reason: textAt(known, 'reason', 'FoundNewReplicaSet'),
    message: textAt(known, 'message', 'Found new replica set'),
  }
}

/** The conditions of a Deployment whose next template has its set by now. */
export function begun(deployment: KubeObject, set: string, clock: Stamps): readonly unknown[] {
  const others = listAt(deployment, 'status.conditions').filter(
    (one) => textAt(one, 'type') !== 'Progressing',
  )
  const message = `Created new replica set "${set}"`
  const condition = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message }
  return [...others, stamped(deployment, condition as Condition, false, clock)]
}

/** More of the new, fewer of the old, or more that serve: something goes forward. */
function hasMoved(deployment: KubeObject, now: Figures): boolean {
  const was = (field: string) => numberAt(deployment, `status.${field}`)
  const old = was('replicas') - was('updatedReplicas')
  return (
    now.updated > was('updatedReplicas') ||
    now.replicas - now.updated < old ||
    now.ready > was('readyReplicas') ||
    now.available > was('availableReplicas')
  )
}

/** With its times: since when it is so, and when something was last done about it. */
function stamped(
  deployment: KubeObject,
  condition: Condition,
  moved: boolean,
  clock: Stamps,
): object {
  const known = conditionOf(deployment, condition.type)
  const same = textAt(known, 'status') === condition.status
  const isNews =
    !same ||
    textAt(known, 'reason') !== condition.reason ||
    textAt(known, 'message') !== condition.message ||
    (moved && condition.reason === 'ReplicaSetUpdated')
  if (!isNews) {
    const { lastUpdateTime, lastTransitionTime } = mapAt({ known }, 'known')
    return { ...condition, lastUpdateTime, lastTransitionTime }
  }
  const time = clock.stamp(condition.type)
  return {
    ...condition,
    lastUpdateTime: time,
    lastTransitionTime: same ? textAt(known, 'lastTransitionTime', time) : time,
  }
}
