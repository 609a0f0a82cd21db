import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lane } from './lane.ts'
import { lookouts } from './lookouts.ts'

const people = { on: ['approvals', 'target'], at: 3_600_000, recheckMs: 30_000 } as const
const start = { wall: 0, monotonic: 0 }
const ids = (waiters: readonly (readonly [string, unknown])[]) => waiters.map(([id]) => id)

test('who waits alone looks again in half a minute; ten thousand look ten times a second in all', () => {
  const waiting = lookouts()
  assert.equal(waiting.park('0', people, 'web', start), 30_000)
  for (let n = 1; n < 10_000; n++) waiting.park(String(n), people, 'web', start)
  assert.equal(waiting.park('last', people, 'web', start), 1_000_000)
})

test('an expiry is met however many wait', () => {
  const waiting = lookouts()
  for (let n = 0; n < 1000; n++) waiting.park(String(n), people, 'web', start)
  assert.equal(waiting.park('soon', { ...people, at: 5_000 }, 'web', start), 5_000)
  assert.deepEqual(ids(waiting.due(4_999)), [])
  assert.deepEqual(ids(waiting.due(5_000)), ['soon'])
})

test('who waits is met in time however the clock is set meanwhile (T09)', () => {
  const waiting = lookouts()
  const wall = Date.parse('2026-01-01T12:00:00Z')
  const wake = { ...people, at: wall + 60_000 }
  assert.equal(waiting.park('a', wake, 'web', { wall, monotonic: 500 }), 30_000)
  assert.deepEqual(ids(waiting.due(30_499)), [])
  assert.deepEqual(ids(waiting.due(30_500)), ['a'])
  // looked, with the clock set back by six hours meanwhile: the recheck still comes
  const back = { wall: wall - 6 * 3_600_000, monotonic: 30_500 }
  assert.equal(waiting.park('a', wake, 'web', back), 30_000)
  assert.deepEqual(ids(waiting.due(60_500)), ['a'])
})

test('a change of a target is told to those that wait for it, as long as they wait', () => {
  const waiting = lookouts()
  waiting.park('a', people, 'web', start)
  waiting.park('b', people, 'api', start)
  waiting.park('c', { ...people, on: ['suspensions'] }, 'web', start)
  assert.deepEqual(ids(waiting.onTarget('web')), ['a'])
  assert.deepEqual(ids(waiting.on('suspensions')), ['c'])
  waiting.leave('a')
  assert.deepEqual(ids(waiting.onTarget('web')), [])
  assert.equal(waiting.has('a'), false)
})

test('of many that look again a few are at it at a time, and each has its turn', () => {
  const started: string[] = []
  const looks = lane((id) => started.push(id) > 0)
  for (let n = 0; n < 10; n++) looks.add(String(n))
  assert.deepEqual(started, ['0', '1', '2', '3'])
  for (let n = 0; n < 10; n++) looks.done(String(n))
  assert.deepEqual(
    started,
    Array.from({ length: 10 }, (_, n) => String(n)),
  )
})

test('one that changes while it looks looks once more', () => {
  const started: string[] = []
  const looks = lane((id) => started.push(id) > 0)
  looks.add('a')
  looks.add('a')
  looks.done('a')
  assert.deepEqual(started, ['a', 'a'])
})

test('where there was no place nobody is lost', () => {
  const started: string[] = []
  let full = true
  const looks = lane((id) => !full && started.push(id) > 0)
  looks.add('a')
  full = false
  looks.add('b')
  assert.deepEqual(started, ['a', 'b'])
})
