import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grounds } from '@jackstay/contract/history'
import { groundsOf, readGrounds } from './grounds.ts'
import { allow, ask, policy, someFacts, verdict, withParams } from './samples.ts'

const byClass = { count: 1, groups: ['leads'] }
const stored = (facts = someFacts()) =>
  grounds.parse(JSON.parse(JSON.stringify(groundsOf(facts, byClass))))

describe('what a decision rests on, on record', () => {
  it('gives the same verdict when it is judged again', () => {
    const read = readGrounds(stored())
    assert.ok('facts' in read)
    assert.deepEqual(read.facts, someFacts())
    const policies = [
      policy('p', [allow('a', 'now.getHours() == 2'), ask('b', 'intent.params.replicas > 2')]),
    ]
    assert.deepEqual(verdict(policies, { facts: read.facts }), verdict(policies))
  })
  it('keeps the digest alone of what is large, and says so', () => {
    const large = stored(withParams({ text: 'x'.repeat(200_000) }))
    assert.equal(large.facts, undefined)
    assert.match(JSON.stringify(readGrounds(large)), /too large/)
  })
  it('names what is missing, damaged or of another version', () => {
    const missing = (value: Parameters<typeof readGrounds>[0]) => JSON.stringify(readGrounds(value))
    assert.match(missing(undefined), /before facts were kept/)
    const { facts, ...rest } = stored()
    assert.match(missing({ ...rest, facts: { ...facts, action: 'x' } }), /damaged/)
    const older = groundsOf(JSON.parse(JSON.stringify({ action: 'x' })), byClass)
    assert.match(missing(older), /too large|another version/)
  })
  it('is total: what JSON cannot carry has no facts', () => {
    const odd = groundsOf({ ...someFacts(), now: new Date(Number.NaN) }, byClass)
    assert.equal(odd.facts, undefined)
    assert.equal(groundsOf(withParams({ a: '\ud800' }), byClass).facts, undefined)
  })
})
