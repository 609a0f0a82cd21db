import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bounds, recreateSteps, rollingSteps, type SetState } from './rollout.ts'

function totalOf(newest: SetState, older: readonly SetState[]): number {
  return newest.replicas + older.reduce((sum, { replicas }) => sum + replicas, 0)
}

const rolling = { maxSurge: '25%', maxUnavailable: '25%' }

describe('a rolling update', () => {
  it('goes up by its surge and down by what is spare', () => {
    const old = [{ replicas: 4, available: 4 }]
    const first = rollingSteps({ replicas: 0, available: 0 }, old, { ...rolling, desired: 4 })
    assert.deepEqual(first, { newest: 1, older: [3] })
  })

  it('stands still while the new Pods do not become available', () => {
    const state = { replicas: 2, available: 0 }
    const old = [{ replicas: 3, available: 3 }]
    assert.deepEqual(rollingSteps(state, old, { ...rolling, desired: 4 }), {
      newest: 2,
      older: [3],
    })
  })

  it('takes away first what is not available anyway', () => {
    const old = [
      { replicas: 1, available: 1 },
      { replicas: 3, available: 0 },
    ]
    const steps = rollingSteps({ replicas: 0, available: 0 }, old, {
      ...{ desired: 4, maxSurge: 0, maxUnavailable: 3 },
    })
    assert.deepEqual(steps.older, [1, 0])
  })

  it('never has more Pods or fewer available ones than it may, and ends where all is well', () => {
    const share = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '25%', '100%'))
    const setState = fc.nat({ max: 8 }).map((replicas) => ({ replicas, available: replicas }))
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 }),
        share,
        share,
        setState,
        (desired, maxSurge, maxUnavailable, old) => {
          let newest: SetState = { replicas: 0, available: 0 }
          let older: readonly SetState[] = [old]
          const goal = { desired, maxSurge, maxUnavailable }
          for (let step = 0; step < 60; step++) {
            const next = rollingSteps(newest, older, goal)
            const before = totalOf(newest, older)
            const { surge, unavailable } = bounds(goal)
            const after = next.newest + next.older.reduce((sum, one) => sum + one, 0)
            assert.ok(after <= Math.max(before, desired + surge))
            // what is new is not available yet
            const left =
              Math.min(next.newest, newest.replicas) + next.older.reduce((a, b) => a + b, 0)
            assert.ok(left >= Math.min(before, desired - unavailable))
            // whoever is new is available at once
            newest = { replicas: next.newest, available: next.newest }
            older = next.older.map((replicas) => ({ replicas, available: replicas }))
          }
          assert.equal(newest.replicas, desired)
          assert.deepEqual(older, [{ replicas: 0, available: 0 }])
        },
      ),
    )
  })
})

describe('a recreation', () => {
  it('waits until all others are gone', () => {
    const old = [{ replicas: 2, available: 2 }]
    const none = { replicas: 0, available: 0 }
    assert.deepEqual(recreateSteps(old, 2, none, 3), { newest: 0, older: [0] })
    assert.deepEqual(recreateSteps([none], 1, none, 3), { newest: 0, older: [0] })
    assert.deepEqual(recreateSteps([none], 0, none, 3), { newest: 3, older: [0] })
  })
})
