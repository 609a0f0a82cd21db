import type { KubeObject } from '../objects.ts'
import { at, numberAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { controlledBy, controllerKey } from './owned.ts'
import { isActive, isAvailable, isReady, untilAvailable } from './pods.ts'
import { controllerRevisions, forgetRevisions, newestRevision } from './revisions.ts'
import { resolved, type Share } from './rollout.ts'
import { claimsOf, ordinalOf, podOf, revisionOf } from './stateful-pods.ts'
import { statusWritten } from './status.ts'

const statefulSets = { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const claims = {
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', resource: 'persistentvolumeclaims' },
}

type Watched = 'claims' | 'pods' | 'revisions' | 'sets'
type Parts = Reconciling<Watched>

/** Pods with names that stay theirs: made and updated one after another, or all at once where they may. */
export const statefulSetController: Controller<Watched> = {
  name: 'statefulset-controller',
  watches: {
    sets: { type: statefulSets, keys: (set) => [keyOf(set)] },
    pods: { type: pods, keys: (pod) => controllerKey('StatefulSet', pod) },
    revisions: { type: controllerRevisions, keys: () => [] },
    claims: { type: claims, keys: () => [] },
  },
  async reconcile(key, parts) {
    const { namespace, name } = placeIn(key)
    const set = parts.caches.sets.get(namespace, name)
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined
    const update = await newestRevision(set, parts)
    const state = stateOf(set, update, parts)
    await report(set, state, parts)
    const refused = await step(set, state, parts)
    await forgetRevisions(
      set,
      [...state.own.map(revisionOf), state.current, update.metadata.name ?? ''],
      parts,
    )
    if (refused) return againMs
    const seconds = numberAt(set, 'spec.minReadySeconds')
    const left = state.own.filter(isReady).map((pod) => untilAvailable(pod, seconds, parts.clock))
    const due = left.filter((ms) => ms > 0)
    return due.length === 0 ? undefined : Math.min(...due)
  },
}

/** What was refused is tried again, for whatever it was that stood in the way. */
const againMs = 2000

interface State {
  /** Its Pods, the lowest number first. */
  readonly own: readonly KubeObject[]
  readonly update: KubeObject
  /** Name of the revision that the last finished update was to. */
  readonly current: string
  readonly first: number
  readonly replicas: number
}

function stateOf(set: KubeObject, update: KubeObject, { caches }: Parts): State {
  const own = controlledBy(set, caches.pods)
    .filter((pod) => !Number.isNaN(ordinalOf(set, pod)))
    .toSorted((a, b) => ordinalOf(set, a) - ordinalOf(set, b))
  return {
    own,
    update,
    current: textAt(set, 'status.currentRevision') || (update.metadata.name ?? ''),
    first: numberAt(set, 'spec.ordinals.start'),
    replicas: numberAt(set, 'spec.replicas', 1),
  }
}

/** One step towards what is wanted; the watch brings the next. Answers whether it was refused. */
async function step(set: KubeObject, state: State, parts: Parts): Promise<boolean> {
  const { own, first, replicas } = state
  const isOrdered = textAt(set, 'spec.podManagementPolicy', 'OrderedReady') === 'OrderedReady'
  const byNumber = new Map(own.map((pod) => [ordinalOf(set, pod), pod]))
  for (let ordinal = first; ordinal < first + replicas; ordinal++) {
    const pod = byNumber.get(ordinal)
    if (pod === undefined) {
      if (await refusedToMake(set, state, ordinal, parts)) return true
      if (isOrdered) return false
    } else if (hasEnded(pod)) {
      await remove(pod, set, parts)
      if (isOrdered) return false
    } else if (isOrdered && !serves(set, pod, parts)) return false
  }
  const condemned = own
    .filter((pod) => ordinalOf(set, pod) < first || ordinalOf(set, pod) >= first + replicas)
    .toReversed()
  for (const pod of condemned) {
    if (pod.metadata.deletionTimestamp === undefined) await remove(pod, set, parts)
    if (isOrdered) return false
  }
  await giveBackClaims(set, state, parts)
  await replaceOutdated(set, state, parts)
  return false
}

function serves(set: KubeObject, pod: KubeObject, { clock }: Parts): boolean {
  const seconds = numberAt(set, 'spec.minReadySeconds')
  return isActive(pod) && isAvailable(pod, seconds, clock)
}

function hasEnded(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status.phase')
  return (
    (phase === 'Failed' || phase === 'Succeeded') && pod.metadata.deletionTimestamp === undefined
  )
}

async function refusedToMake(
  set: KubeObject,
  state: State,
  ordinal: number,
  { client, caches, record, signal }: Parts,
): Promise<boolean> {
  const { namespace = '', name = '' } = set.metadata
  const { update, current, first } = state
  for (const claim of claimsOf(set, ordinal)) {
    if (caches.claims.get(namespace, claim.metadata.name ?? '') !== undefined) continue
    const made = await client.create(claims, namespace, claim, { signal })
    if (made.kind === 'refused') return true
  }
  const partition = numberAt(set, 'spec.updateStrategy.rollingUpdate.partition')
  const isHeld = ordinal < first + partition && current !== update.metadata.name
  const before = isHeld ? caches.revisions.get(namespace, current) : undefined
  const pod = podOf(set, before ?? update, ordinal)
  const made = await client.create(pods, namespace, pod, { signal })
  if (made.kind === 'unknown') throw new Error(`no Pod of \`${name}\``, { cause: made.cause })
  const what = `Create Pod ${pod.metadata.name ?? ''} in StatefulSet ${name}`
  if (made.kind === 'refused') {
    const message = `${what} failed error: ${made.message}`
    record(set, { type: 'Warning', reason: 'FailedCreate', message })
    return true
  }
  record(set, { type: 'Normal', reason: 'SuccessfulCreate', message: `${what} successful` })
  return false
}

async function remove(
  { metadata }: KubeObject,
  set: KubeObject,
  { client, record, signal }: Parts,
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = metadata
  await client.delete({ ...pods, namespace, name }, { preconditions: { uid }, signal })
  const message = `Delete Pod ${name} in StatefulSet ${set.metadata.name ?? ''} successful`
  record(set, { type: 'Normal', reason: 'SuccessfulDelete', message })
}

/** Claims of Pods that are no longer wanted, where the set says that they go with them. */
async function giveBackClaims(
  set: KubeObject,
  { first, replicas }: State,
  { client, caches, signal }: Parts,
): Promise<void> {
  const policy = textAt(set, 'spec.persistentVolumeClaimRetentionPolicy.whenScaled')
  const { namespace = '' } = set.metadata
  if (policy !== 'Delete') return
  for (let ordinal = first + replicas; ; ordinal++) {
    const found = claimsOf(set, ordinal).flatMap(
      ({ metadata }) => caches.claims.get(namespace, metadata.name ?? '') ?? [],
    )
    if (found.length === 0) return
    for (const { metadata } of found) {
      const { name = '', uid = '' } = metadata
      await client.delete({ ...claims, namespace, name }, { preconditions: { uid }, signal })
    }
  }
}

/** The highest first, never more at once than may be missing; where a Pod does not serve all wait. */
async function replaceOutdated(set: KubeObject, state: State, parts: Parts): Promise<void> {
  if (textAt(set, 'spec.updateStrategy.type', 'RollingUpdate') !== 'RollingUpdate') return
  const { own, update, first, replicas } = state
  const rolling = 'spec.updateStrategy.rollingUpdate'
  const partition = numberAt(set, `${rolling}.partition`)
  const share = at(set, `${rolling}.maxUnavailable`)
  const most = Math.max(1, resolved(isShare(share) ? share : 1, replicas, Math.ceil))
  let missing = own.filter((pod) => !serves(set, pod, parts)).length
  const open = own.filter((pod) => ordinalOf(set, pod) >= first + partition).toReversed()
  for (const pod of open) {
    if (missing >= most) return
    if (revisionOf(pod) === update.metadata.name) continue
    if (pod.metadata.deletionTimestamp !== undefined) continue
    await remove(pod, set, parts)
    missing++
  }
}

function isShare(value: unknown): value is Share {
  return typeof value === 'number' || typeof value === 'string'
}

async function report(set: KubeObject, state: State, parts: Parts): Promise<void> {
  const { own, update, replicas } = state
  const { client, clock, signal } = parts
  const seconds = numberAt(set, 'spec.minReadySeconds')
  const count = (holds: (pod: KubeObject) => boolean) => own.filter(holds).length
  const of = (revision: string) =>
    count((pod) => pod.metadata.deletionTimestamp === undefined && revisionOf(pod) === revision)
  const updateRevision = update.metadata.name ?? ''
  const ready = count((pod) => isReady(pod) && textAt(pod, 'status.phase') === 'Running')
  const updated = of(updateRevision)
  const isRolling = textAt(set, 'spec.updateStrategy.type', 'RollingUpdate') === 'RollingUpdate'
  const isDone = isRolling && updated === replicas && ready === replicas && own.length === replicas
  const currentRevision = isDone ? updateRevision : state.current
  const current = of(currentRevision)
  const status = {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: own.length,
    ...(ready > 0 && { readyReplicas: ready }),
    ...(current > 0 && { currentReplicas: current }),
    ...(updated > 0 && { updatedReplicas: updated }),
    ...{ currentRevision, updateRevision, collisionCount: 0 },
    availableReplicas: count((pod) => isAvailable(pod, seconds, clock)),
  }
  await statusWritten({ client, signal }, statefulSets, set, status)
}
