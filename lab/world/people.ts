import type { Manifest } from './manifests.ts'

/** Whoever approves in the lab’s world and in every demo: nobody real. */
export const oncall = { user: 'demo-operator', group: 'platform-oncall' } as const

/** Their rights: see, approve, stop, tell agents. */
export const peopleBindings: readonly Manifest[] = [
  'view',
  'jackstay-view',
  'jackstay-approver',
  'jackstay-responder',
  'jackstay-trigger',
].map((role) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: `${oncall.user}-${role}` },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: oncall.group }],
}))
