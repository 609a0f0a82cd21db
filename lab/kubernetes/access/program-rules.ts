import { may, type Rule, read } from './default-rules.ts'

const events = may('create patch update', 'core events.k8s.io', 'events')
const leases = may('create get list update watch', 'coordination.k8s.io', 'leases')

/** Of the controllers, each with a service account of its name in `kube-system`. */
export const controllerRules: Readonly<Record<string, readonly Rule[]>> = {
  'clusterrole-aggregation-controller': [
    may(`escalate ${read} patch update`, 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    may(`${read} update`, 'batch', 'cronjobs'),
    may(`${read} create delete patch update`, 'batch', 'jobs'),
    may('update', 'batch', 'cronjobs/status cronjobs/finalizers'),
    may('delete list watch', 'core', 'pods'),
    events,
  ],
  'deployment-controller': [
    may(`${read} update`, 'apps', 'deployments'),
    may('update', 'apps', 'deployments/status deployments/finalizers'),
    may(`${read} create delete patch update`, 'apps', 'replicasets'),
    may(`${read} update`, 'core', 'pods'),
    events,
  ],
  'disruption-controller': [
    may(read, 'apps', 'deployments replicasets statefulsets'),
    may(read, 'policy', 'poddisruptionbudgets'),
    may('update', 'policy', 'poddisruptionbudgets/status'),
    may('patch update', 'core', 'pods/status'),
    may('list watch', 'core', 'pods'),
    may('get', '*', '*/scale'),
    events,
  ],
  'endpointslice-controller': [
    may(read, 'core', 'nodes pods services'),
    may('update', 'core', 'services/finalizers'),
    may(`${read} create delete update`, 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'generic-garbage-collector': [may(`${read} delete patch update`, '*', '*'), events],
  'horizontal-pod-autoscaler': [
    may(read, 'autoscaling', 'horizontalpodautoscalers'),
    may('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    may('get update', '*', '*/scale'),
    may('list watch', 'core', 'pods'),
    may('list watch', 'metrics.k8s.io', 'pods'),
    events,
  ],
  'job-controller': [
    may(`${read} patch update`, 'batch', 'jobs'),
    may('update', 'batch', 'jobs/status jobs/finalizers'),
    may('create delete list patch watch', 'core', 'pods'),
    events,
  ],
  'namespace-controller': [
    may(`${read} delete`, 'core', 'namespaces'),
    may('update', 'core', 'namespaces/finalize namespaces/status'),
    may(`${read} delete deletecollection`, '*', '*'),
  ],
  'node-controller': [
    may(`${read} delete patch update`, 'core', 'nodes'),
    may('patch update', 'core', 'nodes/status pods/status'),
    may(`${read} delete`, 'core', 'pods'),
    may(read, 'coordination.k8s.io', 'leases'),
    events,
  ],
  'pod-garbage-collector': [
    may('delete list watch', 'core', 'pods'),
    may(read, 'core', 'nodes'),
    may('patch', 'core', 'pods/status'),
  ],
  'replicaset-controller': [
    may(`${read} update`, 'apps', 'replicasets'),
    may('update', 'apps', 'replicasets/status replicasets/finalizers'),
    may('create delete list patch watch', 'core', 'pods'),
    events,
  ],
  'resourcequota-controller': [
    may('list watch', '*', '*'),
    may('update', 'core', 'resourcequotas/status'),
    events,
  ],
  'root-ca-cert-publisher': [may('create update', 'core', 'configmaps'), events],
  'service-account-controller': [may('create', 'core', 'serviceaccounts'), events],
  'statefulset-controller': [
    may(read, 'apps', 'statefulsets'),
    may('update', 'apps', 'statefulsets/status statefulsets/finalizers'),
    may(`${read} create delete patch update`, 'core', 'pods'),
    may('update', 'core', 'pods/finalizers'),
    may(`${read} create delete patch update`, 'apps', 'controllerrevisions'),
    may(`${read} create delete update`, 'core', 'persistentvolumeclaims'),
    events,
  ],
  'ttl-after-finished-controller': [may(`${read} delete`, 'batch', 'jobs'), events],
}

/** Of user `system:kube-scheduler`. */
export const schedulerRules: readonly Rule[] = [
  events,
  leases,
  may(read, 'core', 'nodes namespaces persistentvolumeclaims persistentvolumes services'),
  may(`${read} delete`, 'core', 'pods'),
  may('create', 'core', 'bindings pods/binding'),
  may('patch update', 'core', 'pods/status'),
  may(read, 'apps', 'replicasets statefulsets'),
  may(read, 'policy', 'poddisruptionbudgets'),
]

/** Of group `system:nodes`; the lab has no other word on what a node may see. */
export const nodeRules: readonly Rule[] = [
  events,
  may('create delete get patch update', 'coordination.k8s.io', 'leases'),
  may(`${read} create patch update`, 'core', 'nodes'),
  may('patch update', 'core', 'nodes/status pods/status'),
  may(`${read} create delete`, 'core', 'pods'),
  may('create', 'core', 'pods/eviction serviceaccounts/token'),
  may(read, 'core', 'configmaps secrets services'),
  may('get', 'core', 'persistentvolumeclaims persistentvolumes serviceaccounts'),
  may('create', 'authentication.k8s.io', 'tokenreviews'),
  may('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
]
