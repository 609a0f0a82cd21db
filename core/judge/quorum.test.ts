import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApprovalRequirement } from '@jackstay/contract/decision'
import { sha256 } from '@jackstay/contract/json'
import fc from 'fast-check'
import { type QuorumApproval, quorum } from './quorum.ts'

const digest = sha256('a')
const t0 = Date.parse('2026-01-01T00:00:00Z')
const need = (changes: Partial<ApprovalRequirement> = {}): ApprovalRequirement => ({
  from: 'p/r',
  count: 1,
  groups: ['sre'],
  expiresAfter: 60,
  ...changes,
})
const yes = (approver: string, changes: Partial<QuorumApproval> = {}): QuorumApproval => ({
  approver,
  groups: ['sre'],
  verdict: 'approve',
  digest,
  at: '2026-01-01T00:00:10Z',
  ...changes,
})
const ask = (requirements: ApprovalRequirement[], approvals: QuorumApproval[], seconds = 20) =>
  quorum({ requirements, approvals, digest, decidedAt: t0, now: t0 + seconds * 1000 })

const one = fc.record({
  approver: fc.constantFrom('ann', 'bob', 'cid'),
  groups: fc.subarray(['sre', 'leads', 'dev']),
  verdict: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
  digest: fc.constantFrom(digest, sha256('b')),
  at: fc.constantFrom('2026-01-01T00:00:10Z', '2026-01-01T00:02:00Z'),
})
const wants = [need({ count: 2 }), need({ groups: ['leads'] })]

describe('quorum', () => {
  it('counts distinct people of the groups, for this digest alone (T54, T84)', () => {
    const two = [need({ count: 2 })]
    assert.equal(ask(two, [yes('ann'), yes('bob')]).state, 'met')
    for (const other of [
      yes('ann'),
      yes('bob', { groups: ['dev'] }),
      yes('bob', { digest: sha256('b') }),
      yes('system:serviceaccount:shop:bob'),
      yes('bob', { at: 'never' }),
    ]) {
      assert.equal(ask(two, [yes('ann'), other]).state, 'waiting')
    }
  })
  it('says what is missing, requirement by requirement', () => {
    const outcome = ask([need(), need({ from: 'p/s', count: 2, groups: ['leads'] })], [yes('ann')])
    const missing = [{ from: 'p/s', have: 0, need: 2, groups: ['leads'] }]
    assert.deepEqual(outcome, { state: 'waiting', missing })
  })
  it('ends with the first rejection by anyone eligible, whatever came before', () => {
    const no = yes('bob', { verdict: 'reject' })
    assert.deepEqual(ask([need()], [yes('ann'), no]), { state: 'rejected', by: 'bob' })
    assert.equal(ask([need()], [yes('ann'), { ...no, groups: ['dev'] }]).state, 'met')
    assert.equal(ask([need()], [yes('ann'), { ...no, digest: sha256('b') }]).state, 'met')
  })
  it('expires at the earliest requirement; what was met in time stays met (T53)', () => {
    const both = [need(), need({ expiresAfter: 5 })]
    assert.deepEqual(ask(both, [yes('ann')], 20), { state: 'expired', at: t0 + 5000 })
    assert.equal(ask([need()], [], 60).state, 'waiting')
    assert.equal(ask([need()], [], 61).state, 'expired')
    assert.equal(ask([need()], [yes('ann', { at: '2026-01-01T00:01:01Z' })], 62).state, 'expired')
    assert.equal(ask([need()], [yes('ann')], 9999).state, 'met')
  })
  it('never takes nothing for a yes (T58)', () => {
    assert.notEqual(ask([], [yes('ann')]).state, 'met')
    assert.notEqual(ask([need({ count: 0 })], [yes('ann')]).state, 'met')
    assert.notEqual(ask([need({ count: Number.NaN })], [yes('ann')]).state, 'met')
    const unknown = {
      requirements: [need()],
      approvals: [yes('ann')],
      digest,
      decidedAt: Number.NaN,
    }
    assert.equal(quorum({ ...unknown, now: t0 }).state, 'expired')
  })
  it('adds up what one person stated in several approvals, also within one second', () => {
    const wants = [need({ count: 2 }), need({ from: 'p/s', groups: ['leads'] })]
    const both = yes('ann', { groups: ['sre', 'leads'] })
    for (const approvals of [
      [both, yes('ann'), yes('bob')],
      [yes('ann'), both, yes('bob')],
      [yes('ann'), yes('bob'), yes('ann', { groups: ['leads'], at: '2026-01-01T00:00:15Z' })],
    ]) {
      assert.equal(ask(wants, approvals).state, 'met')
    }
    const outcome = ask([need({ count: 1 })], [yes('ann'), both, yes('bob')])
    assert.ok(outcome.state === 'met')
    assert.deepEqual(
      outcome.counted.map((a) => a.approver),
      ['ann', 'bob'],
    )
  })
  it('takes no more for less: another approval never undoes a met quorum', () => {
    fc.assert(
      fc.property(fc.array(one), one, (approvals, more) => {
        const before = ask(wants, approvals).state
        const after = ask(wants, [...approvals, { ...more, verdict: 'approve' }]).state
        assert.ok(before !== 'met' || after === 'met')
      }),
      { numRuns: 500 },
    )
  })
  it('does not mind order, and no repetition helps', () => {
    fc.assert(
      fc.property(fc.array(one), (approvals) => {
        const { state } = ask(wants, approvals)
        assert.equal(ask(wants, approvals.toReversed()).state, state)
        assert.equal(ask(wants, [...approvals, ...approvals]).state, state)
      }),
      { numRuns: 1000 },
    )
  })
})
