import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Line } from '../line/line-builder.ts'
import { allowances } from './allowances.ts'

it('keeps one bucket per agent', () => {
  let now = 0
  const { take } = allowances({ now: () => now })
  assert.deepEqual([take('a', 1), take('a', 1), take('b', 1)], [true, false, true])
  now = 60_000
  assert.equal(take('a', 1), true)
})

it('remembers a bounded number of agents, the most recent ones', () => {
  const { take } = allowances({ now: () => 0 })
  assert.ok(take('first', 1))
  for (let i = 0; i < 10_000; i++) take(`agent-${i}`, 1)
  assert.ok(take('first', 1))
  assert.ok(!take('agent-9999', 1))
})

it('counts open intents of the agent, the asking one left out', async () => {
  const kept = allowances({ now: () => 0 })
  const ended = new Line({ replicas: 2 }, { id: 'three', agent: 'ns/a' })
  assert.match(await ended.go(), /^refused/)
  for (const [id, agent] of Object.entries({ one: 'ns/a', two: 'ns/a', other: 'ns/b' })) {
    kept.note(new Line({ replicas: 5 }, { id, agent }).record())
  }
  kept.note(ended.record())
  assert.deepEqual([kept.pending('ns/a', 'two'), kept.pending('ns/a', 'new')], [1, 2])
  assert.deepEqual([kept.pending('ns/b', 'other'), kept.pending('ns/c', 'x')], [0, 0])
})

it('an intent that ended is open no more, told twice it counts once', async () => {
  const kept = allowances({ now: () => 0 })
  const line = new Line({ replicas: 2 }, { agent: 'ns/a' })
  for (const _ of [1, 2]) kept.note(line.record())
  assert.equal(kept.pending('ns/a', 'new'), 1)
  await line.go()
  for (const _ of [1, 2]) kept.note(line.record())
  assert.equal(kept.pending('ns/a', 'new'), 0)
})
