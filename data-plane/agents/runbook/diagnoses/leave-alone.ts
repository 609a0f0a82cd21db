import { placeOf, stands } from '../evidence/findings.ts'
import { onItsWay } from '../evidence/symptoms.ts'
import { type Case, type Diagnosis, escalate, nothing } from './diagnosis.ts'

/** What ends the diagnosis before any incident is looked for, in this order. */
export const leaveAlone: readonly ((found: Case) => Diagnosis | undefined)[] = [
  beingDeleted,
  unseen,
  atLimit,
  nothingWrong,
  ownedByGit,
  overQuota,
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
  if (spec.replicas === 0 || sick.some(({ symptom }) => !onItsWay(symptom))) return undefined
  // what did not become ready in the time it had does not get there by itself
  if (stands(deployment) && sick.some(({ symptom }) => symptom.kind === 'unready')) return undefined
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

/** Every Pod of it is well, and its autoscaler may not make as many as it would: a price, not a fault. */
function atLimit({ deployment, sick, autoscalers }: Case): Diagnosis | undefined {
  const { name } = deployment.metadata
  if (sick.length > 0) return undefined
  const found = autoscalers.find(
    ({ spec: { scaleTargetRef }, status }) =>
      scaleTargetRef.kind === 'Deployment' &&
      scaleTargetRef.name === name &&
      status.conditions.some(
        (one) =>
          one.type === 'ScalingLimited' &&
          one.status === 'True' &&
          one.reason === 'TooManyReplicas',
      ),
  )
  if (found === undefined) return undefined
  const { metadata, spec, status } = found
  return escalate(
    'autoscaler_at_limit',
    `${placeOf(deployment)} has ${status.currentReplicas} replicas, and HorizontalPodAutoscaler ${metadata.name} would make more than the ${spec.maxReplicas} that it may`,
    ['how many its owner wants to pay for, and what brings the load'],
  )
}

const gitAnnotation = 'argocd.argoproj.io/tracking-id'
const gitLabels = ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name']

/** Whatever is written here, the repository writes again. */
function ownedByGit({ deployment }: Case): Diagnosis | undefined {
  const { annotations, labels } = deployment.metadata
  const mark =
    gitAnnotation in annotations ? gitAnnotation : gitLabels.find((name) => name in labels)
  if (mark === undefined) return undefined
  return escalate(
    'owned_by_git',
    `${placeOf(deployment)} belongs to a Git repository, as ${mark} says: what ends this has to be a commit there`,
  )
}

/** Pods are refused by a quota: who may have how much is not for an agent to say. */
function overQuota({ deployment, sick }: Case): Diagnosis | undefined {
  const failure = deployment.status.conditions.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  )
  if (failure === undefined || !/\bexceeded quota\b/.test(failure.message)) return undefined
  if (sick.some(({ symptom }) => !onItsWay(symptom))) return undefined
  const { spec, status } = deployment
  return escalate(
    'quota_exhausted',
    `${placeOf(deployment)} wants ${spec.replicas} replicas and has ${status.availableReplicas} available: ${failure.message}`,
    ['whether it should have so many, or whether the quota should be larger'],
  )
}
