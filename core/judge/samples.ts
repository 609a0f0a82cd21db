import type { ChangeWindowSpec } from '@jackstay/contract/change-window'
import type { ActionPolicySpec, PolicyRule } from '@jackstay/contract/kinds/action-policy'
import { type DecideInput, decide } from './decide.ts'
import type { Facts } from './facts.ts'
import { compileRules, type NamedPolicy } from './rules.ts'

/** Builders for tests. */
export function someFacts(changes: Partial<Facts> = {}): Facts {
  return {
    intent: { action: 'workload.scale', params: { replicas: 3 } },
    action: 'workload.scale',
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    plan: {
      summary: 'scale web from 2 to 3',
      reversibility: 'inverse',
      blastRadius: { objects: 1, pods: 3, readyReplicasLost: 0, namespaces: ['shop'] },
      writes: [{ path: '/spec/replicas', before: 2, after: 3 }],
      risk: { score: 12, parts: { pods: 2, criticality: 10 } },
    },
    agent: {
      name: 'jackstay-class-sre/healer',
      namespace: 'jackstay-class-sre',
      serviceAccount: 'healer',
    },
    class: { name: 'sre', autonomy: 'act-within-policy' },
    cluster: { uid: '11111111-1111-4111-8111-111111111111', incidents: [] },
    namespace: { name: 'shop', labels: { 'jackstay.dev/governed': 'true' }, quotas: [] },
    window: { open: false, frozen: false, breakGlass: false, names: [] },
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
