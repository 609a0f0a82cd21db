import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { type Place, places } from './places.ts'

const few = { all: 6, strangers: 4, perSource: 2, own: 2 }
const full = (error: unknown) => error instanceof JackstayError && error.code === 'overloaded'

function fill(take: () => Place): Place[] {
  const taken: Place[] = []
  try {
    for (let n = 0; n < 100; n++) taken.push(take())
  } catch (error) {
    assert.ok(full(error), String(error))
  }
  return taken
}

describe('places', () => {
  it('T13 strangers take a few from each address, and none from those who are known', () => {
    const all = places(few)
    assert.equal(fill(() => all.take('10.0.0.1', undefined)).length, 2)
    assert.equal(fill(() => all.take('10.0.0.2', undefined)).length, 2)
    assert.equal(fill(() => all.take('10.0.0.3', undefined)).length, 0)
    assert.equal(fill(() => all.take('10.0.0.1', 'a')).length, 2)
  })

  it('T13 one caller that takes all it can leaves each other its own', () => {
    const all = places(few)
    const greedy = fill(() => all.take('x', 'a'))
    assert.equal(greedy.length, 2)
    for (const other of ['b', 'c', 'd']) {
      assert.equal(fill(() => all.take('x', other)).length, 2)
    }
    assert.throws(() => all.take('x', 'a'), full)
    greedy[0]?.leave()
    all.take('x', 'a').leave()
  })

  it('T13 who turns out to be known makes room for strangers', () => {
    const all = places(few)
    const [first, second] = fill(() => all.take('x', undefined))
    assert.throws(() => all.take('x', undefined), full)
    first?.knownAs('a')
    first?.knownAs('b')
    assert.equal(first?.known, true)
    const third = all.take('x', undefined)
    assert.throws(() => all.take('x', undefined), full)
    for (const place of [first, second, third]) place?.leave()
    assert.equal(fill(() => all.take('x', undefined)).length, 2)
    assert.equal(fill(() => all.take('x', 'a')).length, 2, 'nothing is left behind')
  })
})
