import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'

type Kept = Map<string, Kept>

const identity = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
]
const metadata = [...identity, 'labels', 'annotations', 'ownerReferences'].map(
  (field) => `metadata.${field}`,
)

const container = ['name', 'image', 'resources', 'command', 'args', 'env.name', 'ports']
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe']
const podSpec = [
  ...[...container, ...probes].map((field) => `containers.${field}`),
  ...container.map((field) => `initContainers.${field}`),
  ...['nodeName', 'nodeSelector', 'tolerations', 'priorityClassName', 'restartPolicy'],
  ...['schedulingGates', 'terminationGracePeriodSeconds'],
  ...['volumes.name', 'volumes.persistentVolumeClaim', 'volumes.configMap', 'volumes.secret'],
]
const at = (prefix: string, fields: readonly string[]) =>
  fields.map((field) => `${prefix}.${field}`)
const template = [
  ...at('spec.template.metadata', ['labels', 'annotations']),
  ...at('spec.template.spec', podSpec),
]

/**
 * What of each kind usually tells, as paths in Kubernetes' own shape; a list is looked into item by
 * item. An answer of a few hundred bytes leaves a model room to think. All of status is kept where it
 * is small.
 */
const kept: { readonly [kind: string]: readonly string[] } = {
  Pod: [
    ...at('spec', podSpec),
    ...at('status', ['phase', 'reason', 'message', 'startTime', 'qosClass', 'conditions']),
    ...at('status', ['containerStatuses', 'initContainerStatuses', 'nominatedNodeName']),
  ],
  Event: [
    ...['involvedObject', 'type', 'reason', 'message', 'count', 'source', 'reportingComponent'],
    ...['firstTimestamp', 'lastTimestamp', 'eventTime', 'series'],
  ],
  Deployment: [
    ...at('spec', ['replicas', 'selector', 'strategy', 'paused', 'progressDeadlineSeconds']),
    ...template,
    'status',
  ],
  ReplicaSet: ['spec.replicas', 'spec.selector', ...template, 'status'],
  StatefulSet: [
    ...at('spec', ['replicas', 'selector', 'serviceName', 'updateStrategy']),
    ...at('spec', ['podManagementPolicy', 'persistentVolumeClaimRetentionPolicy']),
    ...template,
    'status',
  ],
  DaemonSet: ['spec.selector', 'spec.updateStrategy', ...template, 'status'],
  ControllerRevision: ['revision'],
  Job: [
    ...at('spec', ['parallelism', 'completions', 'backoffLimit', 'activeDeadlineSeconds']),
    ...at('spec', ['suspend', 'selector']),
    ...template,
    'status',
  ],
  CronJob: [
    ...at('spec', ['schedule', 'timeZone', 'suspend', 'concurrencyPolicy']),
    ...at('spec', ['startingDeadlineSeconds']),
    ...at('spec.jobTemplate.spec.template.spec', podSpec),
    'status',
  ],
  HorizontalPodAutoscaler: ['spec', 'status'],
  PodDisruptionBudget: ['spec', 'status'],
  Service: at('spec', ['type', 'selector', 'ports', 'clusterIP', 'externalName']),
  EndpointSlice: ['addressType', 'endpoints', 'ports'],
  Ingress: ['spec', 'status'],
  NetworkPolicy: ['spec'],
  PersistentVolumeClaim: ['spec', 'status'],
  ResourceQuota: ['spec', 'status'],
  LimitRange: ['spec'],
  Node: [
    ...at('spec', ['unschedulable', 'taints']),
    ...at('status', ['conditions', 'allocatable', 'capacity']),
    ...at('status.nodeInfo', ['kubeletVersion', 'architecture']),
  ],
  StorageClass: ['provisioner', 'reclaimPolicy', 'volumeBindingMode', 'allowVolumeExpansion'],
  PriorityClass: ['value', 'globalDefault', 'preemptionPolicy'],
}

const trees = new Map(
  Object.entries(kept).map(([kind, paths]) => [
    kind,
    treeOf(['apiVersion', 'kind', ...metadata, ...paths]),
  ]),
)

/** Kinds whose few fields are known; a test holds it to the table of readable kinds. */
export const projectedKinds: readonly string[] = Object.keys(kept)

/** The few fields of an object that usually tell, each where Kubernetes has it. */
export function project(kind: string, object: KubeObject): KubeObject {
  const tree = trees.get(kind)
  return tree === undefined ? object : asObject(prune(object, tree))
}

function treeOf(paths: readonly string[]): Kept {
  const root: Kept = new Map()
  for (const path of paths) {
    let at = root
    for (const step of path.split('.')) {
      const next: Kept = at.get(step) ?? new Map()
      at.set(step, next)
      at = next
    }
  }
  return root
}

function prune(value: unknown, tree: Kept): unknown {
  if (tree.size === 0) return value
  if (Array.isArray(value)) return value.map((item) => prune(item, tree))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      const below = tree.get(key)
      if (below === undefined) return []
      return [[key, key === 'annotations' ? ofKubernetes(item) : prune(item, below)]]
    }),
  )
}

/** Of annotations those that Kubernetes and Jackstay write themselves: revisions, restarts, causes. */
function ofKubernetes(annotations: unknown): unknown {
  if (!isRecord(annotations)) return annotations
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => ofUs.test(key)))
}

const ofUs = /(?:^|\.)kubernetes\.io\/|^jackstay\.dev\//
