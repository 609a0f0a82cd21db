/**
 * Everything an agent can read. The table makes the ClusterRoles `jackstay-read-*` and the page
 * `docs/reference/reads.md`; what is not here does not exist for agents.
 */
export interface ReadableKind {
  /** `v1` for the core group, else `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  /** The plural in the path. */
  readonly resource: string
  readonly scope: 'namespaced' | 'cluster'
  readonly role: ReadRole
}

/** Fixed roles, so that reviewers read with kubectl what a class sees, and grant it part by part. */
export const readRoles = {
  'jackstay-read-workloads': 'Workloads, their Pods, what scales and protects them, and events.',
  'jackstay-read-logs': 'What containers write, known secret shapes taken out.',
  'jackstay-read-network': 'How traffic reaches Pods.',
  'jackstay-read-storage': 'Claims on volumes, never what is in them.',
  'jackstay-read-quotas': 'Why a namespace takes no more Pods.',
  'jackstay-read-cluster':
    'Nodes, storage classes and priorities. A ClusterRoleBinding gives it: for agents that may know of all nodes.',
} as const
export type ReadRole = keyof typeof readRoles

/** How the names of all of them begin; no other role may be called so and do more than read. */
export const readRolePrefix = 'jackstay-read-'

const row = (
  role: ReadRole,
  apiVersion: string,
  kind: string,
  resource = `${kind.toLowerCase()}s`,
): ReadableKind => {
  const scope = role === 'jackstay-read-cluster' ? 'cluster' : 'namespaced'
  return { apiVersion, kind, resource, scope, role }
}

export const readableKinds: readonly ReadableKind[] = [
  row('jackstay-read-workloads', 'v1', 'Pod'),
  row('jackstay-read-workloads', 'v1', 'Event'),
  row('jackstay-read-workloads', 'apps/v1', 'Deployment'),
  row('jackstay-read-workloads', 'apps/v1', 'ReplicaSet'),
  row('jackstay-read-workloads', 'apps/v1', 'StatefulSet'),
  row('jackstay-read-workloads', 'apps/v1', 'DaemonSet'),
  row('jackstay-read-workloads', 'apps/v1', 'ControllerRevision'),
  row('jackstay-read-workloads', 'batch/v1', 'Job'),
  row('jackstay-read-workloads', 'batch/v1', 'CronJob'),
  row('jackstay-read-workloads', 'autoscaling/v2', 'HorizontalPodAutoscaler'),
  row('jackstay-read-workloads', 'policy/v1', 'PodDisruptionBudget'),
  row('jackstay-read-network', 'v1', 'Service'),
  row('jackstay-read-network', 'discovery.k8s.io/v1', 'EndpointSlice'),
  row('jackstay-read-network', 'networking.k8s.io/v1', 'Ingress', 'ingresses'),
  row('jackstay-read-network', 'networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  row('jackstay-read-storage', 'v1', 'PersistentVolumeClaim'),
  row('jackstay-read-quotas', 'v1', 'ResourceQuota'),
  row('jackstay-read-quotas', 'v1', 'LimitRange'),
  row('jackstay-read-cluster', 'v1', 'Node'),
  row('jackstay-read-cluster', 'storage.k8s.io/v1', 'StorageClass', 'storageclasses'),
  row('jackstay-read-cluster', 'scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses'),
]

/** The only subresource of the table: `get` on it is `logs`. */
export const podLogs = { resource: 'pods/log', role: 'jackstay-read-logs' } as const

/** Kinds whose earlier templates `history` tells. */
export const historyKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
