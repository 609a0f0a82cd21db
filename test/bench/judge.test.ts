import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '@jackstay/judge/decide'
import { compileRules } from '@jackstay/judge/rules'
import { assertAgreement } from './judge.ts'
import { question } from './judge-intents.ts'
import { regoOf } from './judge-rego.ts'
import { thousandRules, twentyRules } from './judge-workload.ts'

test('every rule of the workload fires for some intents and is silent for others', () => {
  const { rules, problems } = compileRules(twentyRules)
  assert.deepEqual(problems, [])
  const decisions = Array.from({ length: 520 }, (_, n) => decide({ ...question(n), rules }))
  const outcomes = decisions.flatMap(({ fired }) => fired)
  assert.ok(outcomes.every(({ outcome }) => outcome === 'matched'))
  const count = Map.groupBy(outcomes, ({ id }) => id)
  const ids = twentyRules.flatMap(({ name, spec }) => spec.rules.map((r) => `${name}/${r.name}`))
  assert.equal(ids.length, 20)
  for (const id of ids) {
    const fired = count.get(id)?.length ?? 0
    assert.ok(fired > 0 && fired < decisions.length, `${id} fires for ${fired}`)
  }
})

test('the workload of a thousand rules has them in Rego too', () => {
  assert.equal(thousandRules.flatMap(({ spec }) => spec.rules).length, 1000)
  const heads = regoOf(thousandRules).match(/^(deny|ask|allow) contains "[^"]+"/gm)
  assert.equal(new Set(heads).size, 1000)
  const spec = { mode: 'enforce' as const, actions: ['a'], rules: [{ name: 'r' }] }
  assert.throws(() => regoOf([{ name: 'new', spec }]), /`new\/r` has no Rego/)
})

test('judges that differ about one intent fail the run', () => {
  const judges = [{ name: 'a' }, { name: 'b' }]
  assertAgreement(judges, [
    ['deny x', 'allow y'],
    ['deny x', 'allow y'],
  ])
  assert.throws(
    () =>
      assertAgreement(judges, [
        ['deny x', 'allow y'],
        ['deny x', 'allow z'],
      ]),
    /intent 1: a says `allow y`, b says `allow z`/,
  )
  assert.throws(() => assertAgreement(judges, [['deny x'], []]), /differ/)
  assert.throws(() => assertAgreement(judges, [[], []]), /no intent/)
})
