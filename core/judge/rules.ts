import type { ApprovalRequirement } from '@jackstay/contract/decision'
import { durationSeconds } from '@jackstay/contract/duration'
import { type Digest, digestOf, sha256 } from '@jackstay/contract/json'
import type { ActionPolicySpec, PolicyRule } from '@jackstay/contract/kinds/action-policy'
import { type Compile, type Expression, expressionCompiler } from './cel/expression.ts'
import type { ExpressionProblem } from './cel/syntax.ts'

export interface NamedPolicy {
  readonly name: string
  readonly spec: ActionPolicySpec
}

/** What is wrong with a rule, and where in its expression; line and column count from 1. */
export interface RuleProblem extends ExpressionProblem {
  readonly policy: string
  readonly rule: string
}

export type RuleEffect =
  | { readonly kind: 'deny'; readonly message: string | undefined }
  | { readonly kind: 'requireApproval'; readonly requirement: ApprovalRequirement }
  | { readonly kind: 'allow' }

export interface CompiledRule {
  /** `<policy>/<rule>` */
  readonly id: string
  readonly effect: RuleEffect
  readonly evaluate: Expression
  /** An alert can make it match. */
  readonly byAlert: boolean
}

export interface CompiledPolicy {
  readonly name: string
  readonly spec: ActionPolicySpec
  readonly rules: readonly CompiledRule[]
  readonly problems: readonly RuleProblem[]
  /** Of its name and rules, whatever their order. */
  readonly digest: Digest
}

/** All policies, ready to be asked. Made by `compileRules` alone. */
export interface RuleSet {
  readonly policies: readonly CompiledPolicy[]
  /** By each action that a policy names: what speaks about it. */
  readonly byAction: ReadonlyMap<string, ActionRules>
  /** What speaks about every other action. */
  readonly others: ActionRules
}

/** The policies that speak about one action, and the digest of those in force. */
export interface ActionRules {
  readonly policies: readonly CompiledPolicy[]
  readonly hash: Digest
}

/** Used where a `requireApproval` does not say: one hour, in seconds. */
export const defaultExpiry = 3600

/**
 * Compiles every rule and says what is wrong with those that do not compile. A policy with a
 * problem denies every action it names until it is repaired.
 */
export function compileRules(policies: readonly NamedPolicy[]): {
  readonly rules: RuleSet
  readonly problems: readonly RuleProblem[]
} {
  const compile = expressionCompiler()
  const compiled = policies
    .map((policy) => compilePolicy(policy, compile))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const named = new Set(compiled.flatMap(({ spec }) => spec.actions))
  const byAction = new Map([...named].map((action) => [action, rulesAbout(compiled, action)]))
  const rules = { policies: compiled, byAction, others: rulesAbout(compiled, '*') }
  return { rules, problems: compiled.flatMap((p) => p.problems) }
}

function rulesAbout(all: readonly CompiledPolicy[], action: string): ActionRules {
  const policies = all.filter(
    ({ spec }) => spec.actions.includes('*') || spec.actions.includes(action),
  )
  const inForce = policies.filter(({ spec }) => spec.mode === 'enforce')
  return { policies, hash: digestOf({ v: 1, policies: inForce.map((p) => p.digest).sort() }) }
}

/** The policies that speak about an action, `*` included. */
export function policiesFor(rules: RuleSet, action: string): readonly CompiledPolicy[] {
  return (rules.byAction.get(action) ?? rules.others).policies
}

/**
 * The digest of the rules in force for an action. It stays the same whatever the order, other
 * actions' rules, and policies in `audit` mode, which cannot change an outcome.
 */
export function rulesHash(rules: RuleSet, action: string): Digest {
  return (rules.byAction.get(action) ?? rules.others).hash
}

/** The digest of all policies, whatever their order and mode. */
export function ruleSetHash({ policies }: RuleSet): Digest {
  const all = policies.map(({ digest, spec: { mode, actions } }) => ({ digest, mode, actions }))
  return digestOf({ v: 1, policies: all })
}

function compilePolicy({ name, spec }: NamedPolicy, compile: Compile): CompiledPolicy {
  const rules: CompiledRule[] = []
  const problems: RuleProblem[] = []
  const sorted = [...spec.rules].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  for (const rule of sorted) {
    const id = `${name}/${rule.name}`
    const read = effectOf(rule, id)
    const guarded = rule.allow !== undefined
    const compiled = 'problem' in read ? read : compile(read.when, { guarded })
    if ('problem' in compiled) problems.push({ policy: name, rule: rule.name, ...compiled.problem })
    else if ('effect' in read) rules.push({ id, effect: read.effect, ...compiled })
  }
  return { name, spec, rules, problems, digest: digestOfRules({ name, rules: sorted }) }
}

/** Also of texts with half a character in them, which have no canonical form. */
function digestOfRules(rules: { readonly name: string; readonly rules: readonly PolicyRule[] }) {
  const text = JSON.stringify(rules)
  return text === text.toWellFormed() && !/\\ud[89a-f]/i.test(text) ? digestOf(rules) : sha256(text)
}

function effectOf(
  { deny, requireApproval, allow }: PolicyRule,
  id: string,
):
  | { readonly effect: RuleEffect; readonly when: string }
  | { readonly problem: ExpressionProblem } {
  const problem = (message: string) => ({ problem: { line: 1, column: 1, message } })
  if ([deny, requireApproval, allow].filter((e) => e !== undefined).length !== 1) {
    return problem('a rule has exactly one of `deny`, `requireApproval` and `allow`')
  }
  if (deny) return { effect: { kind: 'deny', message: deny.message }, when: deny.when }
  if (allow) return { effect: { kind: 'allow' }, when: allow.when }
  if (!requireApproval) return problem('a rule needs an effect')
  const { when, count, groups, expiresAfter, separate } = requireApproval
  if (!Number.isInteger(count) || count < 1)
    return problem(`\`count\` is \`${count}\`; at least 1 person must approve`)
  if (groups.length === 0) return problem('`groups` is empty; name who may approve')
  const seconds = expiresAfter === undefined ? defaultExpiry : durationSeconds(expiresAfter)
  if (seconds < 1) {
    return problem(
      `\`expiresAfter\` is \`${expiresAfter}\`; write it like \`90s\`, \`15m\`, \`1h30m\``,
    )
  }
  const requirement = {
    ...{ from: id, count, groups: [...groups].sort(), expiresAfter: seconds },
    ...(separate === true && { separate }),
  }
  return { effect: { kind: 'requireApproval', requirement }, when }
}
