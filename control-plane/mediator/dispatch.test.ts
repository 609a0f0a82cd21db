import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helpful, kindsOf } from './line/helpful-builder.ts'
import { allowAll, askPeople, classSpec, Line } from './line/line-builder.ts'

describe('between approval and write', () => {
  async function waiting(): Promise<Line> {
    const line = helpful(new Line())
    line.policies = [askPeople]
    assert.equal(await line.go(), 'approve')
    return line
  }

  it('a covered field that moved voids the approval (T31)', async () => {
    const line = await waiting()
    line.cluster.meddle(3)
    line.approve()
    assert.equal(await line.toEnd(), 'obsolete/target_changed')
    assert.deepEqual(line.cluster.effects, [])
  })

  it('a status or a resourceVersion that moved does not (T31)', async () => {
    const line = await waiting()
    line.cluster.version++
    line.cluster.available = 0
    line.approve()
    assert.equal(await line.toEnd(), 'verified/succeeded')
  })

  it('edited rules void it, looser ones too (T19, T20)', async () => {
    for (const rules of [allowAll, { ...askPeople, rules: [...askPeople.rules].reverse() }]) {
      const line = await waiting()
      line.approve()
      line.policies = [rules]
      const same = rules !== allowAll
      assert.equal(await line.toEnd(), same ? 'verified/succeeded' : 'obsolete/policy_changed')
    }
  })

  it('an edited class, a revoked key or a suspension stops it', async () => {
    const edits: [(line: Line) => void, string][] = [
      [(l) => (l.class = { ...classSpec, verifySeconds: 5 }), 'obsolete/class_changed'],
      [(l) => (l.revoked = true), 'refused/key_revoked'],
      [(l) => l.suspensions.push({ action: 'workload.scale', reason: 'x' }), 'refused/suspended'],
    ]
    for (const [edit, expected] of edits) {
      const line = await waiting()
      line.approve()
      edit(line)
      assert.equal(await line.toEnd(), expected)
      assert.deepEqual(line.cluster.effects, [])
      assert.deepEqual(kindsOf(line), ['decision', 'approval', 'outcome'])
    }
  })

  it('a rejection is final, also beside a yes', async () => {
    const line = await waiting()
    line.approve({ approver: 'oncall-2', verdict: 'reject' })
    line.approve()
    assert.equal(await line.toEnd(), 'rejected/rejected')
  })

  it('nobody answering is an expiry, not a rejection (T53)', async () => {
    const line = await waiting()
    line.now += 3601_000
    assert.equal(await line.toEnd(), 'expired/approval_expired')
  })

  it('deleting the Intent object cancels it', async () => {
    const line = await waiting()
    line.deleting = true
    assert.equal(await line.toEnd(), 'cancelled/deleted_by_owner')
  })
})
