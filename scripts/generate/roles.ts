import type { CatalogueEntry } from '@jackstay/actions/action'
import type { Manifest } from '@jackstay/contract/crd'
import { actionRoleName } from '@jackstay/contract/executor'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { partOf } from './policies.ts'

/** What stands around the Pods of any plan (control-plane/mediator/surroundings). */
const surroundings: CatalogueEntry['reads'] = [
  { group: 'policy', resource: 'poddisruptionbudgets' },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  { group: 'scheduling.k8s.io', resource: 'priorityclasses' },
]

/** What the plans of all actions rest on: the mediator may read it, and watch it for changes. */
export function factReads(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const name = 'jackstay-mediator-facts'
  const byGroup = new Map<string, Set<string>>()
  for (const { group, resource } of [...catalogue.flatMap(({ reads }) => reads), ...surroundings]) {
    byGroup.set(group, (byGroup.get(group) ?? new Set()).add(resource))
  }
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, labels: partOf },
      rules: [...byGroup].sort().map(([group, resources]) => ({
        apiGroups: [group],
        resources: [...resources].sort(),
        verbs: ['get', 'list', 'watch'],
      })),
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name, labels: partOf },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: 'jackstay-mediator', namespace: systemNamespace }],
    },
  ]
}

/** The fixed role that a class's executor is bound to, so reviewers read its power with kubectl. */
export function actionRole(entry: CatalogueEntry): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: actionRoleName(entry.name), labels: partOf },
    rules: entry.writes.map(({ group, resource, verb }) => ({
      apiGroups: [group],
      resources: [verb === 'evict' ? `${resource}/eviction` : resource],
      verbs: [verb === 'evict' ? 'create' : verb],
    })),
  }
}
