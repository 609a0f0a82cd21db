import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { floodgate } from './floodgate.ts'

const limited = (error: unknown) => error instanceof JackstayError && error.code === 'rate_limited'

function passes(work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    assert.ok(limited(error))
    return false
  }
}

describe('the floodgate', () => {
  it('reads some of a flood, says no to the rest unread, and opens again by itself (T02)', () => {
    let now = 0
    const gate = floodgate(() => now)
    const one = () => {
      if (!passes(() => gate.early('a'))) return 'unread'
      return passes(() => gate.demand('a')) ? 'taken' : 'refused'
    }
    const said = Array.from({ length: 200 }, one)
    const count = (what: string) => said.filter((word) => word === what).length
    assert.deepEqual([count('taken'), count('refused'), count('unread')], [60, 20, 120])
    gate.early('b')
    gate.demand('b')
    now += 500
    assert.equal(one(), 'taken')
  })

  it('lets nobody use up the intents of another by its token alone', () => {
    const gate = floodgate(() => 0)
    for (let n = 0; n < 1000; n++) gate.early('a')
    for (let n = 0; n < 60; n++) gate.demand('a')
    assert.throws(() => gate.demand('a'), limited)
  })
})
