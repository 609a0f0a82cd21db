import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Budget, type BudgetState, budgetState, spend } from './budget.ts'

const hour = 3600_000
const sliding: Budget = { limit: 10, period: { kind: 'sliding', ms: hour } }
const daily = (timeZone: string): Budget => ({
  limit: 10,
  period: { kind: 'calendar', every: 'day', timeZone },
})

/** One budget as a store keeps it between calls. */
function account(budget: Budget) {
  let state: BudgetState | undefined
  return {
    spend(id: string, amount: number, now: number) {
      const { state: next, ...rest } = spend(state, budget, { id, amount, now })
      state = budgetState.parse(JSON.parse(JSON.stringify(next)))
      return rest
    },
  }
}

describe('a budget', () => {
  it('sees fifty small changes as the one they make together (T26)', () => {
    const { spend: ask } = account(sliding)
    const oks = Array.from({ length: 50 }, (_, i) => ask(`i${i}`, 1, i * 1000).ok)
    assert.equal(oks.filter(Boolean).length, 10)
    assert.deepEqual(oks.slice(0, 11), [...Array(10).fill(true), false])
  })
  it('lets exactly the rest pass (T24)', () => {
    const { spend: ask } = account(sliding)
    assert.deepEqual(ask('a', 9, 0), { ok: true, left: 1 })
    assert.deepEqual(ask('b', 2, 0), { ok: false, left: 1 })
    assert.deepEqual(ask('c', 1, 0), { ok: true, left: 0 })
    assert.deepEqual(ask('d', 0, 0), { ok: true, left: 0 })
  })
  it('spends once for one intent, and more where it has grown', () => {
    const { spend: ask } = account(sliding)
    assert.equal(ask('a', 4, 0).left, 6)
    assert.equal(ask('a', 4, 1).left, 6)
    assert.equal(ask('a', 6, 2).left, 4)
    assert.equal(ask('a', 1, 3).left, 4)
    assert.equal(ask('a', 11, 4).ok, false)
  })
  it('counts what grew from when it grew, and what did not from the first time', () => {
    const { spend: ask } = account(sliding)
    ask('a', 5, 0)
    ask('a', 5, hour / 2)
    assert.equal(ask('b', 10, hour).ok, true, 'asked for again')
    const grown = account(sliding)
    grown.spend('a', 5, 0)
    grown.spend('a', 6, hour / 2)
    assert.equal(grown.spend('b', 10, hour).ok, false, 'grown')
  })
  it('refills when the hour has slid by, and not when the clock goes back (T09)', () => {
    const { spend: ask } = account(sliding)
    ask('a', 10, 2 * hour)
    assert.equal(ask('b', 1, 0).ok, false)
    assert.equal(ask('b', 1, 3 * hour - 1).ok, false)
    assert.equal(ask('b', 1, 3 * hour).ok, true)
  })
  it('begins anew with each day of its zone, also the ones of 23 and 25 hours', () => {
    for (const [last, first] of [
      ['2026-03-29T21:59:59.999Z', '2026-03-29T22:00:00Z'],
      ['2026-10-25T22:59:59.999Z', '2026-10-25T23:00:00Z'],
    ] as const) {
      const { spend: ask } = account(daily('Europe/Berlin'))
      ask('a', 10, Date.parse(last) - 20 * hour)
      assert.equal(ask('b', 1, Date.parse(last)).ok, false, last)
      assert.equal(ask('b', 1, Date.parse(first)).ok, true, first)
    }
  })
  it('begins anew with each hour, week from Monday, and month', () => {
    for (const [every, before, after] of [
      ['hour', '2026-05-06T10:59:59Z', '2026-05-06T11:00:00Z'],
      ['week', '2026-05-10T23:59:59Z', '2026-05-11T00:00:00Z'],
      ['month', '2026-05-31T23:59:59Z', '2026-06-01T00:00:00Z'],
    ] as const) {
      const period = { kind: 'calendar', every, timeZone: 'UTC' } as const
      const { spend: ask } = account({ limit: 1, period })
      ask('a', 1, Date.parse(before))
      assert.equal(ask('b', 1, Date.parse(before)).ok, false, every)
      assert.equal(ask('b', 1, Date.parse(after)).ok, true, every)
    }
  })
  it('is closed where an amount, a time, a limit or a zone is none', () => {
    const right = { id: 'a', amount: 1, now: 0 }
    for (const [budget, spending] of [
      [sliding, { ...right, amount: -5 }],
      [sliding, { ...right, amount: Number.NaN }],
      [sliding, { ...right, amount: Number.POSITIVE_INFINITY }],
      [sliding, { ...right, now: Number.NaN }],
      [{ ...sliding, limit: Number.NaN }, right],
      [{ limit: 10, period: { kind: 'sliding', ms: Number.NaN } }, right],
      [daily('Europe/Nowhere'), right],
    ] as const) {
      const { ok, state } = spend(undefined, budget, spending)
      assert.equal(ok, false)
      assert.deepEqual(state.spent, [])
    }
  })
  it('in no stretch of its length lets more pass than its limit, and refuses no less', () => {
    const ask = fc.record({
      amount: fc.integer({ min: 0, max: 6 }),
      wait: fc.integer({ min: -hour, max: hour / 2 }),
    })
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 40 }), (asks) => {
        const { spend: take } = account(sliding)
        const passed: { at: number; amount: number }[] = []
        let now = 0
        let latest = Number.NEGATIVE_INFINITY
        for (const [i, { amount, wait }] of asks.entries()) {
          now += wait
          latest = Math.max(latest, now)
          const within = passed.filter((p) => p.at > latest - hour)
          const sum = within.reduce((total, p) => total + p.amount, 0)
          const { ok } = take(`i${i}`, amount, now)
          assert.equal(ok, sum + amount <= sliding.limit)
          if (ok) passed.push({ at: latest, amount })
        }
      }),
      { numRuns: 500 },
    )
  })
})
