import { placeOf } from '../evidence/findings.ts'
import { type Case, type Diagnosis, escalate, nothing } from './diagnosis.ts'

/** What ends the diagnosis before any incident is looked for, in this order. */
export const leaveAlone: readonly ((found: Case) => Diagnosis | undefined)[] = [
  beingDeleted,
  unseen,
  nothingWrong,
  underWay,
  paused,
]

function beingDeleted({ deployment }: Case): Diagnosis | undefined {
  if (deployment.metadata.deletionTimestamp === undefined) return undefined
  return escalate('being_deleted', `${placeOf(deployment)} is being deleted`)
}

/** Its status is older than its spec: whatever it says is about something else. */
function unseen({ deployment }: Case): Diagnosis | undefined {
  const { metadata, status } = deployment
  if (status.observedGeneration >= metadata.generation) return undefined
  return escalate('unsettled', `${placeOf(deployment)} was changed and no controller has seen it`, [
    'a status of the Deployment as it is now',
  ])
}

/**
 * Never wrong, or recovered already; or the alert is about something that cannot be seen here. Old
 * Pods that serve beside a new revision that cannot start are no recovery.
 */
function nothingWrong({ deployment, sick }: Case): Diagnosis | undefined {
  const { spec, status } = deployment
  if (spec.replicas === 0 || sick.length > 0) return undefined
  const counts = [status.availableReplicas, status.updatedReplicas, status.replicas]
  if (counts.some((one) => one !== spec.replicas)) return undefined
  return nothing(
    `${placeOf(deployment)} has ${status.availableReplicas} of ${spec.replicas} replicas available and every Pod of it is well: what the alert is about has passed, or its cause is outside of what is seen here`,
  )
}

/** Pods come and go, and none of them says that anything is wrong. */
function underWay({ deployment, sick }: Case): Diagnosis | undefined {
  const { spec, status } = deployment
  if (spec.replicas === 0 || sick.some(({ symptom }) => symptom.kind !== 'starting')) {
    return undefined
  }
  return escalate(
    'unsettled',
    `${placeOf(deployment)} wants ${spec.replicas} replicas and has ${status.availableReplicas} available; no Pod says why`,
    ['a Pod that is ready, or one that says what keeps it from it'],
  )
}

function paused({ deployment }: Case): Diagnosis | undefined {
  if (!deployment.spec.paused || deployment.spec.replicas === 0) return undefined
  return escalate('paused', `the rollout of ${placeOf(deployment)} was paused by somebody`)
}
