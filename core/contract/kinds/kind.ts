import { z } from 'zod'

export const group = 'jackstay.dev'
export const version = 'v1alpha1'
export const groupVersion = `${group}/${version}`

/** A rule in both worlds: CEL for the API server, a test for us. A property test runs both. */
export interface TwinRule<T> {
  /** CEL over `self`. */
  readonly rule: string
  readonly message: string
  readonly test: (self: T) => boolean
}

/** The CEL halves of {@link ruled}, found by the CRD generator. */
export const celRules = z.registry<{ rules: readonly { rule: string; message: string }[] }>()

/** A schema with refinements that the API server enforces too. */
export function ruled<S extends z.ZodType>(schema: S, ...rules: TwinRule<z.output<S>>[]): S {
  let refined = schema
  for (const { message, test } of rules) refined = refined.refine(test, message) as S
  celRules.add(refined, { rules: rules.map(({ rule, message }) => ({ rule, message })) })
  return refined
}

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date' | 'boolean'
  readonly jsonPath: string
  readonly priority?: number
}

/** One of our kinds: everything the CRD, the admission policies and the programs need to know. */
export interface Kind<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortName: string
  readonly scope: 'Cluster' | 'Namespaced'
  readonly summary: string
  readonly spec: Spec
  readonly status: Status | undefined
  /** The spec never changes after creation (CEL `self == oldSelf`). */
  readonly immutable: boolean
  readonly columns: readonly PrinterColumn[]
}

export function defineKind<S extends z.ZodType, T extends z.ZodType>(kind: Kind<S, T>): Kind<S, T> {
  return kind
}

/** metav1.Condition, the authority on an object's state; `phase` is derived. */
export const condition = z.strictObject({
  type: z.string().max(316).describe('what the condition is about'),
  status: z.enum(['True', 'False', 'Unknown']).describe('whether it holds'),
  reason: z.string().max(1024).describe('one word for programs'),
  message: z.string().max(32768).describe('why, for people'),
  lastTransitionTime: z.string().max(64).describe('when it was last written, RFC 3339'),
  observedGeneration: z.int().optional().describe('the generation of the spec that it is about'),
})
export type Condition = z.infer<typeof condition>

export const conditions = z
  .array(condition)
  .max(16)
  .describe('what stands about this object now')
  .describe('what stands about this object now')
export const observedGeneration = z
  .int()
  .min(0)
  .describe('the generation of the spec that the status is about')

/** The metadata we read from any of our objects. */
export const metadata = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.number().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
})

/** Reads an object of the given kind: its spec by the strict schema, its status leniently. */
export function objectOf<S extends z.ZodType>(kind: Kind<S>) {
  return z.object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal(kind.kind),
    metadata,
    spec: kind.spec,
    status: z.record(z.string(), z.unknown()).optional(),
  })
}
