import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { IntentQuery, IntentSummary } from '@jackstay/ledger/store'
import { allowances } from './allowances.ts'

const summary = (id: string): IntentSummary => {
  const at = '2026-01-01T00:00:00Z'
  return { id, ordinal: 1, seq: 1, phase: 'admit', terminal: false, startedAt: at, updatedAt: at }
}

it('keeps one bucket per agent', () => {
  let now = 0
  const { take } = allowances({ list: async () => [] }, { now: () => now })
  assert.deepEqual([take('a', 1), take('a', 1), take('b', 1)], [true, false, true])
  now = 60_000
  assert.equal(take('a', 1), true)
})

it('remembers a bounded number of agents, the most recent ones', () => {
  const { take } = allowances({ list: async () => [] }, { now: () => 0 })
  assert.ok(take('first', 1))
  for (let i = 0; i < 10_000; i++) take(`agent-${i}`, 1)
  assert.ok(take('first', 1))
  assert.ok(!take('agent-9999', 1))
})

it('counts open intents of the agent, the asking one left out', async () => {
  const asked: IntentQuery[] = []
  const list = async (query: IntentQuery) => {
    asked.push(query)
    return [summary('one'), summary('two')]
  }
  assert.equal(await allowances({ list }, { now: () => 0 }).pending('a', 'two'), 1)
  assert.deepEqual(asked, [{ agent: 'a', terminal: false, limit: 1000 }])
})
