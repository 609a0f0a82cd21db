import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { groundsOf } from '@jackstay/judge/grounds'
import { sampleApproval, sampleFacts } from '@jackstay/judge/sample-facts'
import { story } from '../story-builder.ts'
import { PolicyDesk, policyYaml } from './desk.ts'

const desk = new PolicyDesk()
after(() => desk.clean())

const rules = `- name: small
  allow: { when: has(intent.params.replicas) && intent.params.replicas <= 5 }
- name: night
  deny:
    when: namespace.name == "shop" && now.getHours() < 6
    message: at night nothing changes
- name: big
  requireApproval: { when: intent.params.replicas > 3, count: 2, groups: [sre] }
`
const policies = desk.write('p.yaml', policyYaml(rules))

const explained = (intent: string, ...more: readonly string[]) =>
  desk.policy('explain', '--intent', desk.write('intent.yaml', intent), policies, ...more)

describe('policy explain', () => {
  it('says what decided, the values, and what would have to change', async () => {
    const night = 'now: 2026-03-04T05:00:00Z\nfacts: { intent: { params: { replicas: 7 } } }\n'
    const { exit, out, err } = await explained(night)
    assert.deepEqual({ exit, err }, { exit: 0, err: '' })
    assert.match(out, /^deny — denied by p\/night: at night nothing changes\n/)
    assert.match(out, /Because +p\/night deny, matched/)
    assert.match(out, /true +now.getHours\(\) < 6/)
    assert.match(out, /Values +namespace.name = "shop"\n +now = "2026-03-04T05:00:00.000Z"/)
    assert.match(out, /To allow +p\/night must not match:/)
    assert.match(out, /now.getHours\(\) >= 6 {3}\(now: now = "2026/)
    assert.match(
      out,
      /p\/small has to match:\n +intent.params.replicas <= 5 {3}\(now: intent.params.replicas = 7\)/,
    )
    assert.match(out, /Other rules +p\/big requireApproval, matched/)
  })

  it('explains an approval, and how nobody would be asked', async () => {
    const { out } = await explained('facts: { intent: { params: { replicas: 4 } } }')
    assert.match(out, /^approval — allowed by p\/small, with the approval that p\/big demands\n/)
    assert.match(out, /To ask nobody +p\/big must not match:\n +intent.params.replicas <= 3/)
    assert.match(out, /To deny +one of these is enough:/)
  })

  it('gives machines the same, large values cut', async () => {
    const params = JSON.stringify({ replicas: 1, text: 'x'.repeat(4000) })
    const whole = desk.write(
      'whole.yaml',
      policyYaml('- name: all\n  deny: { when: size(intent.params) > 1 }'),
    )
    const intent = desk.write('large.yaml', `facts: { intent: { params: ${params} } }`)
    const { out } = await desk.policy('explain', '--intent', intent, whole, '-o', 'json')
    const { outcome, cause, changes } = JSON.parse(out)
    assert.deepEqual(
      [outcome, cause.rules, changes[0].to],
      ['deny', ['all'].map((r) => `p/${r}`), 'allowed'],
    )
    assert.equal(cause.values[0].path, 'intent.params')
    assert.equal(cause.values[0].cut.length, 1024)
  })

  it('escapes what an agent put into the facts', async () => {
    const params = '"replicas\\u202e": "\\u001b[2J"'
    const odd = desk.write(
      'odd.yaml',
      policyYaml('- name: a\n  deny: { when: "size(intent.params) > 0" }'),
    )
    const intent = desk.write('odd-intent.yaml', `facts: { intent: { params: { ${params} } } }`)
    const { out } = await desk.policy('explain', '--intent', intent, odd)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  })

  it('explains what `intents get -o json` printed of a real decision', async () => {
    const facts = { ...sampleFacts, now: new Date('2026-03-04T05:00:00Z') }
    const grounds = groundsOf(facts, sampleApproval)
    const view = story(['admitted', 'planned', 'decided'], { decided: { grounds } })
    const { exit, out } = await explained(JSON.stringify(view))
    assert.equal(exit, 0)
    assert.match(out, /^deny — denied by p\/night/)
    const bare = await explained(JSON.stringify(story(['admitted', 'planned', 'decided'])))
    assert.equal(bare.exit, 1)
    assert.match(bare.err, /recorded before facts were kept \[not_judgeable\]/)
  })

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['a misspelt field', 'fact: {}', /:1:1: error: unknown field `fact`.*did you mean `facts`/],
    ['a misspelt fact', 'facts: { tagret: {} }', /:1:10: error: unknown field `tagret`.*`target`/],
    ['a list', '- a', /the document is a list and must be a map of fields/],
    ['nothing', '', /is not one YAML document/],
    ['no YAML', 'a: [', /no YAML/],
  ]
  for (const [name, intent, says] of wrong) {
    it(`refuses ${name}, and says where`, async () => {
      const { exit, err } = await explained(intent)
      assert.equal(exit, 2)
      assert.match(err, says)
    })
  }
})
