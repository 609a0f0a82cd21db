import type { Autoscaler, Deployment, Event, Node, Pod, ReplicaSet } from './objects.ts'

/** Everything read about one Deployment. */
export interface Findings {
  /** When it was read, in milliseconds since the epoch. */
  readonly at: number
  readonly deployment: Deployment
  readonly replicaSets: readonly ReplicaSet[]
  readonly autoscalers: readonly Autoscaler[]
  readonly pods: readonly Pod[]
  /** May be incomplete: they expire. */
  readonly events: readonly Event[]
  readonly nodes: readonly Node[]
  /** How long a node has to be cordoned before that counts as left behind. */
  readonly cordonSettledMs: number
  /** What could not be read, and why. What is missing here is not known to be absent. */
  readonly unread: Readonly<Partial<Record<'events' | 'nodes', string>>>
}

const revisionKey = 'deployment.kubernetes.io/revision'

/** The revisions of a Deployment: what runs or should, and what was set before. */
export interface Revisions {
  readonly current?: ReplicaSet
  readonly previous?: ReplicaSet
}

export function revisionsOf({ deployment, replicaSets }: Findings): Revisions {
  const wanted = revisionOf(deployment)
  const newestFirst = ownedBy(deployment, replicaSets)
  const current = newestFirst.find((one) => wanted > 0 && revisionOf(one) === wanted)
  const previous = newestFirst.find((one) => revisionOf(one) < wanted)
  return { ...(current && { current }), ...(current && previous && { previous }) }
}

/** Its ReplicaSets, the newest revision first. */
export function ownedBy(deployment: Deployment, all: readonly ReplicaSet[]): ReplicaSet[] {
  return all
    .filter((one) => isOwnedBy(one, deployment))
    .toSorted((a, b) => revisionOf(b) - revisionOf(a))
}

export function revisionOf({ metadata }: ReplicaSet | Deployment): number {
  const text = metadata.annotations[revisionKey] ?? ''
  const number = /^[1-9]\d*$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(number) ? number : 0
}

export function podsOf(owner: ReplicaSet | undefined, pods: readonly Pod[]): readonly Pod[] {
  return owner === undefined ? [] : pods.filter((one) => isOwnedBy(one, owner))
}

function isOwnedBy({ metadata }: ReplicaSet | Pod, owner: ReplicaSet | Deployment): boolean {
  return metadata.ownerReferences.some(({ uid }) => uid === owner.metadata.uid)
}

export function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  return status.conditions.some((c) => c.type === 'Ready' && c.status === 'True')
}

/** Whether this revision was completely rolled out at some time, by the deployment controller. */
export function wasRolledOut({ status }: Deployment): boolean {
  const progressing = status.conditions.find(({ type }) => type === 'Progressing')
  return progressing?.reason === 'NewReplicaSetAvailable'
}

/** Whether its newest revision made no progress for as long as the Deployment allows. */
export function stands({ status }: Deployment): boolean {
  const progressing = status.conditions.find(({ type }) => type === 'Progressing')
  return progressing?.reason === 'ProgressDeadlineExceeded'
}

export function placeOf({ metadata }: Deployment): string {
  return `Deployment ${metadata.namespace}/${metadata.name}`
}
