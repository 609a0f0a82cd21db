import { labelSelector } from '@jackstay/contract/label-selector'
import { z } from 'zod'

const rule = z.object({
  apiGroups: z.array(z.string()),
  apiVersions: z.array(z.string()),
  operations: z.array(z.string()),
  resources: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
  scope: z.enum(['*', 'Namespaced', 'Cluster']).optional(),
})

const constraints = z.object({
  resourceRules: z.array(rule).optional(),
  excludeResourceRules: z.array(rule).optional(),
  namespaceSelector: labelSelector.optional(),
  objectSelector: labelSelector.optional(),
  matchPolicy: z.enum(['Exact', 'Equivalent']).optional(),
})

const named = z.object({ name: z.string(), expression: z.string() })

/** A ValidatingAdmissionPolicy, as far as it is carried out. */
export const policySchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    failurePolicy: z.enum(['Fail', 'Ignore']).default('Fail'),
    paramKind: z.object({ apiVersion: z.string(), kind: z.string() }).optional(),
    matchConstraints: constraints.optional(),
    matchConditions: z.array(named).default([]),
    variables: z.array(named).default([]),
    validations: z
      .array(
        z.object({
          expression: z.string(),
          message: z.string().optional(),
          messageExpression: z.string().optional(),
          reason: z
            .enum(['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge'])
            .optional(),
        }),
      )
      .default([]),
    auditAnnotations: z
      .array(z.object({ key: z.string(), valueExpression: z.string() }))
      .default([]),
  }),
})

export const bindingSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    policyName: z.string(),
    validationActions: z.array(z.enum(['Deny', 'Warn', 'Audit'])),
    paramRef: z
      .object({
        name: z.string().optional(),
        namespace: z.string().optional(),
        selector: labelSelector.optional(),
        parameterNotFoundAction: z.enum(['Allow', 'Deny']).optional(),
      })
      .optional(),
    matchResources: constraints.optional(),
  }),
})

export type Rule = z.infer<typeof rule>
export type MatchConstraints = z.infer<typeof constraints>
export type PolicyObject = z.infer<typeof policySchema>
export type BindingObject = z.infer<typeof bindingSchema>
