import type { KubeObject } from '@jackstay/kube/resources'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

interface Subject {
  readonly kind: 'Group' | 'ServiceAccount' | 'User'
  readonly name: string
  readonly namespace?: string
}

/** Cluster-wide where no namespace is given. */
export function role(name: string, namespace: string | undefined, ...rules: Rule[]): KubeObject {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) }, rules }
}

/** Cluster-wide where no namespace is given. */
export function binding(
  name: string,
  namespace: string | undefined,
  to: string,
  ...subjects: Subject[]
): KubeObject {
  const [roleKind = '', roleName = ''] = to.split('/')
  return {
    apiVersion,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { apiGroup, kind: roleKind, name: roleName },
    subjects: subjects.map((one) => (one.kind === 'ServiceAccount' ? one : { ...one, apiGroup })),
  }
}

/** Where objects of this kind are made. */
export function collectionPath({
  apiVersion: version = 'v1',
  kind = '',
  metadata,
}: KubeObject): string {
  const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`
  const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  return `${root}${within}/${kind.toLowerCase()}s`
}
