import type { CatalogueEntry } from '@jackstay/actions/action'
import type { Manifest } from '@jackstay/contract/crd'
import { actionRoleName } from '@jackstay/contract/executor'
import { partOf } from './policies.ts'

/** The fixed role that a class's executor is bound to, so reviewers read its power with kubectl. */
export function actionRole(entry: CatalogueEntry): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: actionRoleName(entry.name), labels: partOf },
    rules: entry.writes.map(({ group, resource, verb }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
    })),
  }
}
