import type { Target } from '@jackstay/contract/intent'
import type { Json } from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import type { Deployment, Event, Findings, Pod, ReplicaSet } from './findings.ts'

/** What the agent asks the control plane to do. */
export interface Proposal {
  readonly kind: 'propose'
  readonly action: 'workload.scale'
  readonly target: Target
  readonly params: { readonly [key: string]: Json }
  /** What was seen and why this follows; people read it before they approve. */
  readonly summary: string
}

/** This runbook does not know what to do: a person has to look. */
export interface Escalation {
  readonly kind: 'escalate'
  readonly reason:
    | 'no_deployment_named'
    | 'deployment_missing'
    | 'unreadable'
    | 'being_deleted'
    | 'autoscaled'
    | 'not_scaled_to_zero'
  readonly message: string
}

export type Diagnosis =
  | Proposal
  | Escalation
  | { readonly kind: 'nothing'; readonly message: string }

/** Beyond this a number is taken for a mistake, not for a size. */
const mostReplicas = 1000
const desiredReplicas = 'deployment.kubernetes.io/desired-replicas'
const revision = 'deployment.kubernetes.io/revision'

/**
 * The whole runbook: a Deployment that was scaled to zero and that nothing else scales goes back to
 * its previous number. Everything else is for a person. Rests on what the cluster says alone, never
 * on words of the alert.
 */
export function diagnose(findings: Findings): Diagnosis {
  const { deployment, autoscalers, pods } = findings
  const { metadata, spec, status } = deployment
  const what = `Deployment ${metadata.namespace}/${metadata.name}`
  if (metadata.deletionTimestamp !== undefined) {
    return { kind: 'escalate', reason: 'being_deleted', message: `${what} is being deleted` }
  }
  const seen = status.observedGeneration >= metadata.generation
  if (spec.replicas > 0 && seen && status.availableReplicas >= spec.replicas) {
    return {
      kind: 'nothing',
      message: `${what} has ${status.availableReplicas} of ${spec.replicas} replicas available`,
    }
  }
  if (spec.replicas > 0) {
    return {
      kind: 'escalate',
      reason: 'not_scaled_to_zero',
      message: `${what} wants ${spec.replicas} replicas and has ${status.availableReplicas} available; ${describe(pods)}`,
    }
  }
  const owner = autoscalers.find(
    ({ spec: { scaleTargetRef } }) =>
      scaleTargetRef.kind === 'Deployment' && scaleTargetRef.name === metadata.name,
  )
  if (owner) {
    return {
      kind: 'escalate',
      reason: 'autoscaled',
      message: `${what} is at zero and HorizontalPodAutoscaler ${owner.metadata.name} owns its replicas`,
    }
  }
  const { replicas, because } = previousReplicas(findings)
  return {
    kind: 'propose',
    action: 'workload.scale',
    target: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
    },
    params: { replicas },
    summary: visible(
      `${what} is set to 0 replicas and ${status.availableReplicas} are available. No autoscaler owns its replicas. ${because} Asking for ${replicas}.`,
      1000,
    ),
  }
}

/** The number before zero, from what controllers wrote down, most telling first. */
function previousReplicas({ deployment, replicaSets, events }: Findings) {
  const revisions = replicaSets
    .filter(({ metadata }) => metadata.ownerReferences.some(isOwner(deployment)))
    .sort((a, b) => revisionOf(b) - revisionOf(a))
  const [newest] = revisions
  const [last] = events
    .flatMap((event) => scaledToZero(event, deployment, newest))
    .sort((a, b) => b.at.localeCompare(a.at))
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
  return {
    replicas: 1,
    because: 'Nothing in the cluster tells the number before; one is the smallest step.',
  }
}

function isOwner({ metadata }: Deployment) {
  return (reference: { readonly uid: string }) => reference.uid === metadata.uid
}

function revisionOf({ metadata }: ReplicaSet): number {
  const number = Number(metadata.annotations[revision])
  return Number.isSafeInteger(number) ? number : 0
}

/**
 * The event a deployment controller leaves when it takes the newest ReplicaSet to zero. Both
 * wordings are in use: https://github.com/kubernetes/kubernetes/pull/125118
 */
function scaledToZero(event: Event, deployment: Deployment, newest: ReplicaSet | undefined) {
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

function describe(pods: readonly Pod[]): string {
  if (pods.length === 0) return 'it has no Pods'
  const states = pods.map(({ status }) => {
    const waiting = status.containerStatuses.map(({ state }) => state.waiting?.reason)
    return waiting.find(Boolean) ?? status.phase
  })
  const counts = Map.groupBy(states, (state) => state)
  return `its Pods: ${[...counts].map(([state, all]) => `${all.length} ${visible(state, 64)}`).join(', ')}`
}
