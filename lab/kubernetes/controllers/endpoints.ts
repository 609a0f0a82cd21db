import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '@jackstay/kube/resources'
import { withoutUndefined } from '../api/prepare.ts'
import type { KubeObject } from '../objects.ts'
import { at, listAt, mapAt, numberAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { referenceTo } from './owned.ts'
import { isReady } from './pods.ts'

const services = { apiVersion: 'v1', kind: 'Service', resource: 'services' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const slices = {
  ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', resource: 'endpointslices' },
}
const serviceLabel = 'kubernetes.io/service-name'
const managedBy = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }

type Watched = 'pods' | 'services' | 'slices'

/** Says where the Pods of a Service are, and which of them serve. */
export const endpointsController: Controller<Watched> = {
  name: 'endpointslice-controller',
  watches: {
    services: { type: services, keys: (service) => [keyOf(service)] },
    // whatever Service selects it
    pods: { type: pods, keys: ({ metadata }) => [`${metadata.namespace ?? ''}/`] },
    slices: {
      type: slices,
      keys: ({ metadata: { namespace, labels = {} } }) => {
        const service = labels[serviceLabel]
        return service === undefined ? [] : [`${namespace}/${service}`]
      },
    },
  },
  async reconcile(key, parts) {
    const { namespace, name } = placeIn(key)
    if (name !== '') {
      await settle(namespace, name, parts)
      return undefined
    }
    for (const { metadata } of parts.caches.services.values()) {
      if (metadata.namespace === namespace) await settle(namespace, metadata.name ?? '', parts)
    }
    return undefined
  },
}

async function settle(namespace: string, name: string, parts: Reconciling<Watched>): Promise<void> {
  const { client, caches, signal } = parts
  const service = caches.services.get(namespace, name)
  const own = [...caches.slices.values()].filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceLabel] === name,
  )
  const selector = Object.entries(mapAt(service, 'spec.selector'))
  const isOurs = service !== undefined && service.metadata.deletionTimestamp === undefined
  const [kept, ...extra] = own
  if (!isOurs || selector.length === 0) {
    for (const slice of service === undefined ? own : []) await remove(slice, parts)
    return
  }
  for (const slice of extra) await remove(slice, parts)
  const chosen = [...caches.pods.values()]
    .filter(
      ({ metadata }) =>
        metadata.namespace === namespace &&
        selector.every(([label, value]) => metadata.labels?.[label] === value),
    )
    .filter(isReachable)
  const wanted = withoutUndefined(sliceOf(service, chosen))
  if (kept === undefined) {
    const made = await client.create(slices, namespace, wanted, { signal })
    if (made.kind === 'refused' && made.reason !== 'NotFound') throw new Error(made.message)
    return
  }
  const same = (['endpoints', 'ports'] as const).every((field) =>
    isDeepStrictEqual(kept[field] ?? null, Reflect.get(wanted, field) ?? null),
  )
  if (same) return
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${kept.metadata.name}`
  const { endpoints, ports } = wanted
  const put = await client.request({
    method: 'PUT',
    path,
    body: { ...kept, endpoints, ports },
    signal,
  })
  if (put.status >= 300)
    throw new Error(`the endpoints of \`${name}\` were not taken: ${put.status}`)
}

async function remove({ metadata }: KubeObject, { client, signal }: Reconciling<Watched>) {
  const { namespace = '', name = '', uid = '' } = metadata
  await client.delete({ ...slices, namespace, name }, { preconditions: { uid }, signal })
}

function isReachable(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status.phase')
  if (textAt(pod, 'spec.nodeName') === '') return false
  return textAt(pod, 'status.podIP') !== '' && phase !== 'Succeeded' && phase !== 'Failed'
}

function sliceOf(service: KubeObject, chosen: readonly KubeObject[]) {
  const { name = '', labels = {} } = service.metadata
  const sorted = chosen.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const [first] = sorted
  return {
    ...{ apiVersion: slices.apiVersion, kind: slices.kind },
    metadata: {
      generateName: `${name}-`,
      labels: { ...labels, ...managedBy, [serviceLabel]: name },
      ownerReferences: [referenceTo(service)],
    },
    addressType: 'IPv4',
    endpoints: first === undefined ? null : sorted.map((pod) => endpointOf(pod, service)),
    ports: first === undefined ? null : portsOf(service, first),
  }
}

function endpointOf(pod: KubeObject, service: KubeObject) {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata
  const terminating = deletionTimestamp !== undefined
  const always = at(service, 'spec.publishNotReadyAddresses') === true
  const serving = isReady(pod)
  return {
    addresses: [textAt(pod, 'status.podIP')],
    conditions: { ready: always || (serving && !terminating), serving, terminating },
    nodeName: textAt(pod, 'spec.nodeName'),
    targetRef: { kind: 'Pod', name, namespace, uid },
  }
}

function portsOf(service: KubeObject, pod: KubeObject) {
  return listAt(service, 'spec.ports')
    .filter(isRecord)
    .map((port) => {
      const target = port.targetPort ?? port.port
      const number = typeof target === 'number' ? target : containerPort(pod, String(target))
      const name = textAt(port, 'name')
      return { name, port: number, protocol: textAt(port, 'protocol', 'TCP') }
    })
}

function containerPort(pod: KubeObject, name: string): number | undefined {
  const found = listAt(pod, 'spec.containers')
    .flatMap((container) => listAt(container, 'ports'))
    .find((port) => textAt(port, 'name') === name)
  return found === undefined ? undefined : numberAt(found, 'containerPort')
}
