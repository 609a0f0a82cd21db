import { type CelInput, celList, celMap } from '@bufbuild/cel'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { Json } from '@jackstay/contract/json'
import { autonomy } from '@jackstay/contract/kinds/agent-class'
import { blastRadius, reversibility } from '@jackstay/contract/plan'
import { z } from 'zod'

const json = z.custom<Json>((value) => value !== undefined)

/**
 * Every variable a rule may use. One schema validates the values and tells the field checker what
 * exists. Triggers and what an agent says about itself are absent on purpose: no rule may rest on
 * them.
 */
export const facts = z.strictObject({
  /** The signed request. */
  intent: z.strictObject({ action: z.string(), params: z.record(z.string(), json) }),
  /** The action's name. */
  action: z.string(),
  target: z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
  }),
  /** What the control plane itself would write, and what it reaches. */
  plan: z.strictObject({
    summary: z.string(),
    reversibility,
    blastRadius: z.strictObject({ ...blastRadius.shape, namespaces: z.array(z.string()) }),
    /** One entry per field written; `null` stands for an absent one. */
    writes: z.array(z.strictObject({ path: z.string(), before: json, after: json })),
  }),
  agent: z.strictObject({ name: z.string(), namespace: z.string(), serviceAccount: z.string() }),
  class: z.strictObject({ name: z.string(), autonomy }),
  cluster: z.strictObject({ uid: z.string() }),
  /** The target's namespace. */
  namespace: z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  now: z.date(),
})
export type Facts = z.infer<typeof facts>

/** Facts as CEL values, made once per decision. */
export type BoundFacts = Readonly<Record<string, CelInput>>

/**
 * @throws ZodError when the values are not what the schema says
 */
export function bindFacts(values: Facts): BoundFacts {
  // the schema judges, the originals are bound: what it makes of a key `__proto__` is not ours
  facts.parse(values)
  const { now, ...rest } = values
  const entries = Object.entries(rest).map(([name, value]) => [name, celValue(value)] as const)
  return Object.freeze({ ...Object.fromEntries(entries), now: timestampFromDate(now) })
}

/** Whole numbers become CEL `int`: `5 > 4` must not compare a double. */
function celValue(value: Json): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return celList(value.map(celValue))
  return celMap(new Map(Object.entries(value).map(([key, item]) => [key, celValue(item)])))
}
