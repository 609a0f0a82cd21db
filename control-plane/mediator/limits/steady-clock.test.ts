import assert from 'node:assert/strict'
import { it } from 'node:test'
import { steadyClock } from './steady-clock.ts'

const minute = 60_000
const start = Date.parse('2026-01-01T12:00:00Z')

function clocks() {
  const jumps: number[] = []
  const time = { wall: start, monotonic: 500 }
  const steady = steadyClock({
    wall: { now: () => time.wall },
    monotonic: () => time.monotonic,
    onJump: (by) => jumps.push(by),
  })
  const pass = (ms: number) => {
    time.wall += ms
    time.monotonic += ms
  }
  return { time, steady, jumps, pass }
}

it('goes on at its own pace when the wall clock jumps ten minutes, either way (T09)', () => {
  for (const jump of [10 * minute, -10 * minute]) {
    const { time, steady, jumps, pass } = clocks()
    pass(minute)
    time.wall += jump
    assert.equal(steady.now(), start + minute)
    pass(minute)
    assert.equal(steady.now(), start + 2 * minute)
    assert.equal(steady.ahead(), jump)
    assert.deepEqual(jumps, [jump])
  }
})

it('follows small corrections, and a jump that is taken back at once', () => {
  const { time, steady, jumps, pass } = clocks()
  time.wall += 3_000
  assert.equal(steady.now(), start)
  assert.equal(steady.ahead(), 0)
  time.wall += 10 * minute
  steady.now()
  time.wall -= 10 * minute
  pass(minute)
  assert.equal(steady.now(), start + minute)
  assert.deepEqual([steady.ahead(), jumps], [0, [10 * minute + 3_000]])
})

it('believes a clock that jumped once it kept its pace for an hour', () => {
  const { time, steady, jumps, pass } = clocks()
  time.wall += 10 * minute
  steady.now()
  pass(59 * minute)
  assert.equal(steady.now(), start + 59 * minute)
  pass(minute)
  assert.equal(steady.now(), start + 70 * minute)
  assert.deepEqual([steady.ahead(), jumps], [0, [10 * minute]])
})

it('begins its doubt anew with every jump', () => {
  const { time, steady, jumps, pass } = clocks()
  for (let i = 1; i <= 3; i++) {
    time.wall += 10 * minute
    steady.now()
    pass(50 * minute)
    assert.equal(steady.now(), start + i * 50 * minute)
  }
  assert.equal(jumps.length, 3)
})
