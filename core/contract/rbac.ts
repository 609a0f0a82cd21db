import { z } from 'zod'

/** Kubernetes' own words for who may do what, as far as we read them. */
export const rbacVersion = 'rbac.authorization.k8s.io/v1'

const names = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? [])

export const policyRule = z.object({
  verbs: names,
  apiGroups: names,
  resources: names,
  /** Empty: whatever it is called. */
  resourceNames: names,
  nonResourceURLs: names,
})
export type PolicyRule = z.output<typeof policyRule>

/** A Role or ClusterRole. */
export const roleObject = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  rules: z
    .array(policyRule)
    .nullish()
    .transform((rules) => rules ?? []),
})

const roleRef = z.object({ kind: z.enum(['ClusterRole', 'Role']), name: z.string() })
export type RoleRef = z.output<typeof roleRef>

/** A RoleBinding or ClusterRoleBinding. */
export const bindingObject = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  roleRef,
  subjects: z
    .array(z.object({ kind: z.string(), name: z.string(), namespace: z.string().optional() }))
    .nullish()
    .transform((subjects) => subjects ?? []),
})
export type BindingObject = z.output<typeof bindingObject>
