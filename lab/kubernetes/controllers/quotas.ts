import { isDeepStrictEqual } from 'node:util'
import { readQuantity } from '@jackstay/judge/quantities'
import type { KubeClient } from '@jackstay/kube/client'
import type { ResourceType } from '@jackstay/kube/resources'
import { amountText, usageOf } from '../admission/usage.ts'
import type { KubeObject } from '../objects.ts'
import { mapAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn } from './controller.ts'
import { statusWritten } from './status.ts'

const quotas = { apiVersion: 'v1', kind: 'ResourceQuota', resource: 'resourcequotas' }

/** What quotas of the lab can count. */
const counted = {
  pods: { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
  services: { apiVersion: 'v1', kind: 'Service', resource: 'services' },
  configMaps: { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
  secrets: { apiVersion: 'v1', kind: 'Secret', resource: 'secrets' },
  claims: {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', resource: 'persistentvolumeclaims' },
  },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  replicaSets: { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  statefulSets: { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  jobs: { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' },
  cronJobs: { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' },
} as const satisfies Readonly<Record<string, ResourceType>>
type Counted = keyof typeof counted

/** Whatever comes or goes may be charged: all quotas of its namespace are looked at. */
function watched(kind: Counted) {
  const keys = ({ metadata }: KubeObject) => [`${metadata.namespace ?? ''}/`]
  return { type: counted[kind], keys }
}

/** Says of each quota how much of it is used: what goes is given back, what was lost track of is counted. */
export const quotaController: Controller<Counted | 'quotas'> = {
  name: 'resourcequota-controller',
  watches: {
    quotas: { type: quotas, keys: (quota) => [keyOf(quota)] },
    pods: watched('pods'),
    services: watched('services'),
    configMaps: watched('configMaps'),
    secrets: watched('secrets'),
    claims: watched('claims'),
    deployments: watched('deployments'),
    replicaSets: watched('replicaSets'),
    statefulSets: watched('statefulSets'),
    jobs: watched('jobs'),
    cronJobs: watched('cronJobs'),
  },
  async reconcile(key, { client, caches, signal }) {
    const { namespace, name } = placeIn(key)
    for (const quota of caches.quotas.values()) {
      const { metadata } = quota
      if (metadata.namespace !== namespace || (name !== '' && metadata.name !== name)) continue
      const hard = mapAt(quota, 'spec.hard')
      const names = Object.keys(hard)
      const known = usedBy(names, (kind) =>
        [...caches[kind].values()].filter((one) => one.metadata.namespace === namespace),
      )
      if (isDeepStrictEqual(mapAt(quota, 'status'), { hard, used: known })) continue
      // what was charged just now no watch has told of yet: who wrote less would let too many through
      const listed = await listedNow(names, namespace, client, signal)
      const status = { hard, used: usedBy(names, (kind) => listed.get(kind) ?? []) }
      await statusWritten({ client, signal }, quotas, quota, status)
    }
    return undefined
  },
}

const kinds = Object.keys(counted) as Counted[]

async function listedNow(
  names: readonly string[],
  namespace: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<Counted, readonly KubeObject[]>> {
  const concerned = kinds.filter((kind) => names.some((name) => concerns(counted[kind], name)))
  const lists = concerned.map(async (kind) => {
    const { items } = await client.list(counted[kind], { namespace, signal })
    return [kind, items] as const
  })
  return new Map(await Promise.all(lists))
}

function groupOf({ apiVersion }: ResourceType): string {
  return apiVersion.includes('/') ? apiVersion.replace(/\/.*$/, '') : ''
}

function concerns(type: ResourceType, name: string): boolean {
  const { resource } = type
  const group = groupOf(type)
  if (name === resource || name === `count/${resource}${group === '' ? '' : `.${group}`}`)
    return true
  return (
    resource === 'pods' &&
    !name.startsWith('count/') &&
    /^(cpu|memory|requests\.|limits\.)/.test(name)
  )
}

function usedBy(names: readonly string[], objects: (kind: Counted) => readonly KubeObject[]) {
  const usages = kinds.flatMap((kind) => {
    const group = groupOf(counted[kind])
    const { resource } = counted[kind]
    return objects(kind)
      .filter((object) => counts(kind, object))
      .map((object) => usageOf({ group, resource }, object).amounts)
  })
  return Object.fromEntries(
    names.map((name) => {
      const texts = usages.flatMap((amounts) => amounts[name] ?? [])
      const sum = texts.reduce((total, text) => total + (readQuantity(text) ?? 0n), 0n)
      return [name, amountText(sum, texts)]
    }),
  )
}

/** Pods that ended are charged to nobody. */
function counts(kind: Counted, object: KubeObject): boolean {
  const phase = textAt(object, 'status.phase')
  return kind !== 'pods' || (phase !== 'Succeeded' && phase !== 'Failed')
}
