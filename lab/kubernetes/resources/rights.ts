import { ageColumn, column, listAt, nameColumn, textAt, wide } from './columns.ts'
import { inGroup } from './describe.ts'
import type { Column, Resource } from './resource.ts'

const rbac = inGroup('rbac.authorization.k8s.io', 'v1')
const created = column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '')
const subjects = (name: string, kind: string): Column =>
  wide(name, (binding) =>
    listAt(binding, 'subjects')
      .filter((one) => textAt(one, 'kind') === kind)
      .map((one) =>
        kind === 'ServiceAccount'
          ? `${textAt(one, 'namespace')}/${textAt(one, 'name')}`
          : textAt(one, 'name'),
      )
      .join(', '),
  )
const role: readonly Column[] = [
  nameColumn,
  column(
    'Role',
    (binding) => `${textAt(binding, 'roleRef.kind')}/${textAt(binding, 'roleRef.name')}`,
  ),
  ageColumn,
  subjects('Users', 'User'),
  subjects('Groups', 'Group'),
  subjects('ServiceAccounts', 'ServiceAccount'),
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
