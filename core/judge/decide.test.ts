import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decide } from './decide.ts'
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
