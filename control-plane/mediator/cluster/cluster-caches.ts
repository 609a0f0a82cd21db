import type { TargetKind } from '@jackstay/actions/action'
import { resetBreakersAnnotation } from '@jackstay/contract/api'
import { digestOf } from '@jackstay/contract/json'
import { actionPolicy } from '@jackstay/contract/kinds/action-policy'
import { agentClass, classNamespacePrefix } from '@jackstay/contract/kinds/agent-class'
import { agentKey, agentKeyStatus } from '@jackstay/contract/kinds/agent-key'
import { approval } from '@jackstay/contract/kinds/approval'
import { changeWindow } from '@jackstay/contract/kinds/change-window'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion, type Kind, objectOf } from '@jackstay/contract/kinds/kind'
import { type SuspensionSpec, suspension } from '@jackstay/contract/kinds/suspension'
import { classHash } from '@jackstay/judge/class-ceiling'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { podIsLive } from '@jackstay/service/caller'
import { windowGrant } from '../clearance/grant.ts'
import type {
  ApprovalView,
  ClassView,
  ClusterView,
  IntentObjectView,
  KeyView,
  NamespaceView,
  PodView,
} from '../ports.ts'
import { moreThanReads, openRightsCaches, type RightsCaches } from '../rights/caches.ts'
import {
  openSurroundingCaches,
  priorityIn,
  type SurroundingCaches,
} from '../surroundings/caches.ts'
import { type WindowView, windowView } from '../windows/window-view.ts'
import { type Keeping, keep, keepMetadata } from './keeping.ts'
import { type PolicyView, policyView, problemOf } from './policy-view.ts'
import { openTargetCaches, type TargetCaches } from './target-caches.ts'

/** What the caches keep of any class, whether its spec can be read or not. */
interface AnyClass {
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly statusHash: string
  /** The annotation by which a person resets breakers. */
  readonly resetBreakers: string | undefined
}

export interface ReadableClass extends AnyClass, ClassView {
  readonly problem?: undefined
}

/** One that was valid when it was stored, say, and is not to this version: it grants nothing. */
export interface UnreadableClass extends AnyClass {
  readonly problem: string
}

export type CachedClass = ReadableClass | UnreadableClass

function readable(found: CachedClass | undefined): ReadableClass | undefined {
  return found === undefined || found.problem !== undefined ? undefined : found
}

export interface Caches extends SurroundingCaches, RightsCaches {
  readonly classes: WatchCache<CachedClass>
  readonly keys: WatchCache<KeyView>
  readonly policies: WatchCache<PolicyView>
  readonly suspensions: WatchCache<SuspensionSpec>
  readonly windows: WatchCache<WindowView>
  readonly approvals: WatchCache<ApprovalView>
  readonly intents: WatchCache<IntentObjectView>
  readonly namespaces: WatchCache<NamespaceView>
  readonly pods: WatchCache<PodView>
  readonly targets: TargetCaches
}

/** The subject of an Approval as a lookup key. */
export function subjectKey(kind: string, name: string): string {
  return `${kind}/${name}`
}

/** Everything the mediator watches, as small projections. */
export function openCaches(
  client: KubeClient,
  kinds: readonly TargetKind[],
  keeping: Keeping,
): Caches {
  const ours = <T>(
    { plural }: Kind,
    project: (object: KubeObject) => T | undefined,
    index?: (value: T) => string,
  ) => keep(client, [groupVersion, plural], keeping, project, index)
  return {
    classes: ours(agentClass, projectClass),
    keys: ours(agentKey, projectKey, (key) => key.thumbprint),
    policies: ours(actionPolicy, policyView),
    // one that does not read could be the one that says no: the cache then counts as out of step,
    // and everything stands still until it is repaired
    suspensions: ours(suspension, (o) => objectOf(suspension).parse(o).spec),
    windows: ours(changeWindow, windowView),
    approvals: ours(approval, projectApproval, ({ subject }) =>
      subjectKey(subject.kind, subject.name),
    ),
    intents: ours(intentObject, projectIntent, (i) => i.name),
    namespaces: keepMetadata(client, ['v1', 'namespaces'], keeping, projectNamespace),
    pods: keepMetadata(client, ['v1', 'pods'], keeping, projectPod, {
      index: (pod) => pod.uid,
      // one that has ended is reported as deleted; of the others the metadata says enough
      fieldSelector: ['Succeeded', 'Failed', 'Unknown'].map((p) => `status.phase!=${p}`).join(','),
    }),
    ...openSurroundingCaches(client, keeping),
    ...openRightsCaches(client, keeping),
    targets: openTargetCaches(client, kinds, keeping),
  }
}

function projectNamespace({ metadata }: Pick<KubeObject, 'metadata'>): NamespaceView {
  return { name: metadata.name ?? '', labels: metadata.labels ?? {} }
}

export function projectClass(object: KubeObject): CachedClass {
  const { name = '', uid = '', generation = 0, annotations } = object.metadata
  const resetBreakers = annotations?.[resetBreakersAnnotation]
  const statusHash = digestOf(isRecord(object.status) ? object.status : {})
  const any = { name, uid, generation, statusHash, resetBreakers }
  const parsed = objectOf(agentClass).safeParse(object)
  if (!parsed.success) return { ...any, problem: problemOf(parsed.error) }
  const { spec } = parsed.data
  return { ...any, spec, hash: classHash(spec) }
}

function projectKey(object: KubeObject): KeyView | undefined {
  const parsed = objectOf(agentKey).safeParse(object)
  if (!parsed.success) return undefined
  const { metadata, spec, status } = parsed.data
  const state = agentKeyStatus.safeParse(status ?? {})
  return {
    ...spec,
    namespace: metadata.namespace ?? '',
    revoked:
      !state.success || state.data.revoked === true || metadata.deletionTimestamp !== undefined,
  }
}

function projectApproval(object: KubeObject): ApprovalView | undefined {
  const parsed = objectOf(approval).safeParse(object)
  if (!parsed.success) return undefined
  const { metadata, spec } = parsed.data
  if (metadata.deletionTimestamp !== undefined) return undefined
  const { subject, digest, verdict, approver, groups, reason } = spec
  const { name, namespace = '', uid, creationTimestamp: at = '' } = metadata
  return { name, namespace, uid, subject, digest, verdict, approver, groups, reason, at }
}

function projectIntent(object: KubeObject): IntentObjectView {
  const { metadata, status } = object
  const state = isRecord(status) ? status : {}
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    deleting: metadata.deletionTimestamp !== undefined,
    createdAt: metadata.creationTimestamp ?? '',
    phase: typeof state.phase === 'string' ? state.phase : undefined,
    ...(typeof state.expiresAt === 'string' && { expiresAt: state.expiresAt }),
    statusHash: digestOf(state),
  }
}

function projectPod({ metadata }: Pick<KubeObject, 'metadata'>): PodView | undefined {
  if (!metadata.namespace?.startsWith(classNamespacePrefix)) return undefined
  const { uid = '', deletionTimestamp } = metadata
  // or Pending, which is as much: Pods that have ended are gone from this cache
  const phase = 'Running'
  return { uid, phase, ...(deletionTimestamp !== undefined && { deletionTimestamp }) }
}

/** Every cache there is, by its name. */
export function allCaches({ targets, ...named }: Caches): [string, WatchCache<unknown>][] {
  return [...Object.entries(named), ...targets]
}

export interface CachedCluster extends ClusterView {
  /** Which caches are not in step, and why where it is known. */
  unsynced(): readonly string[]
  /** Whether the Pod of this uid is not known to have ended. */
  podLives(uid: string): boolean
}

/** One key in two Pods is nobody's: as good as revoked. */
function theOne([key, ...others]: readonly KeyView[]): KeyView | undefined {
  return key && { ...key, revoked: key.revoked || others.length > 0 }
}

/** A stored object that does not read could be a stop: until somebody mends it everything is denied. */
function outOfStep([name, cache]: readonly [string, WatchCache<unknown>]): string {
  const [first, ...others] = cache.unreadable()
  if (first === undefined) return `cache \`${name}\` is not in step`
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  return `of \`${name}\` the object \`${first}\`${more} does not read: correct or delete it`
}

/** The caches as the stages see them. */
export function clusterView(caches: Caches, oneOperator: boolean): CachedCluster {
  const approvalsOf: ClusterView['approvalsOf'] = (kind, name) =>
    caches.approvals.findAll(subjectKey(kind, name))
  const all = allCaches(caches)
  return {
    unsynced: () => all.filter(([, cache]) => !cache.synced()).map(outOfStep),
    synced: () => all.every(([, cache]) => cache.synced()),
    class: (name) => readable(caches.classes.get(undefined, name)),
    classes: () =>
      [...caches.classes.values()].map(readable).filter((found) => found !== undefined),
    key: (thumbprint) => theOne(caches.keys.findAll(thumbprint)),
    pod: (namespace, name) => caches.pods.get(namespace, name),
    podLives(uid) {
      // a cache out of step knows of no death
      return !caches.pods.synced() || podIsLive(caches.pods.find(uid), uid)
    },
    namespace: (name) => caches.namespaces.get(undefined, name),
    moreThanReads: (classNamespace, places) => moreThanReads(caches, classNamespace, places),
    windows: () =>
      [...caches.windows.values()]
        .filter((view) => windowGrant(view, approvalsOf, oneOperator)?.granted !== false)
        .map(({ window }) => window),
    quotas: (namespace) => caches.quotas.findAll(namespace),
    budgets: (namespace) => caches.budgets.findAll(namespace),
    autoscalers: (namespace) => caches.autoscalers.findAll(namespace),
    priority: (className) => priorityIn(caches, className),
    suspensions: () => [...caches.suspensions.values()],
    approvalsOf,
    intentObject: (id) => caches.intents.find(id),
    intentObjects: () => caches.intents.values(),
  }
}
