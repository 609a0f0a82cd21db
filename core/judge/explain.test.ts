import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '@jackstay/contract/json'
import type { PolicyRule } from '@jackstay/contract/kinds/action-policy'
import fc from 'fast-check'
import type { ReadFact } from './cel/trace.ts'
import type { DecideInput } from './decide.ts'
import { type Change, type Explanation, explain, outcomeOf } from './explain.ts'
import { type Facts, facts } from './facts.ts'
import { compileRules, type NamedPolicy } from './rules.ts'
import { allow, ask, deny, policy, someFacts, verdict, withParams } from './samples.ts'

const byClass = { count: 1, groups: ['leads'] }

function explained(
  policies: readonly NamedPolicy[],
  values: Facts = someFacts(),
  changes: Partial<DecideInput> = {},
): Explanation {
  return explain({
    rules: compileRules(policies).rules,
    action: 'workload.scale',
    facts: values,
    autonomy: 'act-within-policy',
    defaultApproval: byClass,
    className: 'sre',
    ...changes,
  })
}

// what rules may look at, in every shape: guarded, unguarded, short-circuited, walked through, failing
const conditions = [
  'true',
  'false',
  'intent.params.replicas > 5',
  'has(intent.params.replicas) && intent.params.replicas > 5',
  'has(intent.params.a) && has(intent.params.a.b) && intent.params.a.b == 1',
  'has(intent.params.a.b)',
  '!("env" in namespace.labels) || namespace.labels["env"] == "prod"',
  'namespace.labels.env == "prod" || target.name == "web"',
  'size(namespace.labels) > 1',
  'plan.writes.exists(w, w.after == intent.params.replicas)',
  'plan.writes.all(w, w.path == "/x" || namespace.name == "shop")',
  'now.getHours() < 12 ? target.name == "web" : plan.reversibility == "irreversible"',
  'intent.params == {}',
  'namespace.labels[target.name] == "x"',
  '1 / plan.blastRadius.pods == 1',
  'plan.risk.score >= 40',
  'target.name == "web" && plan.risk.score >= 40',
  'target.name == "web" || now.getHours() < 12',
  'size(cluster.incidents) > 0',
  'cluster.incidents.exists(i, i.namespace != "shop")',
  'nonsense == 1',
]
/** What an `allow` cannot be loaded with, because `||` and `&&` could swallow an error. */
const unguarded = conditions.filter(
  (when) => compileRules([policy('p', [allow('r', when)])]).problems.length > 0,
)
const condition = fc.constantFrom(...conditions)
const likely = fc.constantFrom(...conditions.filter((when) => when !== 'nonsense == 1'))
const allowable = fc.constantFrom('true', ...conditions.filter((when) => !unguarded.includes(when)))
const aRule = (name: string) =>
  fc.oneof(
    { weight: 8, arbitrary: allowable.map((when): PolicyRule => allow(name, when)) },
    { weight: 5, arbitrary: likely.map((when): PolicyRule => deny(name, when)) },
    { weight: 4, arbitrary: likely.map((when): PolicyRule => ask(name, when)) },
    { weight: 1, arbitrary: condition.map((when): PolicyRule => allow(name, when)) },
    { weight: 1, arbitrary: condition.map((when): PolicyRule => deny(name, when)) },
  )
const aPolicy = fc.record({
  rules: fc
    .integer({ min: 1, max: 4 })
    .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => aRule(`r${i}`)))),
  mode: fc.constantFrom('enforce' as const, 'enforce' as const, 'audit' as const),
})
const policySets = fc
  .array(aPolicy, { minLength: 1, maxLength: 2 })
  .map((all) => all.map(({ rules, mode }, i) => policy(`p${i}`, rules, { mode })))

const value = fc.constantFrom<Json>(0, 1, 6, 'x', null, { b: 1 }, { b: 2, c: 1 }, {})
const params = fc.dictionary(fc.constantFrom('replicas', 'a', 'web', 'z'), value, { maxKeys: 3 })
const labels = fc.dictionary(fc.constantFrom('env', 'web', 'a'), fc.constantFrom('prod', 'x'))
const someone = fc.record({
  params,
  labels,
  name: fc.constantFrom('web', 'db'),
  namespace: fc.constantFrom('shop', 'bank'),
  after: value,
  pods: fc.constantFrom(0, 1, 2),
  score: fc.constantFrom(0, 40),
  reversibility: fc.constantFrom('inverse' as const, 'irreversible' as const),
  hour: fc.constantFrom('01', '13'),
  incidents: fc.subarray([
    { namespace: 'shop', name: 'a' },
    { namespace: 'bank', name: 'b' },
  ]),
})
const factSets = someone.map((s): Facts => {
  const base = someFacts()
  return {
    ...base,
    intent: { action: base.action, params: s.params },
    target: { ...base.target, name: s.name, namespace: s.namespace },
    namespace: { ...base.namespace, name: s.namespace, labels: s.labels },
    plan: {
      ...base.plan,
      reversibility: s.reversibility,
      blastRadius: { ...base.plan.blastRadius, pods: s.pods },
      risk: { score: s.score, parts: {} },
      writes: [{ path: '/x', before: null, after: s.after }],
    },
    cluster: { ...base.cluster, incidents: s.incidents },
    now: new Date(`2026-03-04T${s.hour}:00:00Z`),
  }
})
const others = fc.array(factSets, { minLength: 12, maxLength: 12 })
const inputs = fc.record({
  autonomy: fc.constantFrom(
    'act-within-policy' as const,
    'act-within-policy' as const,
    'act-within-policy' as const,
    'act-with-approval' as const,
    'observe' as const,
  ),
  defaultApproval: fc.constantFrom(byClass, { count: 0, groups: [] }),
})

/** Other facts, but with the values that an explanation names. */
function holding(other: Facts, values: readonly ReadFact[]): Facts {
  const all: Record<string, unknown> = structuredClone({ ...other, now: other.now.toISOString() })
  for (const { path, value: held } of [...values].sort((a, b) => a.path.length - b.path.length)) {
    let at = all
    for (const step of path.slice(0, -1)) {
      const next = Object.hasOwn(at, step) ? at[step] : undefined
      const map = typeof next === 'object' && next !== null && !Array.isArray(next) ? next : {}
      at[step] = map
      at = map as Record<string, unknown>
    }
    const last = path.at(-1) ?? ''
    if (held === undefined) delete at[last]
    else at[last] = structuredClone(held)
  }
  return facts.parse({ ...all, now: new Date(String(all.now)) })
}

function only(policies: readonly NamedPolicy[], ids: readonly string[]): NamedPolicy[] {
  return policies
    .map(({ name, spec }) => ({
      name,
      spec: { ...spec, rules: spec.rules.filter((rule) => ids.includes(`${name}/${rule.name}`)) },
    }))
    .filter(({ spec }) => spec.rules.length > 0)
}

/** The policies with some rules answering as a change wants. */
function turned(policies: readonly NamedPolicy[], turns: Change['all']): NamedPolicy[] {
  const to = new Map(turns.map((t) => [t.rule, t.to === 'match' ? 'true' : 'false']))
  return policies.map(({ name, spec }) => ({
    name,
    spec: {
      ...spec,
      rules: spec.rules.map((rule): PolicyRule => {
        const when = to.get(`${name}/${rule.name}`)
        if (when === undefined) return rule
        if (rule.deny) return { name: rule.name, deny: { ...rule.deny, when } }
        if (rule.allow) return { name: rule.name, allow: { when } }
        return rule.requireApproval
          ? { name: rule.name, requireApproval: { ...rule.requireApproval, when } }
          : rule
      }),
    },
  }))
}

function reaches(to: Change['to'], outcome: string): boolean {
  if (to === 'denied') return outcome === 'deny'
  return to === 'allowed' ? outcome !== 'deny' : outcome === 'allow'
}

describe('an explanation, for all rules and facts', () => {
  it('explains what decide decides', () => {
    fc.assert(
      fc.property(policySets, factSets, inputs, (policies, values, more) => {
        const { decision, outcome } = explained(policies, values, more)
        assert.deepEqual(decision, verdict(policies, { facts: values, ...more }))
        assert.equal(outcome, outcomeOf(decision))
      }),
      { numRuns: 100 },
    )
  })

  it('names a sufficient cause: with its rules and values, whatever else differs', () => {
    fc.assert(
      fc.property(policySets, factSets, others, inputs, (policies, values, all, more) => {
        const { outcome, cause } = explained(policies, values, more)
        const named = only(policies, cause.rules)
        for (const other of all) {
          const varied = { facts: holding(other, cause.values), ...more }
          assert.equal(outcomeOf(verdict(policies, varied)), outcome, 'all rules')
          assert.equal(outcomeOf(verdict(named, varied)), outcome, 'named rules')
        }
      }),
      { numRuns: 150 },
    )
  })

  it('names changes that suffice, and of which none can be left out', () => {
    fc.assert(
      fc.property(policySets, factSets, inputs, (policies, values, more) => {
        for (const { to, all, oneOf, besides } of explained(policies, values, more).changes) {
          if (besides.length > 0) continue
          const after = (turns: Change['all']) =>
            outcomeOf(verdict(turned(policies, turns), { facts: values, ...more }))
          const ways = oneOf.length > 0 ? oneOf.map((one) => [...all, one]) : [all]
          for (const way of ways) {
            assert.ok(reaches(to, after(way)), `${to}: ${way.map((t) => t.rule)}`)
            for (const left of way) {
              const fewer = way.filter((t) => t !== left)
              assert.ok(!reaches(to, after(fewer)), `${to} without ${left.rule}`)
            }
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('says of every leaf what the engine says', () => {
    fc.assert(
      fc.property(condition, factSets, (when, values) => {
        const [rule] = explained([policy('p', [deny('r', when)])], values).rules
        const last = rule?.leaves.at(-1)
        if (rule === undefined || last === undefined) return
        // a condition ends at its last leaf: failed if that failed, and nothing before it did
        assert.equal(last.is === 'failed', rule.outcome === 'error')
        assert.ok(rule.leaves.slice(0, -1).every(({ is }) => is !== 'failed'))
      }),
      { numRuns: 200 },
    )
  })
})

describe('an explanation', () => {
  it('says the value and the bound that would have to hold', () => {
    const { changes, cause } = explained(
      [policy('p', [allow('any'), deny('big', 'intent.params.replicas > 5')])],
      withParams({ replicas: 7 }),
    )
    assert.deepEqual(cause.rules, ['p/big'])
    assert.deepEqual(cause.values, [{ path: ['intent', 'params', 'replicas'], value: 7 }])
    const [change] = changes
    assert.equal(change?.to, 'allowed')
    const need = change?.all[0]?.need
    assert.equal(need?.kind === 'leaf' && need.holds, 'intent.params.replicas <= 5')
  })
  it('names every rule that has to turn, and one of those that could allow', () => {
    const { changes } = explained([
      policy('p', [
        deny('a'),
        deny('b', 'intent.params.none == 1'),
        allow('c', 'false'),
        allow('d', 'false'),
      ]),
    ])
    const [change] = changes
    assert.deepEqual(
      change?.all.map(({ rule, to }) => [rule, to]),
      [
        ['p/a', 'not_match'],
        ['p/b', 'not_match'],
      ],
    )
    assert.deepEqual(
      change?.oneOf.map(({ rule }) => rule),
      ['p/c', 'p/d'],
    )
  })
  it('says what no rule can bring about', () => {
    const of = (...args: Parameters<typeof explained>) => explained(...args).changes[0]?.besides
    assert.match(String(of([policy('p', [deny('a', 'nonsense')])])), /p cannot be loaded/)
    assert.match(String(of([])), /a rule that allows/)
    const observing = { autonomy: 'observe' } as const
    assert.match(String(of([policy('p', [allow('a')])], someFacts(), observing)), /only observe/)
  })
  it('knows that what an alert demands does not stand for what the class demands', () => {
    const alert = { namespace: 'shop', name: 'a' }
    const values = { ...someFacts(), cluster: { uid: 'u', incidents: [alert] } }
    const nobody = { count: 0, groups: [] }
    const { outcome, changes, cause } = explained(
      [policy('p', [allow('a'), ask('b', 'size(cluster.incidents) > 0')])],
      values,
      { autonomy: 'act-with-approval', defaultApproval: nobody },
    )
    assert.equal(outcome, 'deny')
    assert.match(String(changes[0]?.besides), /demands approval by nobody/)
    assert.match(String(cause.besides), /demands approval by nobody/)
  })
  it('shows the parts on the path that decided, with macros as they were written', () => {
    const when =
      'namespace.name == "shop" && plan.writes.exists(w, w.path == "/spec/replicas") && true'
    const [rule] = explained([policy('p', [deny('r', when)])]).rules
    assert.deepEqual(
      rule?.leaves.map(({ text, is }) => [text, is]),
      [
        ['namespace.name == "shop"', true],
        ['plan.writes.exists(w, w.path == "/spec/replicas")', true],
        ['true', true],
      ],
    )
  })
  it('is total: facts that are none are explained as a deny', () => {
    const odd = { ...someFacts(), now: new Date(Number.NaN) }
    const { outcome, rules, changes } = explained([policy('p', [allow('a')])], odd)
    assert.deepEqual([outcome, rules.length], ['deny', 0])
    assert.equal(changes.length, 1)
  })
})
