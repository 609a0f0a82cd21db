import type { ActionPolicySpec, PolicyRule } from '@jackstay/contract/kinds/action-policy'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { type DecideInput, decide } from './decide.ts'
import type { Facts } from './facts.ts'
import { compileRules, type NamedPolicy } from './rules.ts'
import { sampleFacts } from './sample-facts.ts'

/** Builders for tests. The sample facts, or what differs from them. */
export function someFacts(changes: Partial<Facts> = {}): Facts {
  const { plan } = sampleFacts
  return {
    ...sampleFacts,
    plan: { ...plan, blastRadius: { ...plan.blastRadius, pods: 3 } },
    // a night on which clocks change
    now: new Date('2026-03-29T02:30:00Z'),
    ...changes,
  }
}

export function withParams(params: Facts['intent']['params']): Facts {
  return someFacts({ intent: { action: 'workload.scale', params } })
}

export function policy(
  name: string,
  rules: readonly PolicyRule[],
  changes: Partial<ActionPolicySpec> = {},
): NamedPolicy {
  return {
    name,
    spec: { mode: 'enforce', actions: ['workload.scale'], rules: [...rules], ...changes },
  }
}

export const allow = (name: string, when = 'true'): PolicyRule => ({ name, allow: { when } })
export const deny = (name: string, when = 'true'): PolicyRule => ({ name, deny: { when } })
export const ask = (name: string, when = 'true', count = 1): PolicyRule => ({
  name,
  requireApproval: { when, count, groups: ['sre'] },
})

export function verdict(policies: readonly NamedPolicy[], changes: Partial<DecideInput> = {}) {
  return decide({
    rules: compileRules(policies).rules,
    action: 'workload.scale',
    facts: someFacts(),
    autonomy: 'act-within-policy',
    defaultApproval: { count: 1, groups: ['leads'] },
    className: 'sre',
    ...changes,
  })
}

/** How one condition of a deny rule turns out. */
export function outcomeOf(when: string, facts: Facts = someFacts()): string {
  const { rules, problems } = compileRules([policy('p', [deny('r', when)])])
  if (problems[0] !== undefined) return `problem: ${problems[0].message}`
  const { fired } = verdict([], { rules, facts })
  return fired[0]?.outcome ?? 'not_matched'
}

const everywhere = { actions: ['*'], namespaces: ['*'] }

/** A window by a cron line; `changes` make it something else. */
export function cronWindow(
  cron: string,
  duration: string,
  timeZone = 'UTC',
  changes: Partial<ChangeWindowSpec> = {},
): ChangeWindowSpec {
  return { effect: 'allow', cron, duration, timeZone, ...everywhere, ...changes }
}

export function ruleWindow(
  rule: string,
  start: string,
  duration: string,
  timeZone = 'UTC',
  changes: Partial<ChangeWindowSpec> = {},
): ChangeWindowSpec {
  const rrule = { rule, start }
  return { effect: 'allow', rrule, duration, timeZone, ...everywhere, ...changes }
}

export function onceWindow(
  from: string,
  until: string,
  changes: Partial<ChangeWindowSpec> = {},
): ChangeWindowSpec {
  return { effect: 'allow', once: { from, until }, ...everywhere, ...changes }
}
