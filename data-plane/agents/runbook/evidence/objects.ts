import { labelSelector } from '@jackstay/contract/label-selector'
import { z } from 'zod'

/**
 * What the runbook looks at in each object, and nothing else. Texts in them are never obeyed: they
 * sort what is seen, no name and no number of a proposal comes from one.
 */
const text = z.string().default('')
const words = z.record(z.string(), z.string()).default({})

const metadata = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  creationTimestamp: text,
  deletionTimestamp: z.string().optional(),
  labels: words,
  annotations: words,
  ownerReferences: z.array(z.object({ uid: z.string(), kind: text, name: text })).default([]),
})

const condition = z.object({ type: z.string(), status: z.string(), reason: text, message: text })
const conditions = z.array(condition).default([])
/** Autoscalers say `null` before they say anything. */
const nullableConditions = z
  .array(condition)
  .nullish()
  .transform((all) => all ?? [])

export const deployment = z.object({
  metadata: metadata.extend({ namespace: z.string(), generation: z.number().default(0) }),
  spec: z.object({
    replicas: z.int().default(1),
    paused: z.boolean().default(false),
    selector: labelSelector,
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.int().default(0),
      updatedReplicas: z.int().default(0),
      availableReplicas: z.int().default(0),
      conditions,
    })
    .prefault({}),
})
export type Deployment = z.infer<typeof deployment>

const amounts = z.record(z.string(), z.union([z.string(), z.number()]).transform(String))
const resources = z.object({ requests: amounts.default({}), limits: amounts.default({}) })

const container = z.looseObject({
  name: z.string(),
  image: text,
  resources: resources.prefault({}),
})
export type Container = z.infer<typeof container>

export const replicaSet = z.object({
  metadata,
  spec: z
    .object({
      template: z
        .looseObject({
          metadata: z.looseObject({ labels: words, annotations: words }).prefault({}),
          spec: z.looseObject({ containers: z.array(container).default([]) }).prefault({}),
        })
        .prefault({}),
    })
    .prefault({}),
})
export type ReplicaSet = z.infer<typeof replicaSet>

export const autoscaler = z.object({
  metadata,
  spec: z.object({
    scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
    maxReplicas: z.int().default(0),
  }),
  status: z
    .object({ currentReplicas: z.int().default(0), conditions: nullableConditions })
    .prefault({}),
})
export type Autoscaler = z.infer<typeof autoscaler>

const terminated = z.object({ reason: text, exitCode: z.int().default(0), finishedAt: text })
const state = z.object({
  waiting: z.object({ reason: text, message: text }).optional(),
  running: z.object({}).optional(),
  terminated: terminated.optional(),
})
const containerStatus = z.object({
  name: text,
  ready: z.boolean().default(false),
  restartCount: z.int().default(0),
  state: state.default({}),
  lastState: state.default({}),
})
export type ContainerStatus = z.infer<typeof containerStatus>

export const pod = z.object({
  metadata,
  spec: z.object({ nodeName: z.string().optional() }).prefault({}),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      conditions,
      initContainerStatuses: z.array(containerStatus).default([]),
      containerStatuses: z.array(containerStatus).default([]),
    })
    .prefault({}),
})
export type Pod = z.infer<typeof pod>

export const node = z.object({
  metadata,
  spec: z
    .object({
      unschedulable: z.boolean().default(false),
      taints: z
        .array(z.object({ key: z.string(), effect: text, timeAdded: z.string().optional() }))
        .default([]),
    })
    .prefault({}),
  status: z.object({ conditions }).prefault({}),
})
export type Node = z.infer<typeof node>

export const service = z.object({
  metadata,
  spec: z.object({ selector: words }).prefault({}),
})

export const event = z.object({
  metadata,
  involvedObject: z.object({ kind: text, name: text, uid: text }),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  reportingComponent: z.string().nullish(),
  source: z.object({ component: z.string().optional() }).default({}),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
})
export type Event = z.infer<typeof event>
