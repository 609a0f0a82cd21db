import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compileRules } from '../rules.ts'
import { allow, ask, deny, outcomeOf, policy, someFacts, verdict } from '../samples.ts'

const problemOf = (rule: Parameters<typeof policy>[1][number]) =>
  compileRules([policy('p', [rule])]).problems[0]?.message

const withIncidents = (...namespaces: string[]) => {
  const { cluster } = someFacts()
  const incidents = namespaces.map((namespace) => ({ namespace, name: 'Down' }))
  return someFacts({ cluster: { ...cluster, incidents } })
}

const elsewhere = 'cluster.incidents.exists(i, i.namespace != target.namespace)'

const { node } = fc.letrec<{ leaf: string; node: string }>((tie) => ({
  leaf: fc.constantFrom(
    elsewhere,
    'cluster.incidents.exists(i, i.namespace == target.namespace)',
    'size(cluster.incidents) > 1',
    'size(cluster.incidents) == 1',
    'cluster.incidents.all(i, i.namespace == "shop")',
    'true',
    'false',
  ),
  node: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    tie('node').map((a) => `!(${a})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} || ${b})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tie('node').map((a) => `plan.writes.all(w, ${a})`),
  ),
}))

const some = fc.array(fc.constantFrom('shop', 'bank', ''), { maxLength: 3 })

describe('incidents in rules', () => {
  it('are no reason to allow, under whatever disguise (T77)', () => {
    for (const when of [
      elsewhere,
      '!cluster.incidents.exists(i, true)',
      'size(cluster.incidents) == 0',
      'size(cluster["incidents"]) > 0',
      '[cluster].exists(c, size(c.incidents) > 0)',
      'dyn(cluster).incidents.size() > 0',
      'has(cluster.incidents)',
      'cluster == cluster',
    ]) {
      assert.match(problemOf(allow('r', when)) ?? '', /an alert is no reason to allow/, when)
    }
    for (const when of ['cluster.uid != ""', 'cluster["uid"] != ""']) {
      assert.equal(problemOf(allow('r', when)), undefined, when)
    }
  })
  it('deny and demand approval', () => {
    assert.equal(outcomeOf(elsewhere), 'not_matched')
    assert.equal(outcomeOf(elsewhere, withIncidents('shop')), 'not_matched')
    assert.equal(outcomeOf(elsewhere, withIncidents('shop', 'bank')), 'matched')
    assert.equal(outcomeOf('size(cluster.incidents) > 0', withIncidents('shop')), 'matched')
    assert.equal(problemOf(ask('r', elsewhere)), undefined)
  })
  it('never soften a deny or a demand: an alert could be forged (T77)', () => {
    for (const when of [
      `!${elsewhere}`,
      'size(cluster.incidents) == 0',
      'size(cluster.incidents) < 3',
      'size(cluster.incidents) > size(plan.writes)',
      'cluster.incidents.all(i, i.namespace == "shop")',
      'cluster.incidents.exists_one(i, true)',
      'cluster.incidents.filter(i, true).size() > 0',
      `${elsewhere} ? false : true`,
      `${elsewhere} == false`,
      'cluster.incidents == []',
      '[cluster].exists(c, size(c.incidents) == 0)',
      `[1].filter(x, ${elsewhere}).size() == 0`,
    ]) {
      assert.match(problemOf(deny('r', when)) ?? '', /only make a verdict stricter/, when)
      assert.match(problemOf(ask('r', when)) ?? '', /only make a verdict stricter/, when)
    }
  })
  it('do not take the place of the people whom the class asks (T77)', () => {
    const { rules } = compileRules([policy('p', [allow('a'), ask('b', elsewhere)])])
    const asked = (...namespaces: string[]) =>
      verdict([], {
        ...{ rules, autonomy: 'act-with-approval', facts: withIncidents(...namespaces) },
      }).requirements.map((r) => r.from)
    assert.deepEqual(asked(), ['class/sre'])
    assert.deepEqual(asked('bank'), ['p/b', 'class/sre'])
  })
  it('an incident more never turns a match off, whatever rule is accepted', () => {
    let matched = 0
    fc.assert(
      fc.property(node, some, some, (when, few, more) => {
        if (problemOf(deny('r', when)) !== undefined) return
        if (outcomeOf(when, withIncidents(...few)) !== 'matched') return
        matched += 1
        assert.equal(outcomeOf(when, withIncidents(...few, ...more)), 'matched', when)
      }),
      { numRuns: 500 },
    )
    assert.ok(matched > 20, `${matched} matched`)
  })
  it('an incident more never makes a verdict milder, whatever the policies (T77)', () => {
    const rule = fc
      .tuple(fc.constantFrom(allow, deny, ask), fc.nat(99), fc.oneof(node, fc.constant('true')))
      .map(([make, i, when]) => make(`r${i}`, when))
    const policies = fc.array(rule, { minLength: 1, maxLength: 5 }).map((rules) => {
      // one that does not load would deny everything
      const loads = rules.filter((r) => problemOf(r) === undefined)
      return [policy('p', [allow('a'), ...loads])]
    })
    const autonomy = fc.constantFrom('propose', 'act-with-approval', 'act-within-policy')
    let allowed = 0
    fc.assert(
      fc.property(policies, autonomy, some, some, (all, autonomy, few, more) => {
        const before = verdict(all, { autonomy, facts: withIncidents(...few) })
        const after = verdict(all, { autonomy, facts: withIncidents(...few, ...more) })
        if (after.effect === 'deny') return
        allowed += 1
        assert.equal(before.effect, 'allow')
        const asked = after.requirements.map((r) => JSON.stringify(r))
        for (const r of before.requirements) assert.ok(asked.includes(JSON.stringify(r)))
      }),
      { numRuns: 300 },
    )
    assert.ok(allowed > 80, `${allowed} allowed`)
  })
})
