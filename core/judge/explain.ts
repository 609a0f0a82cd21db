import type { Decision } from '@jackstay/contract/decision'
import type { Json } from '@jackstay/contract/json'
import { type Leaf, type Need, type ReadFact, type TracedFacts, tracer } from './cel/trace.ts'
import { type DecideInput, decide } from './decide.ts'
import { bindFacts, placesOf } from './facts.ts'
import { type CompiledPolicy, type CompiledRule, policiesFor } from './rules.ts'

export type Outcome = 'allow' | 'deny' | 'approval'

/** One rule that was asked, and why it answered so. */
export interface ExplainedRule {
  /** `<policy>/<rule>` */
  readonly id: string
  readonly effect: 'deny' | 'requireApproval' | 'allow'
  readonly mode: 'enforce' | 'audit'
  readonly outcome: 'matched' | 'not_matched' | 'error'
  readonly when: string
  readonly message?: string
  /** The parts of its condition on the path that decided. */
  readonly leaves: readonly Leaf[]
}

/** What the decision rests on: with these rules and values it is the same, whatever else differs. */
export interface Cause {
  /** Ids of rules. */
  readonly rules: readonly string[]
  readonly values: readonly ReadFact[]
  /** What is no rule: the class's autonomy or default approval, a policy that cannot be loaded. */
  readonly besides: readonly string[]
}

/** A rule that would have to answer otherwise, and what of it. */
export interface Turn {
  readonly rule: string
  readonly to: 'match' | 'not_match'
  readonly need: Need
}

/** The smallest set of turns that gives another outcome. */
export interface Change {
  /** `allowed`: with people's approval or without. */
  readonly to: 'allowed' | 'denied' | 'without_approval'
  /** All of these. */
  readonly all: readonly Turn[]
  /** And one of these, where there are any. */
  readonly oneOf: readonly Turn[]
  /** And what no rule can bring about. */
  readonly besides: readonly string[]
}

export interface Explanation {
  readonly decision: Decision
  readonly outcome: Outcome
  /** Those that matched or failed first. */
  readonly rules: readonly ExplainedRule[]
  readonly cause: Cause
  readonly changes: readonly Change[]
}

interface Asked extends ExplainedRule {
  /** It rests on alerts, so what it demands comes on top. */
  readonly byAlert: boolean
  need(want: boolean): Need
}

/**
 * Why the rules decide so, and what would make them decide otherwise. Pure, and as total as
 * `decide`, whose outcome it explains; meant for people, it takes its time.
 */
export function explain(input: DecideInput): Explanation {
  const decision = decide(input)
  const policies = policiesFor(input.rules, input.action)
  const broken = policies.filter((p) => p.spec.mode === 'enforce' && p.problems.length > 0)
  const outcome = outcomeOf(decision)
  const place = decisivePlace(input, outcome)
  const asked = askAll(policies, place)
  const effective = asked.filter((rule) => rule.mode === 'enforce')
  const scene = { input: place, decision, outcome, broken, rules: effective }
  return {
    decision,
    outcome,
    rules: asked.map(({ need: _, byAlert: __, ...rule }) => rule),
    cause: besidePlaces(input, place, causeOf(scene)),
    changes: changesOf(scene),
  }
}

/** Of a plan that writes in several namespaces, the first that came to the same as the whole. */
function decisivePlace(input: DecideInput, outcome: Outcome): DecideInput {
  try {
    const places = placesOf(input.facts).map((facts) => ({ ...input, facts }))
    return places.find((one) => outcomeOf(decide(one)) === outcome) ?? input
  } catch {
    return input // of facts that are none the decision says so
  }
}

function besidePlaces(input: DecideInput, place: DecideInput, cause: Cause): Cause {
  const others = input.facts?.elsewhere?.length ?? 0
  if (others === 0) return cause
  const { name } = place.facts.namespace
  const here = name === '' ? 'the target, which is in no namespace' : `the namespace ${name}`
  return { ...cause, besides: [...cause.besides, `seen for ${here}, beside ${others} others`] }
}

/** What a decision comes to. */
export function outcomeOf({
  effect,
  requirements,
}: Pick<Decision, 'effect' | 'requirements'>): Outcome {
  if (effect === 'deny') return 'deny'
  return requirements.length > 0 ? 'approval' : 'allow'
}

interface Scene {
  readonly input: DecideInput
  readonly decision: Decision
  readonly outcome: Outcome
  /** Policies in force that cannot be loaded. */
  readonly broken: readonly CompiledPolicy[]
  /** Of policies in force. */
  readonly rules: readonly Asked[]
}

function askAll(policies: readonly CompiledPolicy[], input: DecideInput): readonly Asked[] {
  const facts = tracedFacts(input)
  if (facts === undefined) return []
  const trace = tracer()
  const all = policies.flatMap((policy) =>
    policy.rules.map((rule): Asked => {
      const evaluation = rule.evaluate(facts.bound)
      const when = conditionOf(policy, rule)
      const { leaves, need } = trace(when, facts)
      const message =
        evaluation.outcome === 'error'
          ? evaluation.message
          : rule.effect.kind === 'deny'
            ? rule.effect.message
            : undefined
      return {
        id: rule.id,
        effect: rule.effect.kind,
        mode: policy.spec.mode,
        outcome: evaluation.outcome,
        when,
        ...(message !== undefined && { message }),
        leaves,
        need,
        byAlert: rule.byAlert,
      }
    }),
  )
  return all.sort((a, b) => weight(a) - weight(b) || (a.id < b.id ? -1 : 1))
}

/** Undefined where the facts are none: then nothing was asked. */
function tracedFacts({ facts }: DecideInput): TracedFacts | undefined {
  try {
    const { now, elsewhere: _, ...rest } = facts
    const plain: { readonly [key: string]: Json } = { ...rest, now: now.toISOString() }
    return { bound: bindFacts(facts), plain }
  } catch {
    return undefined // the decision says so
  }
}

function conditionOf({ name, spec }: CompiledPolicy, { id }: CompiledRule): string {
  const rule = spec.rules.find((r) => `${name}/${r.name}` === id)
  return (rule?.deny ?? rule?.requireApproval ?? rule?.allow)?.when ?? ''
}

function weight({ outcome, effect }: ExplainedRule): number {
  if (outcome === 'not_matched') return 3
  if (outcome === 'error') return 1
  return effect === 'deny' ? 0 : 2
}

/** In the order in which `decide` weighs. */
function causeOf({ input, outcome, broken, rules }: Scene): Cause {
  if (outcome !== 'deny') {
    // an allow rests on every rule: none may deny, none may fail, and each may ask for people
    const reversibility = { path: ['plan', 'reversibility'], value: input.facts.plan.reversibility }
    const besides = [`the class may ${input.autonomy}`]
    const { values, ...cause } = resting(rules, besides)
    return { ...cause, values: unique([...values, reversibility]) }
  }
  const [unloaded] = broken
  if (unloaded !== undefined) return resting([], [unloadable(unloaded)])
  const denying = rules.find((r) => r.effect === 'deny' && r.outcome === 'matched')
  if (denying !== undefined) return resting([denying], [])
  const failed = rules.find((r) => r.outcome === 'error')
  if (failed !== undefined) return resting([failed], [])
  if (input.autonomy === 'observe') return resting([], ['the class may only observe'])
  const allows = rules.filter((r) => r.effect === 'allow')
  if (allows.every((r) => r.outcome !== 'matched')) {
    return resting(allows, allows.length === 0 ? ['no rule that allows'] : [])
  }
  const asks = rules.filter((r) => r.effect === 'requireApproval')
  const reversibility = { path: ['plan', 'reversibility'], value: input.facts.plan.reversibility }
  const { values, ...cause } = resting(asks, [nobody(input)])
  return { ...cause, values: unique([...values, reversibility]) }
}

function resting(rules: readonly Asked[], besides: readonly string[]): Cause {
  return {
    rules: rules.map(({ id }) => id),
    values: unique(rules.flatMap(({ leaves }) => leaves.flatMap(({ reads }) => reads))),
    besides,
  }
}

function unique(reads: readonly ReadFact[]): readonly ReadFact[] {
  return [...new Map(reads.map((read) => [JSON.stringify(read.path), read])).values()]
}

function unloadable({ name, problems }: CompiledPolicy): string {
  return `the policy ${name} cannot be loaded: ${problems[0]?.message ?? 'it has a problem'}`
}

function nobody({ className }: DecideInput): string {
  return `the class ${className} demands approval by nobody`
}

function changesOf(scene: Scene): readonly Change[] {
  return scene.outcome === 'deny' ? [allowing(scene)] : [denying(scene), ...unasking(scene)]
}

/** What would have to turn for an allow, with people or without. */
function allowing({ input, broken, rules }: Scene): Change {
  const failing = rules.filter((r) => r.outcome === 'error')
  const denying = rules.filter((r) => r.effect === 'deny' && r.outcome === 'matched')
  const allows = rules.filter((r) => r.effect === 'allow')
  const allowed = allows.some((r) => r.outcome === 'matched')
  // a failing allow has to be put right anyway: let it be the one that allows
  const chosen = allowed ? undefined : failing.find((r) => r.effect === 'allow')
  const needed = allowed || chosen !== undefined ? [] : allows.filter((r) => r.outcome !== 'error')
  const all = [...denying, ...failing].map((r) => turn(r, r === chosen))
  const besides = [
    ...broken.map(unloadable),
    ...(input.autonomy === 'observe' ? ['the class may only observe'] : []),
    ...(!allowed && chosen === undefined && needed.length === 0 ? ['a rule that allows'] : []),
    ...(byNobody(input, rules) ? [nobody(input)] : []),
  ]
  return { to: 'allowed', all, oneOf: needed.map((r) => turn(r, true)), besides }
}

/** Whether the class's default approval, which names nobody, would be asked for. */
function byNobody(input: DecideInput, rules: readonly Asked[]): boolean {
  const { count, groups } = input.defaultApproval
  if (count >= 1 && groups.length > 0) return false
  const asked = rules.some(
    (r) => r.effect === 'requireApproval' && r.outcome === 'matched' && !r.byAlert,
  )
  const irreversible = input.facts.plan.reversibility === 'irreversible'
  return irreversible || (input.autonomy !== 'act-within-policy' && !asked)
}

/** What would have to turn for a deny: one rule that denies, or every rule that allows. */
function denying({ rules }: Scene): Change {
  const matched = rules.filter((r) => r.effect === 'allow' && r.outcome === 'matched')
  const denies = rules.filter((r) => r.effect === 'deny').map((r) => turn(r, true))
  if (matched.length === 1) {
    const one = matched.map((r) => turn(r, false))
    return { to: 'denied', all: [], oneOf: [...one, ...denies], besides: [] }
  }
  if (denies.length > 0) return { to: 'denied', all: [], oneOf: denies, besides: [] }
  return { to: 'denied', all: matched.map((r) => turn(r, false)), oneOf: [], besides: [] }
}

/** What would have to turn so that nobody is asked. */
function unasking({ input, outcome, rules }: Scene): readonly Change[] {
  if (outcome !== 'approval') return []
  const asks = rules.filter((r) => r.effect === 'requireApproval' && r.outcome === 'matched')
  const besides = [
    ...(input.autonomy === 'act-within-policy' ? [] : [`the class may ${input.autonomy}`]),
    ...(input.facts.plan.reversibility === 'irreversible' ? ['the plan is irreversible'] : []),
  ]
  return [{ to: 'without_approval', all: asks.map((r) => turn(r, false)), oneOf: [], besides }]
}

function turn({ id, need }: Asked, match: boolean): Turn {
  return { rule: id, to: match ? 'match' : 'not_match', need: need(match) }
}
