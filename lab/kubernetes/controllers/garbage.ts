import type { WatchCache } from '@jackstay/kube/cache'
import type { ResourceType } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { type Controller, placeIn, type Reconciling } from './controller.ts'

/** Owners and what they own, as far as the lab's controllers make them. */
const kinds = {
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  replicaSets: { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  statefulSets: { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  daemonSets: { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets' },
  cronJobs: { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' },
  jobs: { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' },
  pods: { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
} as const satisfies Readonly<Record<string, ResourceType>>
type Kind = keyof typeof kinds
const all: readonly Kind[] = [
  'deployments',
  'replicaSets',
  'statefulSets',
  'daemonSets',
  'cronJobs',
  'jobs',
  'pods',
]

/** Whoever is gone may have left something of any kind: all of its namespace is looked at. */
function watched(kind: Kind) {
  const keys = ({ metadata }: KubeObject) => [`${metadata.namespace ?? ''}/all`]
  return { type: kinds[kind], keys }
}

/** What belongs to nobody any more goes. */
export const garbageCollector: Controller<Kind> = {
  name: 'generic-garbage-collector',
  watches: {
    deployments: watched('deployments'),
    replicaSets: watched('replicaSets'),
    statefulSets: watched('statefulSets'),
    daemonSets: watched('daemonSets'),
    cronJobs: watched('cronJobs'),
    jobs: watched('jobs'),
    pods: watched('pods'),
  },
  async reconcile(key, parts) {
    const { client, caches, signal } = parts
    const { namespace } = placeIn(key)
    const known = uidsIn(Object.values(caches), namespace)
    const here = all.flatMap((kind) =>
      [...caches[kind].values()]
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map((object) => ({ kind, object })),
    )
    for (const owner of here) {
      if (owner.object.metadata.deletionTimestamp !== undefined) await waited(owner, here, parts)
    }
    for (const kind of all) {
      for (const { metadata } of caches[kind].values()) {
        const { ownerReferences = [], name = '', uid = '', deletionTimestamp } = metadata
        if (metadata.namespace !== namespace || deletionTimestamp !== undefined) continue
        const collected = ownerReferences.filter((one) => isOfThese(one.kind))
        if (collected.length === 0 || collected.length < ownerReferences.length) continue
        if (collected.some((owner) => known.has(owner.uid))) continue
        await client.delete({ ...kinds[kind], namespace, name }, { preconditions: { uid }, signal })
      }
    }
    return undefined
  },
}

interface Found {
  readonly kind: Kind
  readonly object: KubeObject
}

/** Finalizers by which an object waits for what it owns: until that is gone, or somebody else's. */
const [foreground, orphan] = ['foregroundDeletion', 'orphan']

async function waited(
  { kind, object }: Found,
  here: readonly Found[],
  { client, signal }: Pick<Reconciling<Kind>, 'client' | 'signal'>,
): Promise<void> {
  const { finalizers = [], uid = '', namespace = '', name = '' } = object.metadata
  const waits = finalizers.find((one) => one === foreground || one === orphan)
  if (waits === undefined) return
  const owned = here.filter(({ object: { metadata } }) =>
    (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid),
  )
  for (const { kind: of, object: one } of owned) {
    const { name: own = '', uid: id = '', deletionTimestamp, ownerReferences = [] } = one.metadata
    const ref = { ...kinds[of], namespace, name: own }
    if (waits === orphan) {
      const left = ownerReferences.filter((owner) => owner.uid !== uid)
      await client.mergePatch(ref, { metadata: { ownerReferences: left } }, { signal })
    } else if (deletionTimestamp === undefined) {
      const deeper = of === 'pods' ? {} : { propagationPolicy: 'Foreground' as const }
      await client.delete(ref, { preconditions: { uid: id }, ...deeper, signal })
    }
  }
  if (waits === foreground && owned.length > 0) return
  const left = finalizers.filter((one) => one !== waits)
  const ref = { ...kinds[kind], namespace, name }
  await client.mergePatch(ref, { metadata: { finalizers: left } }, { signal })
}

function isOfThese(kind: string): boolean {
  return all.some((one) => kinds[one].kind === kind)
}

function uidsIn(caches: readonly WatchCache<KubeObject>[], namespace: string): ReadonlySet<string> {
  const here = caches.flatMap((cache) => [...cache.values()])
  return new Set(
    here
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.uid ?? ''),
  )
}
