import type { WatchCache } from '@jackstay/kube/cache'
import type { ResourceType } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { type Controller, placeIn } from './controller.ts'

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
  async reconcile(key, { client, caches, signal }) {
    const { namespace } = placeIn(key)
    const known = uidsIn(Object.values(caches), namespace)
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
