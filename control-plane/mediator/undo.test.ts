import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kindsOf } from './line/helpful-builder.ts'
import { Line } from './line/line-builder.ts'

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

  it('is not sent again once a stop is seen, and made when that is lifted (T73)', async () => {
    const line = new Line()
    let sent = 0
    line.onEffect = (point) => {
      if (point !== 'before write of undo' || ++sent > 1) return
      line.cluster.lose.push('not-sent')
      line.suspensions.push({ class: 'a', reason: 'x' })
    }
    assert.equal(await line.toEnd(), 'undo')
    assert.equal(sent, 1)
    line.suspensions = []
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
  })

  it('is tried again for as long as the API server is too busy for it', async () => {
    const line = new Line()
    let busy = 60
    line.onEffect = (point) => {
      if (point === 'before write of undo' && busy-- > 0) line.cluster.lose.push('not-sent')
    }
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    assert.deepEqual(line.cluster.effects, ['2→5', '5→2'])
    const { undone } = line.record()
    assert.equal(undone.filter(({ outcome }) => outcome === 'unsent').length, 12)
    // 1, 2, 4, 8, and 10 seconds from then on
    const waited = Date.parse(undone.at(-1)?.at ?? '') - Date.parse(undone[0]?.at ?? '')
    assert.equal(Math.round(waited / 1000), 95)
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
