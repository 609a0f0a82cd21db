import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from './random.ts'
import { schedule } from './schedule.ts'
import { attacks, slips } from './steps.ts'

describe('the schedule of a soak', () => {
  it('is fixed by its seed', () => {
    assert.deepEqual(schedule(7, 120_000), schedule(7, 120_000))
    assert.notDeepEqual(schedule(7, 120_000), schedule(8, 120_000))
  })

  it('of a longer soak begins as that of a shorter one', () => {
    const long = schedule(7, 120_000)
    assert.deepEqual(
      long.filter(({ at }) => at < 60_000),
      schedule(7, 60_000),
    )
  })

  it('goes forward in time and within its length', () => {
    const times = schedule(7, 60_000).map(({ at }) => at)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    assert.ok(times.every((at) => at >= 0 && at <= 60_000))
  })

  it('sees every kind of mistake and attack within minutes', () => {
    const steps = schedule(7, 20 * 60_000).map(({ step }) => step)
    const of = <T>(take: (step: (typeof steps)[number]) => T | undefined) =>
      new Set(steps.map(take).filter((one) => one !== undefined))
    assert.deepEqual(of((s) => (s.do === 'slip' ? s.slip : undefined)).size, slips.length)
    assert.deepEqual(of((s) => (s.do === 'attack' ? s.attack : undefined)).size, attacks.length)
  })
})

describe('chance', () => {
  it('spreads over its whole range', () => {
    const chance = random(1, 'spread')
    const drawn = Array.from({ length: 2_000 }, () => chance.between(0, 9))
    assert.equal(new Set(drawn).size, 10)
    const mean =
      Array.from({ length: 2_000 }, () => chance.wait(100)).reduce((a, b) => a + b) / 2_000
    assert.ok(mean > 80 && mean < 120, String(mean))
  })
})
