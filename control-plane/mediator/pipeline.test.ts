import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { stageNames } from '@jackstay/contract/history'
import { canonical, sha256 } from '@jackstay/contract/json'
import { decide as judge } from '@jackstay/judge/decide'
import { readGrounds } from '@jackstay/judge/grounds'
import { compileRules } from '@jackstay/judge/rules'
import { allowAll, askPeople, classSpec, Line } from './line/line-builder.ts'
import { stages } from './pipeline.ts'

/** The line becomes available as soon as its write landed. */
function helpful(line: Line): Line {
  line.onEffect = (point) => {
    if (point.startsWith('after write')) line.cluster.available = line.cluster.replicas
  }
  return line
}

function kindsOf(line: Line): string[] {
  return line.leaves.map((leaf) => leaf.kind)
}

describe('the line', () => {
  it('lists its stages in the order of the contract, in a file a newcomer can read', () => {
    assert.deepEqual(
      stages.map((stage) => stage.name),
      [...stageNames],
    )
    const lines = readFileSync(new URL('./pipeline.ts', import.meta.url), 'utf8').split('\n')
    assert.ok(lines.length <= 150)
  })

  it('puts what only looks on record together with what comes of it', async () => {
    const points: string[] = []
    const line = new Line()
    line.policies = [{ ...allowAll, rules: [{ name: 'no', deny: { when: 'true' } }] }]
    line.onEffect = (point) => points.push(point)
    assert.equal(await line.go(), 'refused/denied')
    assert.deepEqual(points, ['before admitted+planned+ended', 'after admitted+planned+ended'])
    const { admitted, planned, ended } = line.record()
    assert.ok(admitted && planned && ended)
  })

  it('asks nothing again that was found out before a stage failed', async () => {
    const line = helpful(new Line())
    let asked = 0
    line.gate = async () => {
      asked++
      return undefined
    }
    const read = line.cluster.object.bind(line.cluster)
    line.cluster.object = () => {
      throw new Error('the API server is away')
    }
    await assert.rejects(line.go(), /the API server is away/)
    assert.deepEqual(
      line.events.map(({ type }) => type),
      ['authenticated', 'admitted'],
    )
    line.cluster.object = read
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.equal(asked, 2, 'when it came in, and at dispatch')
  })

  it('does nothing whose undo would not pass', async () => {
    const line = helpful(new Line())
    line.cluster.forbidsUndo = true
    assert.equal(await line.toEnd(), 'refused/rehearsal_failed')
    const { ended } = line.record()
    assert.equal(ended?.message, 'the undo of w1 would not pass: admission lets nobody undo')
    assert.deepEqual(line.cluster.effects, [])
  })

  it('does what the rules allow, once, and records it', async () => {
    const line = helpful(new Line())
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
    assert.deepEqual(kindsOf(line), ['decision', 'dispatch', 'outcome'])
  })

  it('waits for people and goes on when they agree to exactly this digest', async () => {
    const line = helpful(new Line())
    line.policies = [askPeople]
    assert.equal(await line.go(), 'approve')
    line.approve({ digest: sha256('another plan') })
    line.approve({ groups: ['developers'], approver: 'dev-1' })
    assert.equal(await line.go(), 'approve')
    assert.deepEqual(line.cluster.effects, [])
    line.approve()
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(kindsOf(line), ['decision', 'approval', 'dispatch', 'outcome'])
  })

  it('writes nothing without a dispatch leaf that is durable first', async () => {
    const line = helpful(new Line())
    line.onEffect = (point) => {
      if (point === 'before write') assert.equal(kindsOf(line).at(-1), 'dispatch')
    }
    line.cluster.available = 5
    await line.toEnd()
    assert.equal(line.cluster.effects.length, 1)
  })

  it('keeps leaves under 16 kB', async () => {
    const line = helpful(new Line())
    line.policies = [askPeople]
    await line.go()
    line.approve()
    await line.toEnd()
    for (const leaf of line.leaves) assert.ok(canonical(leaf.data).length < 16 * 1024)
  })
})

describe('beside each decision the line keeps what it rests on', () => {
  const rests = async (prepare: (line: Line) => void) => {
    const line = helpful(new Line())
    prepare(line)
    await line.toEnd()
    const record = line.record()
    const parts = [record.decided, record.rehearsed, record.ended]
    return { line, kept: parts.filter((part) => part?.decision !== undefined) }
  }

  it('so that it can be judged again without the cluster', async () => {
    const { line, kept } = await rests(() => {})
    assert.equal(kept.length, 2)
    const policies = [{ name: 'allow-all', spec: allowAll }]
    for (const part of kept) {
      const read = readGrounds(part?.grounds)
      assert.ok('facts' in read, JSON.stringify(read))
      const { name, autonomy } = read.facts.class
      const again = judge({
        rules: compileRules(policies).rules,
        action: read.facts.action,
        facts: read.facts,
        autonomy,
        defaultApproval: part?.grounds?.defaultApproval ?? { count: 0, groups: [] },
        className: name,
      })
      assert.equal(again.effect, part?.decision?.effect)
    }
    const leaf = line.leaves.find(({ kind }) => kind === 'decision')
    assert.deepEqual(leaf?.sealed.facts, kept.at(-1)?.grounds)
  })

  it('also where it denied', async () => {
    const { kept } = await rests((line) => (line.policies = []))
    assert.equal(kept.length, 1)
    assert.ok('facts' in readGrounds(kept[0]?.grounds))
  })
})

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

describe('verification and undo', () => {
  it('takes back what does not verify, exactly once', async () => {
    const line = new Line()
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
    assert.deepEqual(kindsOf(line), ['decision', 'dispatch', 'outcome'])
  })

  it('never clobbers what somebody changed meanwhile (T75)', async () => {
    const line = new Line()
    line.onEffect = (point) => {
      if (point === 'after executed') line.cluster.meddle(7)
    }
    assert.equal(await line.toEnd(), 'rollback_failed/undo_held')
    assert.equal(line.cluster.replicas, 7)
  })

  it('never takes a value for its own that somebody else wrote (T75)', async () => {
    const line = new Line()
    line.onEffect = (point) => {
      if (point === 'after executed') line.cluster.meddle(5)
    }
    assert.equal(await line.toEnd(), 'rollback_failed/undo_held')
  })

  it('takes a status that is missing for no success, and an undo is never undone in turn (T75)', async () => {
    const line = new Line()
    const { targets, ...ports } = line.ports()
    const read: typeof targets.read = async (ref) => {
      const { status: _, ...rest } = (await targets.read(ref)) ?? assert.fail('it is there')
      return rest
    }
    line.ports = () => ({ ...ports, targets: { ...targets, read } })
    // all replicas are there, and nothing says so; nor does it after the undo
    line.cluster.available = 5
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
    assert.equal(line.record().undoing?.reason, 'verification_failed')
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.equal(line.cluster.effects.length, 2)
  })

  it('calls a target that went away meanwhile held, never done or restored (T75)', async () => {
    const line = new Line()
    line.onEffect = (point) => {
      if (point === 'after executed') line.cluster.gone = true
    }
    assert.equal(await line.toEnd(), 'rollback_failed/undo_held')
    assert.deepEqual(line.cluster.effects, ['2→5'])
  })

  it('holds while suspended, and lets undos pass where the suspension says so', async () => {
    for (const undo of ['hold', 'allow'] as const) {
      const line = new Line()
      line.onEffect = (point) => {
        if (point === 'after executed') line.suspensions.push({ class: 'a', undo, reason: 'x' })
      }
      const expected = undo === 'hold' ? 'undo' : 'rolled_back/undone'
      assert.equal(await line.toEnd(), expected)
      line.suspensions = []
      assert.equal(await line.toEnd(), 'rolled_back/undone')
    }
  })

  it('gives up after three refusals of the undo, for a human', async () => {
    const line = new Line()
    line.onEffect = (point) => {
      if (point === 'before write of undo') line.cluster.lose.push('refused')
    }
    assert.equal(await line.toEnd(), 'rollback_failed/undo_refused')
    assert.equal(line.cluster.replicas, 5)
  })
})

describe('writes', () => {
  it('are settled by reading when no answer came, and not sent again (T45)', async () => {
    const line = helpful(new Line())
    line.cluster.lose = ['lost-answer']
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
    assert.equal(line.record().written[0]?.settled, 'by_reading')
  })

  it('are settled by reading when the last of all answers was lost too (T26, T45)', async () => {
    const line = helpful(new Line())
    line.cluster.lose = [...Array<'lost-unlanded'>(4).fill('lost-unlanded'), 'lost-answer']
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
    assert.deepEqual(
      line.record().written.map((w) => w.settled),
      ['by_reading'],
    )
  })

  it('are found when they land after they were looked for last (T26, T45)', async () => {
    const line = helpful(new Line())
    line.cluster.lose = Array<'lost-unlanded'>(5).fill('lost-unlanded')
    line.onEffect = (point) => {
      if (point === 'after written') line.cluster.land(line.id, 5)
    }
    assert.equal(await line.toEnd(), 'verified/succeeded')
    const outcomes = line.record().written.map((w) => w.outcome)
    assert.deepEqual(outcomes.slice(0, 2), ['conflict', 'applied'])
  })

  it('are tried again only while the object is exactly the one bound', async () => {
    const line = helpful(new Line())
    line.cluster.lose = ['not-sent', 'not-sent']
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
  })

  it('are bound anew, on record, when only the version moved', async () => {
    const line = helpful(new Line())
    let moved = false
    const { onEffect } = line
    line.onEffect = (point) => {
      onEffect(point)
      if (point !== 'after dispatched' || moved) return
      moved = true
      line.cluster.version++
    }
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.equal(line.record().dispatched?.attempt, 2)
    assert.deepEqual(kindsOf(line), ['decision', 'dispatch', 'dispatch', 'outcome'])
  })

  it('fail, with nothing written, when the API server refuses or the field moved', async () => {
    const refused = new Line()
    refused.cluster.lose = ['refused']
    assert.equal(await refused.toEnd(), 'failed/write_refused')
    const moved = new Line()
    moved.onEffect = (point) => {
      if (point === 'after dispatched') moved.cluster.meddle(9)
    }
    assert.equal(await moved.toEnd(), 'failed/write_conflict')
    assert.equal(moved.cluster.replicas, 9)
  })
})
