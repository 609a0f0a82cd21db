import {
  ageColumn,
  ageOf,
  at,
  column,
  conditionOf,
  labelsOf,
  listAt,
  mapAt,
  nameColumn,
  numberAt,
  textAt,
  wide,
} from './columns.ts'
import { limitRange, secret, service } from './core-defaults.ts'
import { podItself } from './defaults.ts'
import { inGroup, withSpec } from './describe.ts'
import { podColumns } from './pods.ts'
import type { Column, Resource, Strategy } from './resource.ts'

const kind = inGroup('', 'v1')

const count = (name: string, path: string): Column =>
  column(name, (object) => Object.keys(mapAt(object, path)).length, { type: 'string' })

const nodeRoles = ({ metadata: { labels = {} } }: Parameters<Column['cell']>[0]) =>
  Object.keys(labels)
    .filter((label) => label.startsWith('node-role.kubernetes.io/'))
    .map((label) => label.slice('node-role.kubernetes.io/'.length))
    .sort()
    .join(',') || '<none>'

function nodeStatus(node: unknown): string {
  const ready = conditionOf(node, 'Ready')
  const state =
    ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec.unschedulable') === true ? `${state},SchedulingDisabled` : state
}

function addressOf(node: unknown, type: string): string {
  const found = listAt(node, 'status.addresses').find((one) => textAt(one, 'type') === type)
  return textAt(found, 'address', '<none>')
}

const nodeColumns: readonly Column[] = [
  nameColumn,
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  ageColumn,
  column('Version', (node) => textAt(node, 'status.nodeInfo.kubeletVersion')),
  wide('Internal-IP', (node) => addressOf(node, 'InternalIP')),
  wide('External-IP', (node) => addressOf(node, 'ExternalIP')),
  wide('OS-Image', (node) => textAt(node, 'status.nodeInfo.osImage', '<unknown>')),
  wide('Kernel-Version', (node) => textAt(node, 'status.nodeInfo.kernelVersion', '<unknown>')),
  wide('Container-Runtime', (node) =>
    textAt(node, 'status.nodeInfo.containerRuntimeVersion', '<unknown>'),
  ),
]

function portsOf(service: unknown): string {
  const ports = listAt(service, 'spec.ports').map((port) => {
    const nodePort = numberAt(port, 'nodePort')
    const number = textAt(port, 'port')
    return `${number}${nodePort > 0 ? `:${nodePort}` : ''}/${textAt(port, 'protocol', 'TCP')}`
  })
  return ports.join(',') || '<none>'
}

const serviceColumns: readonly Column[] = [
  column('Type', (service) => textAt(service, 'spec.type', 'ClusterIP')),
  column('Cluster-IP', (service) => textAt(service, 'spec.clusterIP', '<none>')),
  column('External-IP', () => '<none>'),
  column('Port(s)', portsOf),
]

const eventColumns: readonly Column[] = [
  column('Last Seen', (event, now) => {
    const seen = textAt(event, 'lastTimestamp') || textAt(event, 'eventTime')
    return ageOf(seen || event.metadata.creationTimestamp, now)
  }),
  column('Type', (event) => textAt(event, 'type')),
  column('Reason', (event) => textAt(event, 'reason')),
  column(
    'Object',
    (event) =>
      `${textAt(event, 'involvedObject.kind').toLowerCase()}/${textAt(event, 'involvedObject.name')}`,
  ),
  wide('Subobject', (event) => textAt(event, 'involvedObject.fieldPath')),
  wide(
    'Source',
    (event) => textAt(event, 'source.component') || textAt(event, 'reportingComponent'),
  ),
  column('Message', (event) => textAt(event, 'message').trim()),
  wide('First Seen', (event, now) =>
    ageOf(textAt(event, 'firstTimestamp') || event.metadata.creationTimestamp, now),
  ),
  wide('Count', (event) => String(Math.max(1, numberAt(event, 'count')))),
  wide('Name', ({ metadata }) => metadata.name ?? ''),
]

function quotaOf(scope: 'requests' | 'limits') {
  return (quota: unknown): string => {
    const hard = mapAt(quota, 'status.hard')
    const used = mapAt(quota, 'status.used')
    return Object.keys(hard)
      .filter((name) => name.startsWith('limits.') === (scope === 'limits'))
      .sort()
      .map((name) => `${name}: ${String(used[name] ?? '0')}/${String(hard[name])}`)
      .join(', ')
  }
}

const namespaces: Strategy = {
  firstStatus: { phase: 'Active' },
  withDefaults(object) {
    const { metadata } = object
    const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name ?? '' }
    const spec = { finalizers: ['kubernetes'], ...mapAt(object, 'spec') }
    return { ...object, metadata: { ...metadata, labels }, spec }
  },
}

/** The core group. */
export const coreKinds: readonly Resource[] = [
  kind('Namespace', {
    strategy: namespaces,
    cluster: true,
    shortNames: ['ns'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: ['status', 'finalize'],
    columns: [column('Status', (namespace) => textAt(namespace, 'status.phase'))],
  }),
  kind('Pod', {
    strategy: withSpec(podItself, { phase: 'Pending', qosClass: 'BestEffort' }),
    generation: true,
    shortNames: ['po'],
    categories: ['all'],
    subresources: ['status', 'log', 'eviction', 'binding'],
    table: podColumns,
  }),
  kind('Service', {
    strategy: { firstStatus: { loadBalancer: {} }, withDefaults: service },
    shortNames: ['svc'],
    categories: ['all'],
    subresources: ['status'],
    table: [
      nameColumn,
      ...serviceColumns,
      ageColumn,
      wide('Selector', (service) => labelsOf(mapAt(service, 'spec.selector'))),
    ],
  }),
  kind('ConfigMap', {
    shortNames: ['cm'],
    columns: [count('Data', 'data')],
  }),
  kind('Secret', {
    strategy: { withDefaults: secret },
    columns: [column('Type', (secret) => textAt(secret, 'type', 'Opaque')), count('Data', 'data')],
  }),
  kind('ServiceAccount', {
    shortNames: ['sa'],
    subresources: ['token'],
  }),
  kind('Node', { cluster: true, shortNames: ['no'], subresources: ['status'], table: nodeColumns }),
  kind('Event', { shortNames: ['ev'], table: eventColumns }),
  kind('ResourceQuota', {
    shortNames: ['quota'],
    subresources: ['status'],
    table: [
      nameColumn,
      column('Request', quotaOf('requests')),
      column('Limit', quotaOf('limits')),
      ageColumn,
    ],
  }),
  kind('LimitRange', {
    strategy: { withDefaults: limitRange },
    shortNames: ['limits'],
    table: [nameColumn, column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '')],
  }),
  kind('PersistentVolumeClaim', {
    shortNames: ['pvc'],
    subresources: ['status'],
    columns: [column('Status', (claim) => textAt(claim, 'status.phase'))],
  }),
]
