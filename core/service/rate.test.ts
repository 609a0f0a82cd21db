import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import fc from 'fast-check'
import { type RateOptions, rateLimiter } from './rate.ts'

function setup(over: Partial<RateOptions> = {}) {
  let now = 0
  const clock = () => now
  const limiter = rateLimiter({ perSecond: 1, burst: 3, maxKeys: 4, clock, ...over })
  const pass = (ms: number) => {
    now += ms
  }
  const passed = (key: string, times: number) =>
    Array.from({ length: times }, () => limiter.take(key).allowed).filter(Boolean).length
  return { limiter, pass, passed }
}

test('a burst passes, then one per refill, with the time to wait', () => {
  const { limiter, pass, passed } = setup()
  assert.equal(passed('a', 10), 3)
  assert.deepEqual(limiter.take('a'), { allowed: false, retryAfterMs: 1000 })
  pass(999)
  assert.equal(limiter.take('a').allowed, false)
  pass(1)
  assert.equal(limiter.take('a').allowed, true)
  assert.throws(
    () => limiter.demand('a'),
    (error: unknown) => error instanceof JackstayError && error.code === 'rate_limited',
  )
})

test('T02 one key at its limit leaves the others alone', () => {
  const { passed } = setup()
  assert.equal(passed('flood', 1000), 3)
  assert.equal(passed('calm', 3), 3)
})

test('T02 a limited key stays limited, however many others arrive', () => {
  const { limiter, passed } = setup()
  passed('a', 10)
  for (let i = 0; i < 1000; i++) limiter.take(`k${i}`)
  assert.equal(limiter.take('a').allowed, false)
  assert.ok(limiter.keys <= 4)
})

test('keys beyond the bound share one bucket until somebody is full again', () => {
  const { limiter, pass, passed } = setup()
  for (const key of ['a', 'b', 'c', 'd']) passed(key, 3)
  const strangers = Array.from({ length: 50 }, (_, i) => passed(`x${i}`, 1))
  assert.equal(strangers.filter(Boolean).length, 3)
  pass(3000)
  assert.equal(passed('e', 10), 3)
  assert.equal(limiter.keys, 4)
})

test('a clock that runs backwards gives nobody tokens', () => {
  const { limiter, pass, passed } = setup()
  pass(10_000)
  passed('a', 3)
  pass(-10_000)
  assert.equal(limiter.take('a').allowed, false)
  pass(10_000)
  assert.equal(limiter.take('a').allowed, false)
})

test('no key ever gets more than its burst plus its refills', () => {
  const step = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 700 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { limiter, pass } = setup()
      const allowed = new Map<number, number>()
      let elapsed = 0
      for (const [key, ms] of steps) {
        pass(ms)
        elapsed += ms
        if (limiter.take(`k${key}`).allowed) allowed.set(key, (allowed.get(key) ?? 0) + 1)
        // the shared bucket may serve a key once more before it has its own
        const most = 2 * (3 + elapsed / 1000)
        for (const count of allowed.values()) assert.ok(count <= most + 1e-9)
        assert.ok(limiter.keys <= 4)
      }
    }),
  )
})

test('a rate that could never pass is refused at the start', () => {
  for (const bad of [{ perSecond: 0 }, { burst: 0 }, { maxKeys: 0 }, { perSecond: Number.NaN }]) {
    assert.throws(() => setup(bad), JackstayError)
  }
})
