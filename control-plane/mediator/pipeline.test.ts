import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { stageNames } from '@jackstay/contract/history'
import { canonical, sha256 } from '@jackstay/contract/json'
import { helpful, kindsOf } from './line/helpful-builder.ts'
import { allowAll, askPeople, Line } from './line/line-builder.ts'
import { stages } from './pipeline.ts'

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
