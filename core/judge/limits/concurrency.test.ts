import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { acquire, holders, type LeasesState, leasesState, release } from './concurrency.ts'

const lastsMs = 60_000
const stored = (state: LeasesState) => leasesState.parse(JSON.parse(JSON.stringify(state)))

const step = fc.record({
  holder: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  /** Also backwards (T09). */
  wait: fc.integer({ min: -90_000, max: 90_000 }),
  gives: fc.boolean(),
})

describe('places at once', () => {
  it('are given out to the last one, and again when one comes back (T24)', () => {
    let state: LeasesState | undefined
    const ask = (holder: string, now = 0) => {
      const asked = acquire(state, { holder, now, max: 2, lastsMs })
      state = asked.state
      return asked.ok
    }
    assert.deepEqual([ask('a'), ask('b'), ask('c'), ask('a')], [true, true, false, true])
    state = release(state, 'b', 1)
    assert.deepEqual([ask('c', 2), ask('b', 3)], [true, false])
  })
  it('end by themselves, and not before, also when the clock goes back (T09)', () => {
    const { state } = acquire(undefined, { holder: 'a', now: 1_000_000, max: 1, lastsMs })
    const ask = (now: number) => acquire(state, { holder: 'b', now, max: 1, lastsMs }).ok
    assert.deepEqual([0, 1_059_999, 1_060_000].map(ask), [false, false, true])
    const jumped = acquire(state, { holder: 'a', now: 0, max: 1, lastsMs })
    assert.deepEqual(jumped.state.leases, [{ holder: 'a', until: 1_060_000 }])
  })
  it('are none where a number is none', () => {
    const right = { holder: 'a', now: 0, max: 1, lastsMs }
    for (const wrong of [
      { ...right, max: Number.NaN },
      { ...right, max: 0 },
      { ...right, now: Number.NaN },
      { ...right, lastsMs: Number.NaN },
      { ...right, lastsMs: 0 },
    ]) {
      const { ok, state } = acquire(undefined, wrong)
      assert.equal(ok, false)
      assert.deepEqual(state.leases, [])
    }
  })
  it('are never more than allowed, and exactly that many before any ends', () => {
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, max) => {
        let state: LeasesState | undefined
        let now = 0
        let latest = Number.NEGATIVE_INFINITY
        /** Until when each holder may believe that it has a place. */
        const believed = new Map<string, number>()
        for (const { holder, wait, gives } of steps) {
          now += wait
          latest = Math.max(latest, now)
          if (gives) {
            state = stored(release(state, holder, now))
            believed.delete(holder)
            continue
          }
          const live = [...believed].filter(([who, until]) => who !== holder && until > latest)
          const asked = acquire(state, { holder, now, max, lastsMs })
          state = stored(asked.state)
          assert.equal(asked.ok, live.length < max)
          if (asked.ok) believed.set(holder, latest + lastsMs)
          assert.ok(holders(state, now).length <= max)
        }
      }),
      { numRuns: 500 },
    )
  })
})
