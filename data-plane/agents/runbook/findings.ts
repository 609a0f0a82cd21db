import { assertNever } from '@jackstay/contract/errors'
import { z } from 'zod'

/** What the runbook looks at in each object, and nothing else. Texts in them are never obeyed. */
const metadata = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  creationTimestamp: z.string().default(''),
  deletionTimestamp: z.string().optional(),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
})

const requirement = z.object({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).default([]),
})

export const deployment = z.object({
  metadata: metadata.extend({ namespace: z.string(), generation: z.number().default(0) }),
  spec: z.object({
    replicas: z.int().default(1),
    selector: z.object({
      matchLabels: z.record(z.string(), z.string()).default({}),
      matchExpressions: z.array(requirement).default([]),
    }),
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.int().default(0),
      availableReplicas: z.int().default(0),
    })
    .prefault({}),
})
export type Deployment = z.infer<typeof deployment>

export const replicaSet = z.object({ metadata })
export type ReplicaSet = z.infer<typeof replicaSet>

export const autoscaler = z.object({
  metadata,
  spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }),
})
export type Autoscaler = z.infer<typeof autoscaler>

export const pod = z.object({
  metadata,
  status: z
    .object({
      phase: z.string().default('Unknown'),
      containerStatuses: z
        .array(
          z.object({
            state: z
              .object({ waiting: z.object({ reason: z.string().default('') }).optional() })
              .default({}),
          }),
        )
        .default([]),
    })
    .prefault({}),
})
export type Pod = z.infer<typeof pod>

export const event = z.object({
  metadata,
  involvedObject: z.object({ uid: z.string().default('') }),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  reportingComponent: z.string().nullish(),
  source: z.object({ component: z.string().optional() }).default({}),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
})
export type Event = z.infer<typeof event>

/** Everything read about one Deployment. */
export interface Findings {
  readonly deployment: Deployment
  readonly replicaSets: readonly ReplicaSet[]
  readonly autoscalers: readonly Autoscaler[]
  readonly pods: readonly Pod[]
  /** May be incomplete: they expire, and reading them may not be allowed. */
  readonly events: readonly Event[]
}

/** The label selector of a Deployment as the API takes it. */
export function selectorOf({ spec }: Deployment): string {
  const { matchLabels, matchExpressions } = spec.selector
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const others = matchExpressions.map(({ key, operator, values }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`
      case 'NotIn':
        return `${key} notin (${values.join(',')})`
      case 'Exists':
        return key
      case 'DoesNotExist':
        return `!${key}`
      default:
        return assertNever(operator)
    }
  })
  return [...equal, ...others].join(',')
}
