/** A rule as roles carry it. */
export interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export const read = 'get list watch'
export const write = 'create delete deletecollection patch update'

/** Words apart by spaces; the core group is `core`. */
export function may(verbs: string, groups: string, resources: string): Rule {
  return {
    verbs: verbs.split(' '),
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    resources: resources.split(' '),
  }
}

export function mayVisit(verbs: string, paths: string): Rule {
  return { verbs: verbs.split(' '), nonResourceURLs: paths.split(' ') }
}

const liveness = '/healthz /livez /readyz /version /version/'

/** Of everybody and everything that can ask at all. */
export const publicRules: Readonly<Record<string, readonly Rule[]>> = {
  'cluster-admin': [may('*', '*', '*'), mayVisit('*', '*')],
  'system:basic-user': [
    may('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    may('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [
    mayVisit('get', `/api /api/* /apis /apis/* /openapi /openapi/* ${liveness}`),
  ],
  'system:public-info-viewer': [mayVisit('get', liveness)],
}

/** What `view`, `edit` and `admin` are put together from, each besides what the one before has. */
export const workRules: Readonly<Record<'admin' | 'edit' | 'view', readonly Rule[]>> = {
  view: [
    may(
      read,
      'core',
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods serviceaccounts services services/status',
    ),
    may(
      read,
      'core',
      'bindings limitranges namespaces namespaces/status pods/log pods/status resourcequotas resourcequotas/status',
    ),
    may(read, 'core events.k8s.io', 'events'),
    may(read, 'discovery.k8s.io', 'endpointslices'),
    may(
      read,
      'apps',
      'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
    ),
    may(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    may(read, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    may(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    may(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  ],
  edit: [
    may(read, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
    may('impersonate', 'core', 'serviceaccounts'),
    may(write, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
    may('create', 'core', 'pods/eviction serviceaccounts/token'),
    may(
      write,
      'core',
      'configmaps persistentvolumeclaims secrets serviceaccounts services services/proxy',
    ),
    may(write, 'core events.k8s.io', 'events'),
    may(
      write,
      'apps',
      'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    ),
    may(write, 'autoscaling', 'horizontalpodautoscalers'),
    may(write, 'batch', 'cronjobs jobs'),
    may(write, 'policy', 'poddisruptionbudgets'),
    may(write, 'networking.k8s.io', 'ingresses networkpolicies'),
    may(`${read} ${write}`, 'coordination.k8s.io', 'leases'),
  ],
  admin: [
    may('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    may(`${read} ${write}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
  ],
}
