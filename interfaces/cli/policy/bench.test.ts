import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { PolicyDesk, policyYaml } from './desk.ts'

const desk = new PolicyDesk()
after(() => desk.clean())

const rules = `- name: cheap
  allow: { when: "true" }
- name: dear
  deny: { when: 'namespace.quotas.all(a, namespace.quotas.all(b, a.name != "x")) && false' }
`
const file = desk.write('p.yaml', policyYaml(rules))
const quotas = Array.from({ length: 40 }, (_, i) => ({
  name: `q${i}`,
  resource: 'pods',
  hard: '1',
  used: '0',
}))
const intent = desk.write('intent.json', JSON.stringify({ facts: { namespace: { quotas } } }))

describe('policy bench', () => {
  it('says what loading, judging and each rule costs, the dearest first', async () => {
    const line = ['bench', file, '--seconds', '0.2', '--intent', intent]
    const { exit, out, err } = await desk.policy(...line, '-o', 'json')
    assert.deepEqual({ exit, err }, { exit: 0, err: '' })
    const { rules, asked, outcome, perRule, load, judgement, perSecond } = JSON.parse(out)
    assert.deepEqual([rules, asked, outcome], [2, 2, 'allow'])
    assert.deepEqual(
      perRule.map(({ id }: { id: string }) => id),
      ['p/dear', 'p/cheap'],
    )
    for (const figure of [load, judgement, perSecond, perRule[0].mean]) assert.ok(figure > 0)
    const people = await desk.policy(...line)
    assert.match(people.err, /^… judging for 0.1 s\n… rule by rule\n$/)
    assert.match(people.out, /loaded {3}1 policy, 2 rules in \d/)
    assert.match(people.out, /judgements per second, \S+ µs each: allow, 2 rules asked/)
    assert.match(people.out, /RULE +MEAN +SHARE\np\/dear /)
  })
  it('takes a few seconds at most', async () => {
    for (const seconds of ['0', '61', 'x']) {
      const { exit, err } = await desk.policy('bench', file, '--seconds', seconds)
      assert.deepEqual([exit, /write a number up to 60/.test(err)], [2, true])
    }
  })
})
