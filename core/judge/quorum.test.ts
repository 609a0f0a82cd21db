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
const ask = (
  requirements: ApprovalRequirement[],
  approvals: QuorumApproval[],
  seconds = 20,
  excluded: string[] = [],
) => quorum({ requirements, approvals, digest, excluded, decidedAt: t0, now: t0 + seconds * 1000 })

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
      excluded: [],
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
  it('counts one person once, however the name is written (T84)', () => {
    const two = [need({ count: 2 })]
    for (const other of ['Ann', 'ANN', ' ann', '\uff41nn']) {
      assert.equal(ask(two, [yes('ann'), yes(other)]).state, 'waiting', other)
    }
    assert.equal(ask([need()], [yes('System:serviceaccount:shop:bob')]).state, 'waiting')
  })
  it('does not count who has a part in the request, but hears their no (T52)', () => {
    assert.equal(ask([need()], [yes('ann')], 20, ['Ann']).state, 'waiting')
    assert.equal(ask([need()], [yes('ann'), yes('bob')], 20, ['ann']).state, 'met')
    const no = yes('ann', { verdict: 'reject' })
    assert.equal(ask([need()], [no, yes('bob')], 20, ['ann']).state, 'rejected')
  })
  it('lets one person serve two requirements, unless one of them is separate (T52)', () => {
    const both = { groups: ['sre', 'leads'] }
    const leads = need({ from: 'p/s', groups: ['leads'] })
    assert.equal(ask([need(), leads], [yes('ann', both)]).state, 'met')
    const separate = [need(), { ...leads, separate: true }]
    assert.equal(ask(separate, [yes('ann', both)]).state, 'waiting')
    assert.equal(ask(separate, [yes('ann', both), yes('bob')]).state, 'met')
    assert.equal(ask(separate, [yes('bob'), yes('ann', both)]).state, 'met')
    assert.equal(ask(separate, [yes('ann'), yes('bob')]).state, 'waiting')
    // whoever could serve either makes room for whoever could not
    const crowd = [yes('ann', both), yes('bob', both), yes('cid', { groups: ['leads'] })]
    assert.equal(ask([need({ count: 2, separate: true }), leads], crowd).state, 'met')
  })
})

const people = ['ann', 'Ann', 'bob', 'cid', 'dan', 'system:serviceaccount:shop:bot']
const groups = ['sre', 'leads', 'dev']
const verdict = fc.oneof(
  { arbitrary: fc.constant('approve' as const), weight: 8 },
  { arbitrary: fc.constant('reject' as const), weight: 1 },
)
const one: fc.Arbitrary<QuorumApproval> = fc.record({
  approver: fc.constantFrom(...people),
  groups: fc.subarray(groups),
  verdict,
  digest: fc.constantFrom(digest, digest, digest, sha256('b')),
  at: fc.constantFrom('2026-01-01T00:00:10Z', '2026-01-01T00:00:50Z', '2026-01-01T00:02:00Z'),
})
const requirement = fc
  .record({
    from: fc.constantFrom('p/r', 'p/s', 'q/r'),
    count: fc.integer({ min: 1, max: 3 }),
    groups: fc.subarray(groups, { minLength: 1 }),
    expiresAfter: fc.constantFrom(30, 60, 600),
    separate: fc.boolean(),
  })
  .map((r): ApprovalRequirement => r)
const case_ = fc.record({
  requirements: fc.array(requirement, { minLength: 1, maxLength: 3 }),
  approvals: fc.array(one, { maxLength: 8 }),
  seconds: fc.constantFrom<number>(20, 55, 700),
  excluded: fc.subarray(['ann', 'dan']),
})
type Case = typeof case_ extends fc.Arbitrary<infer T> ? T : never
const stateOf = ({ requirements, approvals, seconds, excluded }: Case) =>
  ask(requirements, approvals, seconds, excluded).state

/** Whether people can be shared out at all, by trying every way: slow, and nothing like matching. */
function sharedOut(requirements: readonly ApprovalRequirement[], approvals: QuorumApproval[]) {
  const able = (r: ApprovalRequirement) =>
    new Set(
      approvals.filter((a) => a.groups.some((g) => r.groups.includes(g))).map((a) => a.approver),
    )
  const slots = requirements.flatMap((r) => Array.from({ length: r.count }, () => able(r)))
  const fill = (i: number, used: ReadonlySet<string>): boolean =>
    i >= slots.length ||
    [...(slots[i] ?? [])].some((p) => !used.has(p) && fill(i + 1, new Set([...used, p])))
  return fill(0, new Set())
}

describe('quorum, whatever is asked', () => {
  const holds = (test: (c: Case, more: QuorumApproval) => void) =>
    fc.assert(fc.property(case_, one, test), { numRuns: 2000 })
  it('does not mind order, and no repetition helps', () => {
    holds((c) => {
      const state = stateOf(c)
      assert.equal(stateOf({ ...c, approvals: c.approvals.toReversed() }), state)
      assert.equal(stateOf({ ...c, requirements: c.requirements.toReversed() }), state)
      assert.equal(stateOf({ ...c, approvals: [...c.approvals, ...c.approvals] }), state)
    })
  })
  it('no yes more undoes a met quorum, and no yes less meets one', () => {
    holds((c, more) => {
      const yesMore = {
        ...c,
        approvals: [...c.approvals, { ...more, verdict: 'approve' as const }],
      }
      if (stateOf(c) === 'met') assert.equal(stateOf(yesMore), 'met')
      if (stateOf(yesMore) !== 'met') assert.notEqual(stateOf(c), 'met')
    })
  })
  it('a rejection is final', () => {
    holds((c, more) => {
      if (stateOf(c) !== 'rejected') return
      assert.equal(stateOf({ ...c, approvals: [more, ...c.approvals] }), 'rejected')
      assert.equal(stateOf({ ...c, seconds: c.seconds + 10_000 }), 'rejected')
    })
  })
  it('another requirement, a separate one or somebody excluded never makes it easier', () => {
    fc.assert(
      fc.property(case_, requirement, (c, more) => {
        const before = stateOf(c)
        for (const harder of [
          { ...c, requirements: [...c.requirements, more] },
          { ...c, requirements: c.requirements.map((r) => ({ ...r, separate: true })) },
          { ...c, excluded: [...c.excluded, 'bob'] },
        ]) {
          if (stateOf(harder) === 'met') assert.equal(before, 'met')
        }
      }),
      { numRuns: 2000 },
    )
  })
  it('is met with separate people exactly where trying every way finds one', () => {
    holds((c) => {
      const requirements = c.requirements.map((r) => ({ ...r, separate: true, expiresAfter: 600 }))
      const approvals = c.approvals
        .filter((a) => /^[a-d]/.test(a.approver))
        .map((a) => ({ ...a, digest, verdict: 'approve' as const }))
      const met = ask(requirements, approvals).state === 'met'
      assert.equal(met, sharedOut(requirements, approvals))
    })
  })
})
