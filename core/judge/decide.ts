import type { ApprovalRequirement, Decision, FiredRule } from '@jackstay/contract/decision'
import { assertNever } from '@jackstay/contract/errors'
import { sha256 } from '@jackstay/contract/json'
import type { Autonomy } from '@jackstay/contract/kinds/agent-class'
import { visible } from '@jackstay/contract/text'
import { type BoundFacts, bindFacts, type Facts, placesOf } from './facts.ts'
import {
  type CompiledPolicy,
  type CompiledRule,
  defaultExpiry,
  policiesFor,
  type RuleSet,
  rulesHash,
} from './rules.ts'

export interface DecideInput {
  readonly rules: RuleSet
  readonly action: string
  readonly facts: Facts
  readonly autonomy: Autonomy
  /** Who must agree where the class demands it and no rule says who. */
  readonly defaultApproval: { readonly count: number; readonly groups: readonly string[] }
  readonly className: string
}

interface Fired {
  readonly rule: FiredRule
  readonly requirement?: ApprovalRequirement
  readonly byAlert: boolean
}

/** A verdict before its paperwork. */
type Verdict =
  | { readonly effect: 'deny'; readonly reason: string }
  | {
      readonly effect: 'allow'
      readonly reason: string
      readonly requirements: readonly ApprovalRequirement[]
    }

/** As many as a decision may list; those that denied come first. */
const listed = 256

/**
 * The rules' verdict on one plan. Every rule of the action is evaluated, so the order of rules
 * never matters. Any matching deny, any error and no matching allow are a deny; every matching
 * `requireApproval` adds what it demands. A plan that writes in several namespaces is judged for each.
 * Total: never throws, and what is amiss is a deny.
 */
export function decide(input: DecideInput): Decision {
  try {
    const [own, ...others] = placesOf(input.facts)
    const first = judged({ ...input, facts: own })
    return others.length === 0
      ? first
      : strictest(
          first,
          others.map((facts) => [facts.namespace.name, judged({ ...input, facts })]),
        )
  } catch (error) {
    return denial(`judging failed: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

/** Of no rule set. */
const noRules = sha256('')

/** A deny where nothing was judged. Its rules are those of no rule set: nothing can be approved. */
export function denial(why: string): Decision {
  const nothing = { fired: [], evaluated: 0, requirements: [] }
  return { effect: 'deny', reason: cut(`denied because ${why}`), ...nothing, rulesHash: noRules }
}

/** Whether rules were asked at all: a {@link denial} says nothing about which are in force. */
export function wasJudged({ rulesHash }: Decision): boolean {
  return rulesHash !== noRules
}

function judged(input: DecideInput): Decision {
  const policies = policiesFor(input.rules, input.action)
  const facts = bindFacts(input.facts)
  const rules = policies.flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
  const fired = rules
    .map(({ policy, rule }) => fire(policy, rule, facts))
    .filter((f) => f !== undefined)
    .sort((a, b) => heaviest(a.rule, b.rule))
  const verdict = weigh(input, policies, fired)
  return {
    effect: verdict.effect,
    reason: cut(verdict.reason),
    fired: fired.slice(0, listed).map((f) => f.rule),
    evaluated: rules.length,
    requirements: verdict.effect === 'allow' ? [...verdict.requirements] : [],
    rulesHash: rulesHash(input.rules, input.action),
  }
}

/**
 * One decision of those for several namespaces: a deny for any is a deny, and what rules demand for
 * each adds up, once per rule. So one namespace more never makes it less strict.
 */
function strictest(own: Decision, others: readonly (readonly [string, Decision])[]): Decision {
  const all = [own, ...others.map(([, decision]) => decision)]
  const fired = new Map(all.flatMap((d) => d.fired.map((f) => [JSON.stringify(f), f] as const)))
  const said = {
    ...own,
    fired: [...fired.values()].sort(heaviest).slice(0, listed),
    evaluated: all.reduce((sum, { evaluated }) => sum + evaluated, 0),
  }
  if (own.effect === 'deny') return said
  const [place, denial] = others.find(([, { effect }]) => effect === 'deny') ?? []
  if (denial !== undefined) {
    const reason = cut(`in the namespace \`${place}\`: ${denial.reason}`)
    return { ...said, effect: 'deny', reason, requirements: [] }
  }
  const demands = new Map(all.flatMap((d) => d.requirements.map((r) => [r.from, r] as const)))
  const different = others.filter(([, d]) => d.reason !== own.reason)
  const reasons = different.map(([name, d]) => `; in the namespace \`${name}\` ${d.reason}`)
  return {
    ...said,
    reason: cut(own.reason + reasons.join('')),
    requirements: [...demands.values()],
  }
}

function fire(policy: CompiledPolicy, rule: CompiledRule, facts: BoundFacts): Fired | undefined {
  const { effect, id, byAlert } = rule
  const evaluation = rule.evaluate(facts)
  const known = { id, effect: effect.kind, mode: policy.spec.mode }
  switch (evaluation.outcome) {
    case 'not_matched':
      return undefined
    case 'error':
      return { rule: { ...known, outcome: 'error', message: cut(evaluation.message) }, byAlert }
    case 'matched': {
      const message = effect.kind === 'deny' ? effect.message : undefined
      return {
        rule: {
          ...known,
          outcome: 'matched',
          ...(message !== undefined && { message: cut(message) }),
        },
        ...(effect.kind === 'requireApproval' && { requirement: effect.requirement }),
        byAlert,
      }
    }
    default:
      return assertNever(evaluation)
  }
}

function weigh(
  input: DecideInput,
  policies: readonly CompiledPolicy[],
  fired: readonly Fired[],
): Verdict {
  const deny = (reason: string): Verdict => ({ effect: 'deny', reason })
  const broken = policies.find((p) => p.spec.mode === 'enforce' && p.problems.length > 0)
  const problem = broken?.problems[0]
  if (problem !== undefined) {
    return deny(
      `denied because ${problem.policy}/${problem.rule} cannot be loaded: ${problem.message}`,
    )
  }
  const effective = fired.filter((f) => f.rule.mode === 'enforce')
  const [first] = effective.filter((f) => f.rule.outcome === 'matched' && f.rule.effect === 'deny')
  if (first !== undefined) {
    const { id, message } = first.rule
    return deny(`denied by ${id}${message === undefined ? '' : `: ${message}`}`)
  }
  const failed = effective.find((f) => f.rule.outcome === 'error')
  if (failed !== undefined)
    return deny(`denied because ${failed.rule.id} failed: ${failed.rule.message}`)
  if (input.autonomy === 'observe')
    return deny(`denied because the class ${input.className} may only observe`)
  const allow = effective.find((f) => f.rule.effect === 'allow')
  if (allow === undefined) return deny(`denied because no rule allows ${input.action} here`)
  const requirements = demanded(input, effective)
  const empty = requirements.find(
    (r) => !Number.isInteger(r.count) || r.count < 1 || r.groups.length === 0,
  )
  if (empty !== undefined) return deny(`denied because ${empty.from} demands approval by nobody`)
  return { effect: 'allow', reason: allowReason(allow.rule.id, requirements), requirements }
}

function demanded(input: DecideInput, effective: readonly Fired[]): readonly ApprovalRequirement[] {
  const demands = effective.filter((f) => f.requirement !== undefined)
  const byRules = demands.map((f) => f.requirement).filter((r) => r !== undefined)
  const { count, groups } = input.defaultApproval
  const byClass = {
    from: `class/${input.className}`,
    count,
    groups: [...groups],
    expiresAfter: defaultExpiry,
  }
  const irreversible = input.facts.plan.reversibility === 'irreversible'
  // what an alert demands comes on top: it must not take the place of what the class demands (T77)
  const said = demands.some((f) => !f.byAlert)
  const asks = input.autonomy !== 'act-within-policy' && !said
  return irreversible || asks ? [...byRules, byClass] : byRules
}

function allowReason(id: string, requirements: readonly ApprovalRequirement[]): string {
  if (requirements.length === 0) return `allowed by ${id}`
  const verb = requirements.length === 1 ? 'demands' : 'demand'
  return `allowed by ${id}, with the approval that ${requirements.map((r) => r.from).join(', ')} ${verb}`
}

function heaviest(a: FiredRule, b: FiredRule): number {
  return weight(a) - weight(b) || (a.id < b.id ? -1 : 1)
}

function weight(rule: FiredRule): number {
  if (rule.mode === 'audit') return 4
  if (rule.effect === 'deny' && rule.outcome === 'matched') return 0
  return rule.outcome === 'error' ? 1 : 2
}

/** One line that fits a decision; values in error messages may come from an agent. */
function cut(text: string): string {
  return visible(text, 512).toWellFormed()
}
