import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Change, type SwingState, swingState, swings, swung } from './oscillation.ts'

const rule = { withinMs: 3600_000, turns: 3 }

/** What happens to changes that are made one after the other, each unless it is stopped. */
function run(values: readonly (number | string)[], by: (i: number) => string, gapMs = 60_000) {
  let state: SwingState | undefined
  const stopped: number[] = []
  let [before] = values
  for (const [i, after] of values.slice(1).entries()) {
    const change: Change = { at: i * gapMs, by: by(i), before: before ?? 0, after }
    if (swings(state, change, rule).tripped) stopped.push(i)
    else {
      state = swingState.parse(JSON.parse(JSON.stringify(swung(state, change, rule))))
      before = after
    }
  }
  return stopped
}
const taking =
  (...names: string[]) =>
  (i: number) =>
    names[i % names.length] ?? ''

describe('oscillation', () => {
  it('stops two agents that take turns on one object (T27)', () => {
    assert.deepEqual(run([3, 5, 3, 5, 3, 5], taking('a', 'b')), [3])
    assert.deepEqual(run(['x', 'y', 'x', 'y', 'x'], taking('a', 'b')), [3])
  })
  it('stops it also where they never meet the same number, or go round in a circle', () => {
    assert.deepEqual(run([3, 9, 4, 8, 5, 7], taking('a', 'b')), [3, 4])
    assert.deepEqual(run(['x', 'y', 'z', 'x', 'y', 'z'], taking('a', 'b', 'c')), [4])
  })
  it('stops one that keeps on repairing what others break unseen', () => {
    let state: SwingState | undefined
    const tripped = [0, 1, 2, 3].map((i) => {
      const change = { at: i * 1000, by: 'healer', before: 0, after: 3 }
      const { tripped } = swings(state, change, rule)
      state = swung(state, change, rule)
      return tripped
    })
    assert.deepEqual(tripped, [false, false, false, true])
  })
  it('names the agents that turn', () => {
    const changes = [
      { at: 0, by: 'a', before: 3, after: 5 },
      { at: 1, by: 'b', before: 5, after: 3 },
      { at: 2, by: 'a', before: 3, after: 5 },
    ]
    const next = { at: 3, by: 'b', before: 5, after: 3 }
    assert.deepEqual(swings({ changes }, next, rule), { turns: 3, tripped: true, by: ['a', 'b'] })
  })
  it('lets any number of steps in one direction pass', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 2 }), (values) => {
        const rising = values.toSorted((a, b) => a - b)
        assert.deepEqual(run(rising, taking('a', 'b'), 1), [])
        assert.deepEqual(run(rising.toReversed(), taking('a', 'b'), 1), [])
        assert.deepEqual(
          run(
            values.map((v) => `v${v}`),
            taking('a', 'b'),
            1,
          ),
          [],
        )
      }),
    )
  })
  it('never lets more turns pass within the time than the rule has, less one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }), (values) => {
        let state: SwingState | undefined
        let passed = 0
        let before = 1
        for (const [at, after] of values.entries()) {
          const change = { at, by: 'a', before, after }
          const { turns, tripped } = swings(state, change, rule)
          if (tripped) continue
          if (turns > passed) passed = turns
          state = swung(state, change, rule)
          before = after
        }
        assert.ok(passed < rule.turns)
      }),
    )
  })
  it('forgets what is long ago, and nothing when the clock goes back (T09)', () => {
    assert.deepEqual(run([3, 5, 3, 5, 3, 5, 3], taking('a', 'b'), 1_900_000), [])
    const changes = [1, 2, 1].map((after, i) => ({
      at: 36_000_000 + i,
      by: 'a',
      before: 3 - after,
      after,
    }))
    const again = { by: 'b', before: 1, after: 2 }
    for (const at of [0, 35_999_000, 36_000_003]) {
      assert.ok(swings({ changes }, { ...again, at }, rule).tripped, String(at))
    }
    assert.ok(!swings({ changes }, { ...again, at: 39_600_003 }, rule).tripped)
  })
  it('counts what is made while the clock is back as made now (T09)', () => {
    const t = 36_000_000
    const first = [1, 2].map((after, i) => ({ at: t + i, by: 'a', before: 3 - after, after }))
    const state = swung({ changes: first }, { at: 0, by: 'b', before: 2, after: 1 }, rule)
    assert.ok(swings(state, { at: t + 2, by: 'a', before: 1, after: 2 }, rule).tripped)
  })
  it('trips where the rule or the time is none', () => {
    const change = { at: 0, by: 'a', before: 1, after: 2 }
    assert.ok(swings(undefined, change, { ...rule, turns: Number.NaN }).tripped)
    assert.ok(swings(undefined, change, { ...rule, turns: 0 }).tripped)
    const changes = [3, 1, 3].map((after, i) => ({
      at: Number.NaN,
      by: 'a',
      before: 4 - after,
      after: after + i * 0,
    }))
    assert.ok(swings({ changes }, { ...change, at: Number.NaN, before: 3, after: 1 }, rule).tripped)
  })
})
