import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyRule } from '@jackstay/contract/kinds/action-policy'
import fc from 'fast-check'
import { decide } from './decide.ts'
import { explain } from './explain.ts'
import type { Place } from './facts.ts'
import { compileRules } from './rules.ts'
import { allow, ask, deny, policy, someFacts, verdict, withParams } from './samples.ts'

describe('decide', () => {
  it('denies on no policy, and where nothing allows (T17)', () => {
    assert.equal(verdict([]).effect, 'deny')
    assert.equal(verdict([policy('p', [ask('a')])]).effect, 'deny')
    assert.equal(
      verdict([policy('p', [allow('a')], { actions: ['workload.restart'] })]).effect,
      'deny',
    )
    assert.equal(verdict([policy('p', [allow('a')], { actions: ['*'] })]).effect, 'allow')
  })
  it('names the rule that denied, with its message', () => {
    const rule = {
      name: 'never-beyond-five',
      deny: { when: 'intent.params.replicas > 5', message: 'ask for quota' },
    }
    const all = [policy('scaling', [rule, allow('a')])]
    const { reason } = verdict(all, { facts: withParams({ replicas: 6 }) })
    assert.equal(reason, 'denied by scaling/never-beyond-five: ask for quota')
    assert.equal(verdict(all, { facts: withParams({ replicas: 5 }) }).effect, 'allow')
  })
  it('denies when a deny expression fails (T18)', () => {
    const all = [policy('p', [deny('d', 'intent.params.none == 1'), allow('a')])]
    assert.match(verdict(all).reason, /^denied because p\/d failed: /)
  })
  it('denies every action of a policy with a problem, and no other', () => {
    const broken = policy('broken', [allow('a', 'intent.parms == 1')], {
      actions: ['workload.restart'],
    })
    const fine = policy('fine', [allow('a')], { actions: ['*'] })
    assert.equal(verdict([broken, fine]).effect, 'allow')
    const { effect, reason } = verdict([broken, fine], { action: 'workload.restart' })
    assert.equal(effect, 'deny')
    assert.match(reason, /broken\/a cannot be loaded: unknown field `parms`/)
  })
  it('lists audit rules and is not moved by them', () => {
    const { effect, fired } = verdict([
      policy('p', [allow('a')]),
      policy('w', [deny('d')], { mode: 'audit' }),
    ])
    assert.equal(effect, 'allow')
    assert.ok(fired.some((f) => f.id === 'w/d' && f.mode === 'audit' && f.outcome === 'matched'))
  })
  it('adds up what every matching rule demands', () => {
    const { requirements } = verdict([
      policy('p', [allow('a'), ask('b'), ask('c', 'true', 2), ask('d', 'false')]),
    ])
    assert.deepEqual(
      requirements.map((r) => [r.from, r.count, r.expiresAfter]),
      [
        ['p/b', 1, 3600],
        ['p/c', 2, 3600],
      ],
    )
    const rule = {
      name: 'x',
      requireApproval: { when: 'true', count: 1, groups: ['g'], expiresAfter: '1h30m' },
    }
    assert.equal(verdict([policy('p', [allow('a'), rule])]).requirements[0]?.expiresAfter, 5400)
  })
  it('follows the autonomy of the class', () => {
    const free = [policy('p', [allow('a')])]
    const asked = [policy('p', [allow('a'), ask('b')])]
    const froms = (all: typeof free, autonomy: Parameters<typeof decide>[0]['autonomy']) =>
      verdict(all, { autonomy }).requirements.map((r) => r.from)
    assert.equal(verdict(free, { autonomy: 'observe' }).effect, 'deny')
    assert.deepEqual(froms(free, 'propose'), ['class/sre'])
    assert.deepEqual(froms(free, 'act-with-approval'), ['class/sre'])
    assert.deepEqual(froms(asked, 'act-with-approval'), ['p/b'])
    assert.deepEqual(froms(free, 'act-within-policy'), [])
    const facts = someFacts()
    const irreversible = {
      ...facts,
      plan: { ...facts.plan, reversibility: 'irreversible' as const },
    }
    assert.deepEqual(
      verdict(asked, { facts: irreversible }).requirements.map((r) => r.from),
      ['p/b', 'class/sre'],
    )
  })
  it('denies approval by nobody (T58)', () => {
    const all = [policy('p', [allow('a')])]
    for (const defaultApproval of [
      { count: 0, groups: ['g'] },
      { count: 1, groups: [] },
    ]) {
      assert.equal(verdict(all, { autonomy: 'act-with-approval', defaultApproval }).effect, 'deny')
    }
    assert.equal(verdict([policy('p', [allow('a'), ask('b', 'true', 0)])]).effect, 'deny')
  })
  it('denies on facts that the schema does not know, even where no rule looks at them', () => {
    const { rules } = compileRules([policy('p', [allow('a')])])
    const facts = someFacts()
    const radius = { ...facts.plan.blastRadius, readyReplicasLost: '0' }
    for (const wrong of [
      { ...facts, plan: { ...facts.plan, blastRadius: radius } },
      { ...facts, agent: { ...facts.agent, risk: 'low' } },
      { ...facts, now: new Date(Number.NaN) },
      { ...facts, namespace: undefined },
    ]) {
      const given = { rules, action: 'workload.scale', facts: wrong, className: 'c' }
      const rest = { autonomy: 'act-within-policy', defaultApproval: { count: 1, groups: ['g'] } }
      assert.equal(Reflect.apply(decide, undefined, [{ ...given, ...rest }]).effect, 'deny')
    }
  })
  it('never throws: facts that are not facts are a deny', () => {
    const { rules } = compileRules([policy('p', [allow('a')])])
    fc.assert(
      fc.property(fc.anything(), (facts) => {
        const input = { rules, action: 'workload.scale', facts, autonomy: 'act-within-policy' }
        const given = { ...input, defaultApproval: { count: 1, groups: ['g'] }, className: 'c' }
        // what a caller in JavaScript could do
        assert.equal(Reflect.apply(decide, undefined, [given]).effect, 'deny')
      }),
    )
  })
})

describe('a plan that writes in several namespaces', () => {
  const place = (name: string, labels: Record<string, string>): Place => ({
    namespace: { name, labels, quotas: [] },
    window: { open: false, frozen: false, breakGlass: false, names: [] },
  })
  const bank = place('bank', { tier: 'gold' })
  const lab = place('lab', { tier: 'none' })
  const asked = (rules: PolicyRule[], ...elsewhere: Place[]) =>
    verdict([policy('p', rules)], { facts: someFacts({ elsewhere }) })
  const gold = '"tier" in namespace.labels && namespace.labels["tier"] == "gold"'

  it('is denied where a rule denies for one of them, and says for which', () => {
    const rules = [allow('a'), deny('d', gold)]
    assert.equal(asked(rules, lab).effect, 'allow')
    const { effect, reason, fired, requirements } = asked(rules, lab, bank)
    assert.deepEqual([effect, reason], ['deny', 'in the namespace `bank`: denied by p/d'])
    assert.deepEqual([fired[0]?.id, requirements], ['p/d', []])
  })
  it('is allowed only where each of them is', () => {
    const rules = [allow('a', 'namespace.name in ["shop", "lab"]')]
    assert.equal(asked(rules, lab).effect, 'allow')
    assert.equal(asked(rules, lab, bank).effect, 'deny')
  })
  it('needs what rules demand for any of them, once per rule', () => {
    const rules = [allow('a'), ask('g', gold, 2), ask('all')]
    const from = (...places: Place[]) => asked(rules, ...places).requirements.map((r) => r.from)
    assert.deepEqual(from(lab), ['p/all'])
    assert.deepEqual(from(lab, bank, { ...bank }), ['p/all', 'p/g'])
    const { reason } = asked(rules, bank)
    assert.match(
      reason,
      /^allowed by p\/a, with .* p\/all demands; in the namespace `bank` allowed/,
    )
  })
  it('asks the windows of each', () => {
    const shut = { ...lab, window: { ...lab.window, frozen: true } }
    assert.equal(asked([allow('a', '!window.frozen')], shut).effect, 'deny')
  })
  it('is explained by the namespace that decided', () => {
    const { rules } = compileRules([policy('p', [allow('a'), deny('d', gold)])])
    const rest = {
      autonomy: 'act-within-policy',
      className: 'sre',
      action: 'workload.scale',
    } as const
    const defaultApproval = { count: 1, groups: ['leads'] }
    const facts = someFacts({ elsewhere: [lab, bank] })
    const { cause } = explain({ ...rest, rules, facts, defaultApproval })
    assert.deepEqual(cause.rules, ['p/d'])
    assert.deepEqual(cause.besides, ['seen for the namespace bank, beside 2 others'])
    assert.ok(cause.values.some(({ value }) => value === 'gold'))
  })
})
