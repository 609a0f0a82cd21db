import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helpful, kindsOf } from './line/helpful-builder.ts'
import { Crash, Line } from './line/line-builder.ts'
import { PausedLine } from './line/paused-builder.ts'

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

  it('are not sent once a stop is seen, although their dispatch is on record (T73)', async () => {
    const line = helpful(new Line())
    const { onEffect } = line
    line.onEffect = (point) => {
      onEffect(point)
      if (point === 'after dispatched') line.suspensions.push({ class: 'a', reason: 'x' })
    }
    const begun = line.now
    assert.equal(await line.toEnd(), 'failed/suspended')
    assert.deepEqual(line.cluster.effects, [])
    assert.deepEqual(
      line.record().written.map(({ outcome }) => outcome),
      ['unsent'],
    )
    assert.equal(line.now, begun, 'nobody waits for a next try')
  })

  it('are not sent again once a stop is seen, and settled by reading (T45, T73)', async () => {
    const line = helpful(new Line())
    line.cluster.lose = ['lost-unlanded']
    const { onEffect } = line
    let sent = 0
    line.onEffect = (point) => {
      onEffect(point)
      if (point === 'before write') sent++
      if (point === 'before write') line.suspensions.push({ class: 'a', reason: 'x' })
    }
    assert.equal(await line.go(), 'execute', 'what left may still land')
    assert.equal(await line.toEnd(), 'failed/suspended')
    assert.equal(sent, 1)
    assert.deepEqual(line.cluster.effects, [])
    const [written] = line.record().written
    assert.deepEqual([written?.outcome, written?.settled], ['conflict', 'by_reading'])
  })

  for (const [what, late] of [
    [
      'that a stop was met after',
      (line: Line) => line.suspensions.push({ class: 'a', reason: 'x' }),
    ],
    ['whose next try admission stopped', (line: Line) => line.cluster.lose.push('refused')],
  ] as const) {
    it(`${what} are ours when they land late, and never told as nothing written (T45, T73)`, async () => {
      const line = new Line()
      line.cluster.available = 5
      line.cluster.lose = ['lost-lands-late']
      let sent = 0
      line.onEffect = (point) => {
        if (point === 'before write' && ++sent === 1) late(line)
      }
      assert.equal(await line.toEnd(), 'verified/succeeded')
      assert.equal(sent, what.startsWith('that') ? 1 : 2)
      assert.deepEqual(line.cluster.effects, ['2→5'])
      assert.equal(line.record().written.at(-1)?.settled, 'by_reading')
    })
  }

  it('that left before a crash are waited for too when a stop is met after it (T45, T46, T73)', async () => {
    const line = new Line()
    line.cluster.available = 5
    line.cluster.lose = ['lost-lands-late']
    line.onEffect = (point) => {
      if (point === 'after write') throw new Crash('the process died here')
    }
    await assert.rejects(line.go(), Crash)
    line.onEffect = () => undefined
    line.suspensions.push({ class: 'a', reason: 'x' })
    line.now += 10_000
    assert.equal(await line.go(), 'execute')
    assert.deepEqual(line.cluster.effects, [], 'it has not landed')
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
  })

  it('that land late under a stop are taken back when they do not help (T45, T73)', async () => {
    const line = new Line()
    line.cluster.lose = ['lost-lands-late']
    line.onEffect = (point) => {
      if (point !== 'before write') return
      line.suspensions.push({ class: 'a', undo: 'allow', reason: 'x' })
    }
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
  })

  it('are tried again only while the object is exactly the one bound', async () => {
    const line = helpful(new Line())
    line.cluster.lose = ['not-sent', 'not-sent']
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, ['2→5'])
  })

  it('that the API server did not take are tried again, ever later, each on record by itself', async () => {
    const line = new PausedLine()
    line.world.busy = 12
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.world.effects, ['resume'])
    const { written } = line.record()
    assert.deepEqual(
      written.map((w) => [w.attempt, w.outcome]),
      [1, 2, 3].map((attempt) => [attempt, attempt < 3 ? 'unsent' : 'applied']),
    )
    const times = written.map(({ at }) => Date.parse(at))
    assert.deepEqual(
      times.slice(1).map((at, i) => at - (times[i] ?? 0)),
      [1000, 2000],
    )
  })

  it('that were not taken are no longer ours once somebody else did the same, also after a crash (T46)', async () => {
    const line = new PausedLine()
    line.world.busy = 5
    line.onEffect = (point) => {
      if (point === 'after written') line.world.set(false)
    }
    // each `go` is a run of its own: nothing but the record says that nothing left
    assert.equal(await line.go(), 'execute')
    line.now += 1_000
    assert.equal(await line.go(), 'failed/write_conflict')
    assert.deepEqual(line.world.effects, [])
    assert.deepEqual(
      line.record().written.map(({ outcome }) => outcome),
      ['unsent'],
    )
  })

  it('that were not taken are looked for first: one sent before a crash may land late (T45, T46)', async () => {
    const line = helpful(new Line())
    line.cluster.lose = Array<'not-sent'>(5).fill('not-sent')
    line.onEffect = (point) => {
      if (point === 'after written') line.cluster.land(line.id, 5)
    }
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.deepEqual(line.cluster.effects, [])
  })

  it('that were never taken fail when it is too late to begin, with nothing to undo', async () => {
    const line = new PausedLine()
    line.world.busy = Number.MAX_SAFE_INTEGER
    assert.equal(await line.toEnd(), 'failed/not_fresh')
    assert.deepEqual(line.world.effects, [])
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
