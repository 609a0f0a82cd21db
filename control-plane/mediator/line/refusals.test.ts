import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helpful, kindsOf } from './helpful-builder.ts'
import { allowAll, askPeople, classSpec, Line } from './line-builder.ts'

describe('the line refuses', () => {
  const cases: [string, (line: Line) => void, string][] = [
    ['without any policy (T17)', (l) => (l.policies = []), 'refused/denied'],
    [
      'when a rule fails (T18)',
      (l) =>
        (l.policies = [
          allowAll,
          { ...allowAll, rules: [{ name: 'd', deny: { when: 'intent.params.nothere > 1' } }] },
        ]),
      'refused/denied',
    ],
    [
      'while everything is suspended (T73)',
      (l) => (l.systemLabels = { 'jackstay.dev/suspended': '' }),
      'refused/suspended',
    ],
    [
      'while the class is suspended (T73)',
      (l) => l.suspensions.push({ class: 'a', reason: 'stop' }),
      'refused/suspended',
    ],
    ['with a revoked key', (l) => (l.revoked = true), 'refused/key_revoked'],
    [
      'agents that may only observe',
      (l) => (l.class = { ...classSpec, autonomy: 'observe' }),
      'refused/outside_class',
    ],
    [
      'targets outside the class',
      (l) =>
        (l.class = {
          ...classSpec,
          actions: [{ name: 'workload.scale', targets: { namespaces: ['lab'], names: ['*'] } }],
        }),
      'refused/outside_class',
    ],
    ['a target that is gone', (l) => (l.cluster.gone = true), 'refused/target_not_found'],
    ['a change that is none', (l) => (l.cluster.replicas = 5), 'refused/no_change'],
  ]
  for (const [name, prepare, expected] of cases) {
    it(name, async () => {
      const line = new Line()
      prepare(line)
      assert.equal(await line.toEnd(), expected)
      assert.deepEqual(line.cluster.effects, [])
      assert.deepEqual(kindsOf(line), ['decision'])
    })
  }

  it('a class whose grant is for another spec', async () => {
    const line = new Line()
    const ports = line.ports()
    line.ports = () => ({
      ...ports,
      cluster: { ...ports.cluster, approvalsOf: () => [] },
    })
    assert.equal(await line.toEnd(), 'refused/class_not_granted')
  })

  it('a class whose agents hold more than reads, also where that came while people looked (T85)', async () => {
    const line = helpful(new Line())
    line.wide = 'the RoleBinding shop/x gives agents of `jackstay-class-a` the ClusterRole `edit`'
    assert.equal(await line.toEnd(), 'refused/more_than_reads')
    assert.equal(line.record().ended?.message, line.wide)
    const later = helpful(new Line())
    later.policies = [askPeople]
    assert.equal(await later.go(), 'approve')
    later.wide = line.wide
    later.approve()
    assert.equal(await later.toEnd(), 'refused/more_than_reads')
    assert.deepEqual([...line.cluster.effects, ...later.cluster.effects], [])
  })

  it('what writes where everybody may write, and nothing else of the class (T85)', async () => {
    for (const [open, ends] of [
      ['shop', 'refused/more_than_reads'],
      ['elsewhere', 'verified/succeeded'],
    ] as const) {
      const line = helpful(new Line())
      const ports = line.ports()
      const moreThanReads: typeof ports.cluster.moreThanReads = (_, places = []) =>
        places.includes(open) ? `everybody may edit in \`${open}\`` : undefined
      line.ports = () => ({ ...ports, cluster: { ...ports.cluster, moreThanReads } })
      assert.equal(await line.toEnd(), ends, open)
    }
  })

  for (const [what, reason, change] of [
    ['whose Pod is gone (T07)', 'agent_gone', (l: Line) => (l.pod = undefined)],
    ['whose key was revoked', 'key_revoked', (l: Line) => (l.revoked = true)],
    [
      'whose breaker opened',
      'breaker_open',
      (l: Line) => (l.gate = async () => ({ refused: 'breaker_open', message: 'open' })),
    ],
  ] as const) {
    it(`an intent ${what} while people looked at it`, async () => {
      const line = helpful(new Line())
      line.policies = [askPeople]
      assert.equal(await line.go(), 'approve')
      change(line)
      line.approve()
      assert.equal(await line.toEnd(), `refused/${reason}`)
      assert.deepEqual(line.cluster.effects, [])
    })
  }

  it('nothing of an undo, whoever is gone by then, and whatever breaker is open (T75)', async () => {
    const line = helpful(new Line())
    line.onEffect = (point) => {
      if (point !== 'after write') return
      line.pod = undefined
      line.revoked = true
      line.cluster.available = 0
      line.gate = async () => ({ refused: 'breaker_open', message: 'open' })
    }
    assert.match(await line.toEnd(), /^rolled_back\//)
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
  })

  it('to go on while a cache is out of step, and loses nothing (T17)', async () => {
    const line = helpful(new Line())
    line.synced = false
    assert.equal(await line.go(), 'admit')
    line.synced = true
    assert.equal(await line.toEnd(), 'verified/succeeded')
  })

  it('to act where the class may only propose, but says what it would have done', async () => {
    const line = new Line()
    line.class = { ...classSpec, autonomy: 'propose' }
    assert.equal(await line.toEnd(), 'proposed/autonomy')
    assert.ok(line.record().rehearsed?.digest)
    assert.deepEqual(line.cluster.effects, [])
  })

  it('to act without people where the class demands them', async () => {
    const line = new Line()
    line.class = { ...classSpec, autonomy: 'act-with-approval' }
    assert.equal(await line.go(), 'approve')
  })
})
