import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type BucketState, bucketState, take } from './limits.ts'

it('gives a minute its share at once, then one after another', () => {
  let state: BucketState | undefined
  const oks = [0, 0, 0, 19_999, 20_000, 20_001].map((now) => {
    const taken = take(state, now, { perMinute: 3 })
    state = taken.state
    return taken.ok
  })
  assert.deepEqual(oks, [true, true, true, false, true, false])
})

it('never gives more than the bucket and its refill, also when the clock goes back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 300_000 })),
      fc.integer({ min: 1, max: 600 }),
      (times, perMinute) => {
        let state: BucketState | undefined
        let given = 0
        for (const now of times) {
          const taken = take(state, now, { perMinute })
          state = taken.state
          if (taken.ok) given += 1
        }
        const span = Math.max(0, ...times) - (times[0] ?? 0)
        assert.ok(given <= perMinute + (Math.max(0, span) * perMinute) / 60_000 + 1e-6)
      },
    ),
  )
})

it('saves nothing up beyond one bucket', () => {
  let state: BucketState | undefined = take(undefined, 0, { perMinute: 2 }).state
  const oks = [1, 2, 3].map(() => {
    const taken = take(state, 3_600_000, { perMinute: 2 })
    state = taken.state
    return taken.ok
  })
  assert.deepEqual(oks, [true, true, false])
})

it('keeps what it has when the clock goes back', () => {
  const { state } = take(undefined, 60_000, { perMinute: 3 })
  assert.ok(take(state, 0, { perMinute: 3 }).ok)
})

it('lets exactly the bucket pass in a burst, whatever the order of arrival (T24)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(2_000_000_000), (perMinute, now) => {
      let state: BucketState | undefined
      let passed = 0
      for (let i = 0; i < perMinute + 50; i++) {
        const taken = take(state, now, { perMinute })
        // as a store keeps it
        state = bucketState.parse(JSON.parse(JSON.stringify(taken.state)))
        if (taken.ok) passed += 1
      }
      assert.equal(passed, perMinute)
    }),
    { numRuns: 50 },
  )
})

it('gives nothing at a time that is none, and keeps what it has (T09)', () => {
  for (const now of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(take(undefined, now, { perMinute: 3 }).ok, false)
    const { state } = take(undefined, 60_000, { perMinute: 3 })
    const odd = take(state, now, { perMinute: 3 })
    assert.deepEqual([odd.ok, odd.state], [false, state])
  }
})
