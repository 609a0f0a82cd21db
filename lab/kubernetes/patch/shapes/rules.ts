import { object } from './metadata.ts'
import { atomic, fields, keyed, keyedForApply, list, type Shape, set } from './shape.ts'

export const role: Shape = object({}, { rules: null })
export const clusterRole: Shape = object(
  { aggregationRule: fields({ clusterRoleSelectors: list(atomic) }) },
  { rules: null },
)
export const binding: Shape = object(
  { roleRef: atomic, subjects: list(atomic) },
  { roleRef: { apiGroup: '', kind: '', name: '' } },
)

const matchConditions = keyed('name')

export const validatingAdmissionPolicy: Shape = object(
  {
    spec: fields({
      matchConditions,
      matchConstraints: atomic,
      paramKind: atomic,
      variables: keyed('name', atomic),
    }),
    status: fields({ conditions: keyedForApply(['type']) }),
  },
  { spec: {}, status: {} },
)

export const validatingAdmissionPolicyBinding: Shape = object(
  { spec: fields({ matchResources: atomic, paramRef: atomic, validationActions: set }) },
  { spec: {} },
)

export const webhookConfiguration: Shape = object({
  webhooks: keyed(
    'name',
    fields(
      { matchConditions, namespaceSelector: atomic, objectSelector: atomic },
      { clientConfig: {} },
    ),
  ),
})

export const customResourceDefinition: Shape = object(
  { status: fields({ conditions: keyedForApply(['type']) }) },
  { spec: {}, status: {} },
)
