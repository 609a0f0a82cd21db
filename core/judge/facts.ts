import { type CelValue, celList, celMap } from '@bufbuild/cel'
import { reflect } from '@bufbuild/protobuf/reflect'
import { TimestampSchema, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { isList, type Json } from '@jackstay/contract/json'
import { autonomy } from '@jackstay/contract/kinds/agent-class'
import { reversibility } from '@jackstay/contract/plan'
import { z } from 'zod'
import type { Bindings } from './cel/evaluator.ts'
import { radius } from './reach/radius-facts.ts'

const json = z.custom<Json>((value) => value !== undefined)

const target = z.strictObject({
  apiVersion: z.string().describe('API group and version, such as `apps/v1`'),
  kind: z.string().describe('kind, such as `Deployment`'),
  namespace: z.string().describe('namespace'),
  name: z.string().describe('name'),
})

const plan = z.strictObject({
  summary: z.string().describe('one line for people, made by the control plane'),
  reversibility: reversibility.describe(
    'how it is taken back: `inverse` by the recorded inverse, `self-healing` by controllers, else by nobody',
  ),
  blastRadius: radius.describe('what it reaches'),
  writes: z
    .array(
      z.strictObject({
        path: z.string().describe('JSON pointer of the field, such as `/spec/replicas`'),
        before: json.describe('value before; `null` where the field is absent'),
        after: json.describe('value after; `null` where the field is absent'),
      }),
    )
    .describe('one entry per field written'),
  risk: z
    .strictObject({
      score: z.int().min(0).max(100).describe('sum of the parts, 0 to 100'),
      parts: z.record(z.string(), z.int().min(0).max(100)).describe('each part by its name'),
    })
    .describe('how much can go wrong, by the formula in [risk](risk.md)'),
})

/** What the change windows say at one moment. */
export const windowFact = z.strictObject({
  open: z
    .boolean()
    .describe(
      'a change may be made: an allow or break-glass window is in force, and no freeze that counts',
    ),
  frozen: z.boolean().describe('a freeze is in force that no break-glass window lifts'),
  breakGlass: z.boolean().describe('a person opened a break-glass window that is in force'),
  names: z.array(z.string()).describe('names of the windows in force, freezes included'),
})
export type WindowFact = z.infer<typeof windowFact>

const quota = z.strictObject({
  name: z.string().describe('name of the ResourceQuota'),
  resource: z.string().describe('what it limits, such as `pods` or `requests.cpu`'),
  hard: z.string().describe('the limit, a Kubernetes quantity'),
  used: z
    .string()
    .describe('what is used, a Kubernetes quantity; empty while Kubernetes has not counted it'),
})

/**
 * Every variable a rule may use. One schema validates the values, tells the field checker what
 * exists and is the reference. What an agent says about itself is absent on purpose: no rule may
 * rest on it; `cluster.incidents` comes from alerts, and can make a verdict stricter only.
 */
export const facts = z.strictObject({
  intent: z
    .strictObject({
      action: z.string().describe('name of the action'),
      params: z.record(z.string(), json).describe('parameters as signed; any may be absent'),
    })
    .describe('the signed request'),
  action: z.string().describe('name of the action, such as `workload.scale`'),
  target: target.describe('the object that the action is about'),
  plan: plan.describe('what the control plane itself would write'),
  agent: z
    .strictObject({
      name: z.string().describe('`<namespace>/<ServiceAccount>`'),
      namespace: z.string().describe('its namespace'),
      serviceAccount: z.string().describe('its ServiceAccount'),
    })
    .describe('who asks'),
  class: z
    .strictObject({
      name: z.string().describe('name of the AgentClass'),
      autonomy: autonomy.describe('how freely the class may act'),
    })
    .describe("the agent's class"),
  cluster: z
    .strictObject({
      uid: z.string().describe('uid of the namespace `kube-system`'),
      incidents: z
        .array(
          z.strictObject({
            namespace: z
              .string()
              .describe("the alert's label `namespace`; empty where it has none"),
            name: z.string().describe("the alert's label `alertname`; empty where it has none"),
          }),
        )
        .describe('firing alerts; only in `deny` and `requireApproval`, as said above'),
    })
    .describe('the cluster as a whole'),
  namespace: z
    .strictObject({
      name: z.string().describe('its name'),
      labels: z.record(z.string(), z.string()).describe('its labels; any may be absent'),
      quotas: z.array(quota).describe('its ResourceQuotas, one entry per resource'),
    })
    .describe(
      'the namespace that is judged: that of the target, and in turn each other one that is written in',
    ),
  window: windowFact.describe(
    'what the change windows say of it now; what they shut by themselves is refused without any rule',
  ),
  now: z.date().describe('time of the decision, UTC'),
})
/** The variables of rules for one namespace. */
type Variables = z.infer<typeof facts>

const place = facts.pick({ namespace: true, window: true })
/** What the facts say of one namespace alone. */
export type Place = z.infer<typeof place>

/** What is judged: the variables, and what they are for each further namespace that the plan writes in. */
export const judgedFacts = facts.extend({ elsewhere: z.array(place).max(64).optional() })
export type Facts = z.infer<typeof judgedFacts>

/** The variables once for each namespace that the plan writes in, the target's first. */
export function placesOf({ elsewhere = [], ...own }: Facts): readonly [Facts, ...Facts[]] {
  return [own, ...elsewhere.map(({ namespace, window }) => ({ ...own, namespace, window }))]
}

/** Facts as CEL values, made once per decision. */
export type BoundFacts = Bindings

/**
 * @throws ZodError when the values are not what the schema says
 */
export function bindFacts(values: Variables): BoundFacts {
  // the schema judges, the originals are bound: what it makes of a key `__proto__` is not ours
  facts.parse(values)
  const { now, ...rest } = values
  // without a prototype: no name of a variable finds what is not a fact
  const bound: Record<string, CelValue> = Object.create(null)
  for (const [name, value] of Object.entries(rest)) bound[name] = celValue(value)
  bound.now = celNow(now)
  return bound
}

/** Made a value of the library once, not anew wherever a rule names it. */
function celNow(now: Date): CelValue {
  return reflect(TimestampSchema, timestampFromDate(now))
}

/**
 * Whole numbers become CEL `int`: `5 > 4` must not compare a double.
 * @throws TypeError for half a character: two engines could read it as two different texts
 */
function celValue(value: Json): CelValue {
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === null || typeof value !== 'object') return value
  return isList(value) ? celList(value.map(celValue)) : celMap(new FactMap(value))
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a text in the facts has half a character in it')
  return text
}

/** An object of the facts; what no rule asks for is not made a value of CEL. */
class FactMap extends Map<string, CelValue> {
  readonly #source: { readonly [key: string]: Json }
  #size: number | undefined

  constructor(source: { readonly [key: string]: Json }) {
    super()
    this.#source = source
  }

  override get(key: string): CelValue | undefined {
    const known = super.get(key)
    if (known !== undefined || !Object.hasOwn(this.#source, key)) return known
    const value = celValue(this.#source[key] ?? null)
    super.set(wellFormed(key), value)
    return value
  }

  override get size(): number {
    this.#size ??= Object.keys(this.#source).length
    return this.#size
  }

  override keys() {
    return this.#all().keys()
  }

  override entries() {
    return this.#all().entries()
  }

  override forEach(each: (value: CelValue, key: string, map: Map<string, CelValue>) => void): void {
    this.#all().forEach(each)
  }

  #all(): Map<string, CelValue> {
    return new Map(
      Object.keys(this.#source).map((key) => [wellFormed(key), this.get(key) ?? null] as const),
    )
  }
}
