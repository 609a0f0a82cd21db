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

/** What the control plane itself computes about reach, from its own reads. */
export const blastRadius = z.strictObject({
  objects: z.int().min(0),
  pods: z.int().min(0),
  /** Ready replicas the change takes away. */
  readyReplicasLost: z.int().min(0),
  namespaces: z.array(dnsLabel),
})

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
