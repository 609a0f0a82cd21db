import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { facts } from '@jackstay/judge/facts'
import { sampleFacts } from '@jackstay/judge/sample-facts'
import { PolicyDesk, policyYaml } from './desk.ts'
import { situation } from './situation.ts'

const desk = new PolicyDesk()
after(() => desk.clean())

const rules = `- name: small
  allow: { when: intent.params.replicas <= 5 }
- name: night
  deny: { when: now.getHours() < 6, message: at night nothing changes }
- name: big
  requireApproval: { when: intent.params.replicas > 3, count: 2, groups: [sre, leads] }
`
desk.write('p.yaml', policyYaml(rules))

/** `policy test` of one file of cases for the policy above. */
async function tested(cases: string, ...more: readonly string[]) {
  return desk.policy('test', desk.write('p.test.yaml', cases), ...more)
}

const sound = `cases:
  - name: few
    expect: allow
    rules: [p/small]
  - name: at night
    now: 2026-03-04T05:59:59Z
    expect: deny
    reason: at night nothing
  - name: many
    facts: { intent: { params: { replicas: 4 } } }
    expect: approval
    groups: [leads, sre]
    count: 2
`

describe('policy test', () => {
  it('judges every case, one line each, and says which rules matched', async () => {
    const { exit, out, err } = await tested(sound)
    assert.deepEqual({ exit, err }, { exit: 0, err: '' })
    assert.match(out, /✔ few\n {2}✔ at night\n {2}✔ many\nok — 3 cases\n/)
    assert.match(out, /coverage — 3 of 3 rules matched in some case\n$/)
  })

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['another outcome', 'expect: deny', /expected deny, got allow/],
    ['a rule that did not fire', 'expect: allow\n    rules: [p/big]', /expected p\/big to fire/],
    ['another reason', 'expect: allow\n    reason: because', /expected a reason with `because`/],
    [
      'approval where none is asked for',
      'expect: allow\n    count: 1',
      /approval by 1 of any group, got none/,
    ],
    [
      'other groups',
      'expect: approval\n    facts: { intent: { params: { replicas: 4 } } }\n    groups: [sre]',
      /expected approval by some of sre, got 2 of leads, sre/,
    ],
    [
      'another count',
      'expect: approval\n    facts: { intent: { params: { replicas: 4 } } }\n    count: 1',
      /expected approval by 1 of any group, got 2 of/,
    ],
  ]
  for (const [name, expectation, says] of wrong) {
    it(`fails with what differs: ${name}`, async () => {
      const { exit, out, err } = await tested(`cases:\n  - name: x\n    ${expectation}\n`)
      assert.equal(exit, 1, err)
      assert.match(out, /✖ x \(.*p.test.yaml:2\)/)
      assert.match(out, says)
      assert.match(out, /reason: .*\n {6}fired: /)
      assert.match(err, /1 case failed/)
    })
  }

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    [
      'a misspelt field of a case',
      'expected: deny',
      /:3:5: error: unknown field `expected`; .* did you mean `expect`\?/,
    ],
    [
      'an outcome that is none',
      'expect: dney',
      /:3:13: error: .* there are allow, deny, approval; did you mean `deny`/,
    ],
    [
      'a misspelt fact',
      'expect: deny\n    facts: { tagret: {} }',
      /:4:14: error: unknown field `tagret`.*`target`/,
    ],
    [
      'a misspelt fact further in',
      'expect: deny\n    facts: { plan: { risk: { scor: 1 } } }',
      /:4:30: error: unknown field `scor`.*`score`/,
    ],
    [
      'a fact of the wrong type',
      'expect: deny\n    facts: { plan: { risk: { score: high } } }',
      /:4:37: error: `plan.risk.score`/,
    ],
    [
      'a fact taken away that has to be',
      'expect: deny\n    facts: { target: { name: null } }',
      /:4:\d+: error: `target.name` is missing/,
    ],
    ['a time that is none', 'expect: deny\n    now: yesterday', /:4:10: error: `now`/],
    [
      'a rule that nobody has',
      'expect: deny\n    rules: [p/smal]',
      /:4:13: error: no policy tested here has the rule `p\/smal`; did you mean `p\/small`/,
    ],
  ]
  for (const [name, text, says] of mistakes) {
    it(`refuses ${name}, with line and suggestion`, async () => {
      const { exit, err } = await tested(`cases:\n  - name: x\n    ${text}\n`)
      assert.equal(exit, 2)
      assert.match(err, says)
    })
  }

  it('refuses two cases of one name, no case at all, and a file that is no file of cases', async () => {
    const twice = await tested(
      'cases:\n  - { name: x, expect: deny }\n  - { name: x, expect: deny }\n',
    )
    assert.match(twice.err, /:3:\d+: error: another case is named `x`/)
    assert.match((await tested('cases: []')).err, /`cases` is empty/)
    assert.match((await tested('')).err, /one YAML document with `cases:`/)
    assert.match((await tested('a: 1\n---\nb: 1')).err, /one YAML document with `cases:`/)
    const nowhere = await desk.piped('cases: [{ name: x, expect: deny }]', 'test', '-')
    assert.match(nowhere.err, /<stdin>:1:1: error: `policies` is missing/)
    const other = await desk.policy('test', desk.write('notes.md', '# no'))
    assert.match(other.err, /notes.md` is no YAML file/)
  })

  it('takes facts of the file for every case, and lays those of the case over them', async () => {
    const { exit, out } = await tested(`now: 2026-03-04T01:00:00Z
facts: { intent: { params: { replicas: 4 } } }
cases:
  - { name: a, expect: deny }
  - { name: b, expect: approval, now: 2026-03-04T12:00:00Z }
  - name: c
    expect: allow
    now: 2026-03-04T12:00:00Z
    facts: { intent: { params: { replicas: 1 } } }
`)
    assert.equal(exit, 0, out)
  })

  it('fails below the coverage asked for, and names what never matched', async () => {
    const one = 'cases: [{ name: few, expect: allow }]'
    const { exit, out, err } = await tested(one, '--min-coverage', '34')
    assert.equal(exit, 1)
    assert.match(out, /1 of 3 rules matched in some case; never: p\/big, p\/night/)
    assert.match(err, /add cases for p\/big, p\/night \[coverage_too_low\]/)
    assert.equal((await tested(one, '--min-coverage', '33')).exit, 0)
    assert.equal((await tested(one, '--min-coverage', 'x')).exit, 2)
  })

  it('does not count a rule that failed as one that matched', async () => {
    desk.write(
      'f.yaml',
      policyYaml('- name: fails\n  deny: { when: intent.params.none == 1 }', 'f'),
    )
    const cases = 'cases: [{ name: x, expect: deny, rules: [f/fails] }]'
    const { exit, out } = await desk.policy('test', desk.write('f.test.yaml', cases))
    assert.equal(exit, 0)
    assert.match(out, /0 of 1 rule matched in some case; never: f\/fails/)
  })

  it('tests several policies together, and finds the cases beside a policy', async () => {
    desk.write('q.yaml', policyYaml('- name: never\n  deny: { when: "true" }', 'q'))
    const both = 'policies: [p.yaml, q.yaml]\ncases: [{ name: x, expect: deny, rules: [q/never] }]'
    desk.write('q.test.yaml', both)
    const { exit, out } = await desk.policy('test', `${desk.folder}/q.yaml`, '-o', 'json')
    assert.equal(exit, 0)
    const { cases, coverage } = JSON.parse(out)
    assert.deepEqual([cases[0].got, coverage.rules, coverage.matched], ['deny', 4, 2])
    const lone = desk.write('lone.yaml', policyYaml(rules))
    assert.match(
      (await desk.policy('test', lone)).err,
      /has no cases beside it; write `.*lone.test.yaml`/,
    )
  })

  it('does not begin with rules that have a mistake', async () => {
    desk.write('bad.yaml', policyYaml('- name: a\n  deny: { when: nope }'))
    const { exit, err } = await desk.policy(
      'test',
      desk.write('bad.test.yaml', 'cases: [{ name: x, expect: deny }]'),
    )
    assert.equal(exit, 2)
    assert.match(err, /unknown variable `nope`[\s\S]*1 mistake in the rules; correct it first/)
  })
})

describe('the facts of a case', () => {
  const of = (...changes: Record<string, unknown>[]) => facts.parse(situation(changes))

  it('are a sample in order where nothing is said, with a plan that fits', () => {
    assert.deepEqual(facts.parse(sampleFacts), sampleFacts)
    assert.deepEqual(of(), sampleFacts)
  })
  it('follow from what is said', () => {
    const { plan } = of({ intent: { params: { replicas: 1 } } })
    assert.deepEqual(plan.writes, [{ path: '/spec/replicas', before: 2, after: 1 }])
    assert.deepEqual([plan.blastRadius.pods, plan.blastRadius.readyReplicasLost], [1, 1])
    assert.match(plan.summary, /from 2 to 1/)
    assert.ok(plan.risk.score > sampleFacts.plan.risk.score)
    const elsewhere = of({ target: { namespace: 'bank' } })
    assert.deepEqual(
      [elsewhere.namespace.name, elsewhere.plan.blastRadius.namespaces],
      ['bank', ['bank']],
    )
    assert.equal(of({ namespace: { name: 'bank' } }).target.namespace, 'bank')
    assert.equal(of({ action: 'workload.restart' }).intent.action, 'workload.restart')
    assert.equal(of({ agent: { name: 'a/b' } }).agent.serviceAccount, 'b')
  })
  it('stay as they are said', () => {
    const said = { plan: { risk: { score: 99 }, blastRadius: { pods: 7 }, summary: 's' } }
    const { plan } = of({ intent: { params: { replicas: 9 } } }, said)
    assert.deepEqual([plan.risk.score, plan.blastRadius.pods, plan.summary], [99, 7, 's'])
    const two = of({ target: { namespace: 'a' }, namespace: { name: 'b' } })
    assert.deepEqual([two.target.namespace, two.namespace.name], ['a', 'b'])
    const writes = [{ path: '/x', before: null, after: 'y' }]
    assert.deepEqual(of({ plan: { writes } }).plan.writes, writes)
  })
  it('are merged map by map, and a null takes away', () => {
    const { namespace } = of({ namespace: { labels: { a: '1', 'jackstay.dev/governed': null } } })
    assert.deepEqual(namespace.labels, { a: '1' })
    assert.deepEqual(of({ intent: { params: { replicas: null } } }).intent.params, {})
  })
})
