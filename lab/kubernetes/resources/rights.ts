import { ageColumn, column, nameColumn, textAt } from './columns.ts'
import { inGroup } from './describe.ts'
import type { Column, Resource } from './resource.ts'

const rbac = inGroup('rbac.authorization.k8s.io', 'v1')
const created = column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '')
const role: readonly Column[] = [
  nameColumn,
  column(
    'Role',
    (binding) => `${textAt(binding, 'roleRef.kind')}/${textAt(binding, 'roleRef.name')}`,
  ),
  ageColumn,
]

/** Roles and bindings. */
export const rbacKinds: readonly Resource[] = [
  rbac('Role', { table: [nameColumn, created] }),
  rbac('RoleBinding', { table: role }),
  rbac('ClusterRole', { cluster: true, table: [nameColumn, created] }),
  rbac('ClusterRoleBinding', { cluster: true, table: role }),
]

const ask = { verbs: ['create'], cluster: true } as const
const authentication = inGroup('authentication.k8s.io', 'v1')
const authorization = inGroup('authorization.k8s.io', 'v1')

/** Questions: nothing of them is stored. */
export const reviewKinds: readonly Resource[] = [
  authentication('TokenReview', ask),
  authentication('SelfSubjectReview', ask),
  authorization('SubjectAccessReview', ask),
  authorization('SelfSubjectAccessReview', ask),
  authorization('SelfSubjectRulesReview', ask),
  authorization('LocalSubjectAccessReview', { verbs: ['create'] }),
]
