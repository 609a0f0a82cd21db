import { ownedBy, placeOf } from '../evidence/findings.ts'
import type { Deployment, Event, ReplicaSet } from '../evidence/objects.ts'
import { type Case, type Diagnosis, escalate, type Incident, proposeFor } from './diagnosis.ts'

/** Beyond this a number is taken for a mistake, not for a size. */
const mostReplicas = 1000
const desiredReplicas = 'deployment.kubernetes.io/desired-replicas'
/** Annotations of programs that scale to zero by the clock. */
const bySchedule = /^(downscaler|sleepmode|kube-green)[./]/

/** A Deployment that was scaled to zero and that nothing else scales goes back to its number before. */
export const scaledToZero: Incident = {
  name: 'scaled to zero',
  shows: ({ deployment }) => deployment.spec.replicas === 0,
  judge(found) {
    const place = placeOf(found.deployment)
    const { name, annotations } = found.deployment.metadata
    const owner = found.autoscalers.find(
      ({ spec: { scaleTargetRef } }) =>
        scaleTargetRef.kind === 'Deployment' && scaleTargetRef.name === name,
    )
    if (owner) {
      return escalate(
        'autoscaled',
        `${place} is at zero and HorizontalPodAutoscaler ${owner.metadata.name} owns its replicas`,
      )
    }
    const schedule = Object.keys(annotations).find((key) => bySchedule.test(key))
    if (schedule !== undefined) {
      return escalate('scaled_on_purpose', `${place} is at zero and has the annotation ${schedule}`)
    }
    return backToSize(found)
  },
}

function backToSize(found: Case): Diagnosis {
  const { deployment, unread } = found
  const before = previousReplicas(found)
  if (before === undefined) {
    const events = unread.events === undefined ? '' : `; events cannot be read: ${unread.events}`
    return escalate(
      'evidence_missing',
      `${placeOf(deployment)} is at zero and nothing tells its number before${events}`,
      ['the event of the scaling, or a ReplicaSet that was sized above zero'],
    )
  }
  const { replicas, because } = before
  return proposeFor(
    found,
    'workload.scale',
    { replicas },
    `it is set to 0 replicas and ${deployment.status.availableReplicas} are available. No autoscaler owns its replicas. ${because} Asking for ${replicas}.`,
  )
}

interface Size {
  readonly replicas: number
  readonly because: string
}

/** The number before zero, from what controllers wrote down, most telling first. */
function previousReplicas({ deployment, replicaSets, events }: Case): Size | undefined {
  const revisions = ownedBy(deployment, replicaSets)
  const [newest] = revisions
  const [last] = events
    .flatMap((event) => scalingToZero(event, deployment, newest))
    .toSorted((a, b) => b.at.localeCompare(a.at))
  if (last) {
    return {
      replicas: last.from,
      because: `The deployment controller scaled it from ${last.from} to 0 at ${last.at}.`,
    }
  }
  for (const one of revisions) {
    const replicas = count(one.metadata.annotations[desiredReplicas])
    if (replicas === undefined) continue
    const because = `ReplicaSet ${one.metadata.name} was last sized for ${replicas}.`
    return { replicas, because }
  }
  return undefined
}

/**
 * The event a deployment controller leaves when it takes the newest ReplicaSet to zero. Both
 * wordings are in use: https://github.com/kubernetes/kubernetes/pull/125118
 */
function scalingToZero(event: Event, deployment: Deployment, newest: ReplicaSet | undefined) {
  const by = event.reportingComponent || event.source.component
  if (by !== 'deployment-controller' || event.reason !== 'ScalingReplicaSet') return []
  if (event.involvedObject.uid !== deployment.metadata.uid || newest === undefined) return []
  const [, name, late, early] =
    /^Scaled down replica set (\S+) (?:from (\d+) to 0|to 0 from (\d+))$/.exec(
      event.message ?? '',
    ) ?? []
  const from = count(late ?? early)
  if (from === undefined || name !== newest.metadata.name) return []
  return [{ from, at: event.lastTimestamp || event.eventTime || event.metadata.creationTimestamp }]
}

/** A number of replicas above zero, if the text is one. */
function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^[1-9]\d{0,3}$/.test(text)) return undefined
  const number = Number(text)
  return number <= mostReplicas ? number : undefined
}
