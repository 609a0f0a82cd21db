import { z } from 'zod'
import { type Digest, digestOf, type Json } from './json.ts'
import { apiVersion, dnsLabel, dnsName, kindName, uuid } from './text.ts'

/** One object of the cluster, unmistakably. */
export const objectRef = z.strictObject({
  apiVersion,
  kind: kindName,
  resource: z.string().regex(/^[a-z]{1,63}$/),
  namespace: dnsLabel.optional(),
  name: dnsName,
  uid: uuid,
})
export type ObjectRef = z.infer<typeof objectRef>

const json = z.custom<Json>((value) => value !== undefined)

/** One field as the plan saw it. `absent` is a value of its own, and a covered one. */
export const reading = z.strictObject({
  /** The object, or what was looked for where the answer is "there is none". */
  of: z.string().max(600),
  /** JSON pointer (RFC 6901) into it. */
  path: z.string().max(600),
  value: z.union([z.strictObject({ is: json }), z.literal('absent')]),
})
export type Reading = z.infer<typeof reading>

const writeId = z.string().regex(/^w[1-9][0-9]?$/)

/** A merge patch, its fields before and after, and the patch that restores them. */
export const patchWrite = z.strictObject({
  id: writeId,
  verb: z.literal('patch'),
  object: objectRef,
  /** Merge patch without uid and resourceVersion: dispatch binds those. */
  body: json,
  before: z.array(reading).min(1),
  after: z.array(reading).min(1),
  inverse: z.strictObject({ body: json }),
})
export type PatchWrite = z.infer<typeof patchWrite>

/** A Pod goes by the eviction API, which asks its disruption budgets. Nothing brings it back. */
export const evictWrite = z.strictObject({
  id: writeId,
  verb: z.literal('evict'),
  object: objectRef,
  /** What the plan saw of the Pod; bound again as long as it stands. */
  before: z.array(reading).min(1),
  /** The Node that is drained by it: a Suspension of that one stops it too. */
  drains: dnsName.optional(),
})
export type EvictWrite = z.infer<typeof evictWrite>

/**
 * An object that is not there yet. Its inverse is a merge patch of what was made, which stops it: no
 * executor deletes anything.
 */
export const createWrite = z.strictObject({
  id: writeId,
  verb: z.literal('create'),
  object: objectRef.omit({ uid: true }),
  body: z.record(z.string(), json),
  inverse: z.strictObject({ body: z.record(z.string(), json) }),
})
export type CreateWrite = z.infer<typeof createWrite>

/** One API write. */
export const plannedWrite = z.discriminatedUnion('verb', [patchWrite, evictWrite, createWrite])
export type PlannedWrite = z.infer<typeof plannedWrite>

/** What is written, whether it is there already or not. */
export type WriteObject = PlannedWrite['object']

type Named = Pick<WriteObject, 'kind' | 'namespace' | 'name'>

/** As people write it: `Deployment shop/api`, or `Node worker-1` for what is in no namespace. */
export function describeObject({ kind, namespace, name }: Named): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** `inverse`: undone by the recorded inverse; `self-healing`: by controllers; else by nobody. */
export const reversibility = z.enum(['inverse', 'self-healing', 'irreversible'])

/** How much a workload matters, by whoever runs the cluster. */
export const criticality = z.enum(['low', 'medium', 'high'])
export type Criticality = z.infer<typeof criticality>

const percent = z.int().min(0).max(100)
const count = z.int().min(0)
const place = { namespace: dnsLabel, name: dnsName }

/** A workload whose Pods the change touches. What could not be known is absent, never zero. */
const reachedWorkload = z.strictObject({
  kind: z.string(),
  ...place,
  ready: count.exactOptional(),
  /** Ready Pods that are taken away at once, at most. */
  lost: count,
  /** `lost` of `ready`, rounded up. */
  sharePercent: percent.exactOptional(),
})

/** A PodDisruptionBudget over Pods that the change touches. */
const reachedBudget = z.strictObject({
  ...place,
  lost: count,
  /** Disruptions that Kubernetes allows now; absent while it has not counted. */
  allowed: count.exactOptional(),
  /** `allowed` without `lost`: below zero the change takes more than the budget has. */
  headroom: z.int().exactOptional(),
})

/** A HorizontalPodAutoscaler of a workload that the change touches, its bounds as they will be. */
const reachedAutoscaler = z.strictObject({
  ...place,
  min: count,
  max: count,
  /** Replicas that the workload will have. */
  replicas: count.exactOptional(),
  /** `max` without `replicas`: how many it may add. */
  headroom: z.int().exactOptional(),
  /** The change sets a number outside of the bounds, and it would set another. */
  fights: z.boolean(),
})

/** One limit of a ResourceQuota in a namespace that the change reaches. */
const reachedQuota = z.strictObject({
  ...place,
  resource: z.string(),
  /** Of the limit, what is left with the change, rounded down; below zero it does not fit. */
  leftPercent: z.int().min(-100).max(100).exactOptional(),
})

/** What the control plane itself computes about reach, from its own reads (T29). */
export const blastRadius = z.strictObject({
  objects: count,
  pods: count,
  /** Ready replicas the change takes away. */
  readyReplicasLost: count,
  namespaces: z.array(dnsLabel),
  workloads: z.array(reachedWorkload),
  /** Of the workload that loses the largest share. */
  sharePercent: percent.exactOptional(),
  budgets: z.array(reachedBudget),
  autoscalers: z.array(reachedAutoscaler),
  quotas: z.array(reachedQuota),
  /** The highest of what it reaches. */
  criticality,
  /** The highest of its Pods' priorities; absent where their PriorityClass is not known. */
  priority: z.int().exactOptional(),
})
export type BlastRadius = z.infer<typeof blastRadius>

/** How far a change reaches by its own writes. */
export type Reach = Pick<BlastRadius, 'objects' | 'pods' | 'readyReplicasLost' | 'namespaces'>

/** The rest of a blast radius where no Pod is touched. */
export const nothingDisrupted: Omit<BlastRadius, keyof Reach> = {
  ...{ workloads: [], sharePercent: 0, budgets: [], autoscalers: [], quotas: [] },
  ...{ criticality: 'medium', priority: 0 },
}

export const plan = z.strictObject({
  action: z.string(),
  /** One line for people, made by the control plane from the writes. */
  summary: z.string().max(512),
  /** `system:serviceaccount:jackstay-executors:<class>` */
  executor: z.string(),
  target: objectRef,
  /** Every spec and metadata field the plan depended on besides those it writes. */
  reads: z.array(reading),
  writes: z.array(plannedWrite).min(1).max(64),
  blastRadius,
  reversibility,
  /** Facts from status: they stand in the decision leaf, never under the digest. */
  observed: z.record(z.string(), json),
  /** For people who approve: what images stand for, what cannot be restored. Not under the digest. */
  notes: z.array(z.string().max(1024)).max(32).optional(),
})
export type Plan = z.infer<typeof plan>

/** What the digest that humans approve covers (DESIGN §2, "The digest"). */
export interface DigestInput {
  readonly intentId: string
  readonly jwsDigest: Digest
  readonly plan: Plan
  readonly rulesHash: Digest
  readonly catalogueVersion: string
}

export function planDigest(input: DigestInput): Digest {
  const { plan } = input
  return digestOf({
    v: 1,
    intent: input.intentId,
    jws: input.jwsDigest,
    action: plan.action,
    executor: plan.executor,
    target: plan.target,
    reads: plan.reads,
    writes: plan.writes,
    rules: input.rulesHash,
    catalogue: input.catalogueVersion,
  })
}
