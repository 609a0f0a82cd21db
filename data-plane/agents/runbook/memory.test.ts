import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Proposal } from './diagnoses/diagnosis.ts'
import { memory } from './memory.ts'

const minute = 60_000

function proposal(changes: Partial<Proposal> = {}): Proposal {
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
  return {
    ...{ kind: 'propose', action: 'workload.scale', target, params: { replicas: 2 } },
    summary: 'seen now',
    ...changes,
  }
}

describe('memory of the runbook agent', () => {
  it('keeps what was asked for: for the same alert ever, for another one half an hour', () => {
    let now = 0
    const kept = memory({ now: () => now })
    assert.equal(kept.asked(proposal(), 'a'), false)
    kept.ask(proposal(), 'a')
    assert.equal(kept.asked(proposal({ summary: 'seen later' }), 'a'), true)
    assert.equal(kept.asked(proposal(), 'b'), true)
    assert.equal(kept.asked(proposal({ params: { replicas: 3 } }), 'a'), false)
    now = 31 * minute
    assert.equal(kept.asked(proposal(), 'b'), false)
    assert.equal(kept.asked(proposal(), 'a'), true)
    kept.forget(proposal())
    assert.equal(kept.asked(proposal(), 'a'), false)
  })

  it('looks into the same alert more and more seldom, once an hour at least', () => {
    let now = 0
    const kept = memory({ now: () => now })
    const pauses = Array.from({ length: 7 }, () => {
      kept.looked('a')
      const from = now
      while (kept.rests('a')) now += minute
      return (now - from) / minute
    })
    assert.deepEqual(pauses, [4, 8, 16, 32, 60, 60, 60])
    assert.equal(kept.rests('b'), false)
  })

  it('forgets the oldest first, and stays small', () => {
    const kept = memory({ now: () => 0 })
    for (let n = 0; n <= 1000; n++) {
      kept.ask(proposal({ params: { replicas: n } }), 'a')
      kept.looked(`trigger-${n}`)
    }
    assert.equal(kept.asked(proposal({ params: { replicas: 0 } }), 'a'), false)
    assert.equal(kept.asked(proposal({ params: { replicas: 1 } }), 'a'), true)
    assert.equal(kept.rests('trigger-0'), false)
    assert.equal(kept.rests('trigger-1000'), true)
  })
})
