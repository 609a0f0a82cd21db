import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import { worldNamespaces } from '../world/world.ts'

const kinds = [
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
  { apiVersion: 'v1', kind: 'Service', resource: 'services' },
  { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
  { apiVersion: 'v1', kind: 'ResourceQuota', resource: 'resourcequotas' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', resource: 'endpointslices' },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    resource: 'horizontalpodautoscalers',
  },
] as const
const node = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }

export type ObservedKind = (typeof kinds)[number]['kind'] | 'Node'

/** The world as a cluster shows it, read at about the same moment. */
export interface Observed {
  /** `namespace/name`, or a name alone. */
  get(kind: ObservedKind, place: string): KubeObject | undefined
  list(kind: ObservedKind, namespace: string): readonly KubeObject[]
}

/** @throws JackstayError as a read does */
export async function observe(client: KubeClient, signal?: AbortSignal): Promise<Observed> {
  const options = signal === undefined ? {} : { signal }
  const all = await Promise.all([
    client.list(node, options).then(({ items }) => [node.kind, items] as const),
    ...worldNamespaces.flatMap((namespace) =>
      kinds.map(async (type) => {
        const { items } = await client.list(type, { namespace, ...options })
        return [type.kind, items] as const
      }),
    ),
  ])
  const found = new Map<string, KubeObject>()
  for (const [kind, items] of all)
    for (const one of items) found.set(`${kind} ${placeOf(one)}`, one)
  const within = (kind: ObservedKind, namespace: string) => {
    const of = `${kind} ${namespace === '' ? '' : `${namespace}/`}`
    return [...found].flatMap(([key, one]) => (key.startsWith(of) ? [one] : []))
  }
  return { get: (kind, place) => found.get(`${kind} ${place}`), list: within }
}

function placeOf({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined ? String(name) : `${namespace}/${name}`
}
