import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonical } from '@jackstay/contract/json'
import { allowAll, askPeople, Crash, classSpec, Line } from './line-builder.ts'

/** An approved line whose process dies right after the dispatch leaf, before the write. */
async function deadAfterDispatch(): Promise<Line> {
  const line = new Line()
  line.policies = [askPeople]
  line.cluster.available = 5
  await line.go()
  line.approve()
  line.onEffect = (point) => {
    if (point === 'after dispatched') throw new Crash('the process died here')
  }
  await assert.rejects(line.go(), Crash)
  line.onEffect = () => undefined
  return line
}

describe('a dispatch taken up after the process was away', () => {
  it('goes on at once when nothing changed', async () => {
    const line = await deadAfterDispatch()
    line.now += 10_000
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
    assert.equal(line.record().dispatched?.attempt, 2, 'bound anew, on record')
  })

  const changes: [string, (line: Line) => void][] = [
    ['the key was revoked', (l) => (l.revoked = true)],
    [
      'a rule denies now (T19)',
      (l) => (l.policies = [{ ...allowAll, rules: [{ name: 'no', deny: { when: 'true' } }] }]),
    ],
    ['the class may only observe now', (l) => (l.class = { ...classSpec, autonomy: 'observe' })],
    [
      'the class lives elsewhere now',
      (l) => (l.class = { ...classSpec, namespace: 'jackstay-class-b' }),
    ],
    ['the approval is gone (T84)', (l) => (l.approvals = [])],
    ['somebody rejected', (l) => l.approve({ approver: 'oncall-2', verdict: 'reject' })],
    ['it is suspended (T73)', (l) => l.suspensions.push({ class: 'a', reason: 'stop' })],
    ['a month went by', (l) => (l.now += 30 * 24 * 3600_000)],
    ['a covered field moved (T31)', (l) => l.cluster.meddle(3)],
  ]
  for (const [what, change] of changes) {
    it(`writes nothing when ${what}`, async () => {
      const line = await deadAfterDispatch()
      line.now += 10_000
      change(line)
      assert.match(await line.toEnd(), /^failed\//)
      assert.deepEqual(line.cluster.effects, [])
      assert.equal(line.leaves.at(-1)?.kind, 'outcome')
    })
  }

  it('finds a write that had landed, whatever changed since (T46)', async () => {
    const line = new Line()
    line.cluster.available = 5
    line.onEffect = (point) => {
      if (point === 'after write') throw new Crash('the process died here')
    }
    await assert.rejects(line.go(), Crash)
    line.onEffect = () => undefined
    line.now += 3600_000
    line.revoked = true
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
  })
})

describe('authority has an age', () => {
  it('an intent that waited for a dead mediator is not fresh any more', async () => {
    const line = new Line()
    line.now += 30 * 24 * 3600_000
    assert.equal(await line.toEnd(), 'refused/not_fresh')
  })

  it('an approval given in time counts no longer when its deadline is long past (T53)', async () => {
    const line = new Line()
    line.policies = [askPeople]
    await line.go()
    line.approve()
    line.now += 30 * 24 * 3600_000
    assert.equal(await line.toEnd(), 'expired/approval_expired')
    assert.deepEqual(line.cluster.effects, [])
  })
})

describe('an agent', () => {
  it('does not inherit a class of the same name that lives elsewhere', async () => {
    const line = new Line()
    line.class = { ...classSpec, namespace: 'jackstay-class-other' }
    assert.equal(await line.toEnd(), 'refused/outside_class')
  })

  it('cannot make an intent that never ends by what it puts in', async () => {
    const line = new Line({ replicas: 1, x: Array.from({ length: 5 }, () => 'a'.repeat(4000)) })
    assert.equal(await line.toEnd(), 'refused/invalid_params')
    for (const { data } of line.leaves) assert.ok(canonical(data).length < 16 * 1024)
  })
})

describe('people', () => {
  it('in many groups make no leaf too large', async () => {
    const line = new Line()
    line.policies = [askPeople]
    line.cluster.available = 5
    await line.go()
    const groups = Array.from({ length: 64 }, (_, i) => `cn=${i},${'ou=x,'.repeat(45)}`)
    line.approve({ groups: [...groups, 'oncall'] })
    assert.equal(await line.toEnd(), 'verified/succeeded')
    for (const { data } of line.leaves) assert.ok(canonical(data).length < 16 * 1024)
  })
})
