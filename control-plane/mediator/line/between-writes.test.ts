import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { at } from '@jackstay/contract/field-changes'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { readGrounds } from '@jackstay/judge/grounds'
import { compileWindow } from '@jackstay/judge/windows'
import { evidenceOf } from '../breakers/evidence.ts'
import { podUid } from './asked-builder.ts'
import { DrainLine, drainAllowed, drainAsked, drainClass } from './drain-builder.ts'

const cordoned = ['cordon', 'evict bank/a']
const takenBack = [...cordoned, 'uncordon']
const label = { 'jackstay.dev/suspended': 'by-hand' }

const window = (changes: Partial<ChangeWindowSpec>) => {
  const once = { from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' }
  const spec: ChangeWindowSpec = {
    effect: 'freeze',
    once,
    actions: ['*'],
    namespaces: ['*'],
    ...changes,
  }
  return compileWindow({ name: 'w', spec })
}

/** Stops after the cordon and the first of three evictions. */
async function stoppedBy(change: (line: DrainLine) => void, people = false): Promise<DrainLine> {
  const line = new DrainLine()
  if (people) line.policies = [drainAsked]
  line.afterWrites(2, () => change(line))
  if (people) {
    assert.equal(await line.go(), 'approve')
    line.approve()
  }
  await line.toEnd()
  return line
}

describe('a plan of many writes', () => {
  it('is made to its end where nothing says no', async () => {
    const line = new DrainLine()
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.world.effects, [...cordoned, 'evict shop/b', 'evict shop/c'])
    const dispatches = line.leaves.filter(({ kind }) => kind === 'dispatch')
    assert.equal(dispatches.length, 4, 'one before each write')
  })

  const other: ChangeWindowSpec['namespaces'] = ['shop']
  const stops: [string, string, (line: DrainLine) => void][] = [
    ['a freeze begins (T28)', 'window_closed', (l) => l.windows.push(window({}))],
    [
      'a freeze begins for a namespace of its Pods (T28)',
      'window_closed',
      (l) => l.windows.push(window({ namespaces: other })),
    ],
    [
      'a namespace of its Pods gets another allow window (T28)',
      'window_closed',
      (l) =>
        l.windows.push(
          window({
            effect: 'allow',
            once: { from: '2027-01-01T00:00:00Z', until: '2027-01-02T00:00:00Z' },
            namespaces: other,
          }),
        ),
    ],
    [
      'a rule denies (T19)',
      'policy_changed',
      (l) => l.policies.push({ ...drainAllowed, rules: [{ name: 'no', deny: { when: 'true' } }] }),
    ],
    ['a rule is looser (T19)', 'policy_changed', (l) => l.policies.push(drainAllowed)],
    ['the policy is gone (T19)', 'policy_changed', (l) => (l.policies = [])],
    [
      'the class is edited',
      'class_changed',
      (l) => (l.class = { ...drainClass, verifySeconds: 3599 }),
    ],
    [
      'the class lost the action',
      'outside_class',
      (l) => (l.class = { ...drainClass, actions: [] }),
    ],
    ['the key is revoked', 'key_revoked', (l) => (l.revoked = true)],
    ['the Pod of its agent is gone (T07)', 'agent_gone', (l) => (l.pod = undefined)],
    [
      'the Pod of its agent ends (T07)',
      'agent_gone',
      (l) => (l.pod = { uid: podUid, phase: 'Running', deletionTimestamp: 'x' }),
    ],
    [
      'another Pod has its name (T07)',
      'agent_gone',
      (l) => (l.pod = { uid: 'another', phase: 'Running' }),
    ],
    [
      'a breaker opens (T27)',
      'breaker_open',
      (l) => (l.gate = async () => ({ refused: 'breaker_open', message: 'too many undos' })),
    ],
    [
      'its agents are bound to more than reads (T85)',
      'more_than_reads',
      (l) => (l.wide = 'the RoleBinding shop/x gives agents edit'),
    ],
    [
      'a namespace of its Pods is governed no more',
      'not_governed',
      (l) => (l.world.labels.shop = {}),
    ],
    ['the node was opened', 'write_conflict', (l) => (l.world.cordoned = false)],
  ]
  for (const [what, reason, change] of stops) {
    it(`stops when ${what}`, async () => {
      const line = await stoppedBy(change)
      const { undoing, ended } = line.record()
      assert.equal(undoing?.reason, reason, undoing?.message)
      assert.match(
        undoing?.message ?? '',
        /^stopped after w2 \(evict Pod bank\/a\), 2 of 4 writes: /,
      )
      if (reason === 'write_conflict')
        return assert.equal(line.phase(), 'rollback_failed/undo_held')
      assert.equal(line.phase(), 'rolled_back/undone')
      assert.deepEqual(line.world.effects, takenBack)
      assert.match(ended?.message ?? '', /stopped after w2 .*1 evicted Pods are replaced/)
      const expected = { phase: 'rolled_back', reason: 'undone', because: reason, after: 'w2' }
      assert.deepEqual(at(line.leaves.at(-1)?.data ?? null, '/data/outcome'), expected)
    })
  }

  const suspensions: [string, (line: DrainLine) => void][] = [
    ['everything', (l) => (l.systemLabels = label)],
    ['a namespace of its Pods', (l) => Object.assign(l.world.labels.shop ?? {}, label)],
    ['the class', (l) => l.suspensions.push({ class: 'a', reason: 'x' })],
    ['the agent', (l) => l.suspensions.push({ agent: 'jackstay-class-a/agent', reason: 'x' })],
    ['the action', (l) => l.suspensions.push({ action: 'node.drain', reason: 'x' })],
    ['the node', (l) => l.suspensions.push({ target: { kind: 'Node', name: 'n1' }, reason: 'x' })],
    [
      'one of its Pods',
      (l) =>
        l.suspensions.push({ target: { kind: 'Pod', namespace: 'shop', name: 'c' }, reason: 'x' }),
    ],
  ]
  for (const [what, suspend] of suspensions) {
    it(`stops when ${what} is suspended (T73)`, async () => {
      const line = await stoppedBy(suspend)
      assert.equal(line.record().undoing?.reason, 'suspended')
      assert.ok(!line.world.effects.includes('evict shop/b'))
    })
  }

  it('is taken back past a suspension of its Pods alone, and held by one of the node (T73, T75)', async () => {
    const pod = { kind: 'Pod', namespace: 'shop', name: 'c' }
    const past = await stoppedBy((l) => l.suspensions.push({ target: pod, reason: 'x' }))
    assert.equal(past.phase(), 'rolled_back/undone')
    const node = { kind: 'Node', name: 'n1' }
    const held = await stoppedBy((l) => l.suspensions.push({ target: node, reason: 'x' }))
    assert.equal(held.phase(), 'undo')
    held.suspensions = [{ target: node, undo: 'allow', reason: 'x' }]
    assert.equal(await held.toEnd(), 'rolled_back/undone')
    assert.deepEqual(held.world.effects, takenBack)
  })

  it('stops at a late no, and where an approval is taken away (T19)', async () => {
    const no = await stoppedBy((l) => l.approve({ approver: 'oncall-2', verdict: 'reject' }), true)
    assert.equal(no.record().undoing?.reason, 'rejected')
    const gone = await stoppedBy((l) => (l.approvals = []), true)
    assert.equal(gone.record().undoing?.reason, 'policy_changed')
    for (const line of [no, gone]) assert.deepEqual(line.world.effects, takenBack)
  })

  it('stops where a fact makes a rule say no, though no rule was edited (T19)', async () => {
    const line = new DrainLine()
    const when = 'cluster.incidents.exists(i, i.name == "Down")'
    line.policies.push({ ...drainAllowed, rules: [{ name: 'calm', deny: { when } }] })
    line.afterWrites(2, () => line.incidents.push({ namespace: 'shop', name: 'Down' }))
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.match(line.record().undoing?.message ?? '', /before the next write: denied by p1\/calm/)
  })

  const gold = '"tier" in namespace.labels && namespace.labels["tier"] == "gold"'

  it('is judged for each namespace of its Pods, from the first judgement on', async () => {
    const line = new DrainLine()
    line.policies.push({ ...drainAllowed, rules: [{ name: 'gold', deny: { when: gold } }] })
    Object.assign(line.world.labels.shop ?? {}, { tier: 'gold' })
    assert.equal(await line.toEnd(), 'refused/denied')
    assert.match(line.record().ended?.message ?? '', /^in the namespace `shop`: denied by p1\/gold/)
    const read = readGrounds(line.record().ended?.grounds)
    assert.ok('facts' in read && read.facts.elsewhere?.length === 2, JSON.stringify(read))
  })

  it('stops where the labels of such a namespace make a rule say no (T19)', async () => {
    const line = new DrainLine()
    line.policies.push({ ...drainAllowed, rules: [{ name: 'gold', deny: { when: gold } }] })
    line.afterWrites(2, () => Object.assign(line.world.labels.shop ?? {}, { tier: 'gold' }))
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.match(
      line.record().undoing?.message ?? '',
      /in the namespace `shop`: denied by p1\/gold/,
    )
    assert.deepEqual(line.world.effects, takenBack)
  })

  it('stops where it would take more people by now (T19)', async () => {
    const line = new DrainLine()
    const people = { when: gold, count: 1, groups: ['oncall'] }
    line.policies.push({ ...drainAllowed, rules: [{ name: 'gold', requireApproval: people }] })
    line.afterWrites(2, () => Object.assign(line.world.labels.shop ?? {}, { tier: 'gold' }))
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.equal(line.record().undoing?.reason, 'policy_changed')
  })

  it('stops when its alert resolves', async () => {
    const line = new DrainLine()
    line.alert()
    line.afterWrites(2, () => line.resolve())
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.equal(line.record().undoing?.reason, 'trigger_resolved')
    assert.deepEqual(line.world.effects, takenBack)
  })

  it('says nothing against the agent when people stopped it', async () => {
    const line = await stoppedBy((l) => l.windows.push(window({})))
    assert.equal(evidenceOf(line.record()), 'other')
  })
})

describe('how long one approval lasts', () => {
  it('ends with the time for all writes together, whatever holds them back', async () => {
    const line = new DrainLine()
    line.policies = [drainAsked]
    line.world.held = ['shop/b']
    assert.equal(await line.go(), 'approve')
    line.approve()
    const begun = line.now
    for (let i = 0; line.record().undoing === undefined && i < 400; i++) {
      line.now += 5_000
      await line.go()
    }
    const { undoing } = line.record()
    assert.equal(undoing?.reason, 'overdue')
    assert.match(undoing?.message ?? '', /2 of 4 writes: .*longer.*a budget holds it back/)
    assert.ok(line.now - begun <= 1_805_000, `${line.now - begun} ms`)
    assert.deepEqual(line.world.effects, takenBack)
  })

  it('is the action’s own: a class that wants effects soon does not cut a drain short', async () => {
    const line = new DrainLine()
    line.class = { ...drainClass, verifySeconds: 60 }
    line.world.held = ['shop/b']
    const begun = line.now
    while (line.now - begun < 900_000) {
      await line.go()
      line.now += 5_000
    }
    assert.equal(line.record().undoing, undefined)
    line.world.held = []
    assert.equal(await line.toEnd(), 'verified/succeeded')
  })

  it('leaves the success test its whole time, from the last write on', async () => {
    const line = new DrainLine()
    line.class = { ...drainClass, verifySeconds: 60 }
    line.world.held = ['shop/b']
    for (let i = 0; i < 100; i++) {
      await line.go()
      line.now += 5_000
    }
    line.world.held = []
    await line.toEnd()
    const { executed, written } = line.record()
    const last = Date.parse(written.at(-1)?.at ?? '')
    assert.equal(Date.parse(executed?.verifyBefore ?? '') - last, 60_000)
  })
})
