import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freshCaches } from './cache-builder.ts'
import { ManualClock, status, until } from './fake-api.ts'

const w = freshCaches()

describe('a cut connection', () => {
  it('resumes after the last event, losing and repeating nothing', async () => {
    w.api.put('one', 'red')
    w.start()
    await w.synced()
    await w.inStep()
    const last = w.api.put('two', 'red')
    await w.changed(2)
    w.api.cutWatches()
    w.api.put('three', 'red')
    w.api.put('one', 'blue')
    w.api.remove('two')
    await w.changed(5)
    await w.inStep()
    w.api.put('four', 'red')
    await w.changed(6)
    assert.deepEqual(w.changes, [
      'added one red',
      'added two red',
      'added three red',
      'modified one blue was red',
      'deleted two red',
      'added four red',
    ])
    assert.equal(w.api.lists().length, 1)
    assert.equal(
      w.api.watches()[1]?.url.searchParams.get('resourceVersion'),
      last.metadata.resourceVersion,
    )
  })

  it('resumes from a bookmark', async () => {
    w.api.put('one', 'red')
    w.start()
    await w.synced()
    await w.inStep()
    const bookmark = w.api.bookmark()
    await until('the bookmark is read', () => w.cache.lastEventAt !== undefined)
    w.api.cutWatches()
    await until('a second watch', () => w.api.watches().length === 2)
    assert.equal(w.api.watches()[1]?.url.searchParams.get('resourceVersion'), bookmark)
    assert.deepEqual(w.changes, ['added one red'])
  })

  it('drops half an event and gets it whole', async () => {
    w.start()
    await w.synced()
    await w.inStep()
    w.api.writeToWatches('{"type":"ADDED","object":{"metadata":{"name":"ha')
    w.api.cutWatches()
    w.api.put('whole', 'grün')
    await w.changed(1)
    assert.deepEqual(w.changes, ['added whole grün'])
  })

  it('an orderly end within an event is a fault, and the event comes whole', async () => {
    w.start()
    await w.synced()
    await w.inStep()
    w.api.writeToWatches('{"type":"ADDED","object":{"metadata":{"name":"ha')
    w.api.endWatches()
    w.api.put('whole', 'red')
    await w.changed(1)
    assert.match(String(w.faults[0]?.error), /ended within an event/)
  })

  it('survives a server that is away, then back', async () => {
    w.api.put('one', 'red')
    w.start()
    await w.synced()
    const { port } = w.api
    await w.api.stopListening()
    await until('it failed to connect', () => w.faults.length >= 3)
    assert.ok(w.faults.every(({ where }) => where === 'watch'))
    w.api.put('two', 'red')
    await w.api.listen(port)
    await w.changed(2)
    assert.equal(w.api.lists().length, 1)
  })

  it('goes on after the orderly end of a watch', async () => {
    w.start({ clock: new ManualClock() })
    await w.synced()
    await w.inStep()
    w.api.put('one', 'red')
    await w.changed(1)
    w.api.endWatches()
    await until('a second watch', () => w.api.watches().length === 2)
    assert.deepEqual(w.faults, [])
  })

  it('treats a watch that ends at once, again and again, as failed', async () => {
    const clock = new ManualClock()
    w.start({ clock, random: () => 0.5, backoff: { minMs: 100, maxMs: 1_000 } })
    await w.synced()
    await w.inStep()
    w.api.endWatches()
    await until('it waits', () => w.faults.length === 1 && clock.pending.length === 1)
    assert.deepEqual(clock.pending, [150])
    assert.equal(w.faults.length, 1)
  })
})

describe('410', () => {
  it('as HTTP status: lists again and reports only what differs', async () => {
    w.api.put('same', 'red')
    w.api.put('changed', 'red')
    w.api.put('gone', 'red')
    w.start()
    await w.synced()
    await w.inStep()
    w.api.cutWatches()
    w.api.put('changed', 'blue')
    w.api.remove('gone')
    w.api.put('new', 'red')
    w.api.compact()
    await w.changed(6)
    assert.deepEqual(w.changes.slice(3).sort(), [
      'added new red',
      'deleted gone red',
      'modified changed blue was red',
    ])
    assert.deepEqual(w.held(), ['changed blue', 'new red', 'same red'])
    assert.equal(w.api.lists().length, 2)
    await w.inStep()
    w.api.put('later', 'red')
    await w.changed(7)
  })

  it('as ERROR event: lists again', async () => {
    w.api.put('gone', 'red')
    w.start()
    await w.synced()
    await w.inStep()
    w.api.script.push(undefined)
    w.api.sendToWatches({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
    })
    await until('a second list', () => w.api.lists().length === 2)
    await until('in step again', () => w.api.watches().length === 2)
    assert.equal(w.cache.synced(), true)
    assert.deepEqual(w.changes, ['added gone red'])
  })

  it('of a list page: starts the list over', async () => {
    for (let i = 0; i < 600; i++) w.api.put(`w${i}`, 'red')
    w.api.script.push(undefined, status(410, 'Expired'))
    w.start()
    await w.synced()
    assert.equal(w.cache.size, 600)
    assert.deepEqual(
      w.api.lists().map(({ url }) => url.searchParams.has('continue')),
      [false, true, false, true],
    )
  })

  it('reports a replaced object as deleted and added', async () => {
    const old = w.api.put('one', 'red')
    w.start()
    await w.synced()
    await w.inStep()
    w.api.cutWatches()
    w.api.remove('one')
    const replaced = w.api.put('one', 'blue')
    assert.notEqual(replaced.metadata.uid, old.metadata.uid)
    w.api.compact()
    await w.changed(3)
    assert.deepEqual(w.changes, ['added one red', 'deleted one red', 'added one blue'])
  })

  it('other refusals lead to a list too, after a few', async () => {
    w.start()
    await w.synced()
    await w.inStep()
    w.api.script.push(...Array(5).fill(status(504, 'Timeout', 'too large resource version')))
    w.api.cutWatches()
    await until('a second list', () => w.api.lists().length === 2)
  })
})

describe('backoff', () => {
  it('grows between failures, stays in bounds and starts over after progress', async () => {
    const clock = new ManualClock()
    w.api.script.push(...Array(6).fill(status(500, 'InternalError')))
    w.start({ clock, random: () => 0.5, backoff: { minMs: 50, maxMs: 400 } })
    const delays: number[] = []
    for (let i = 0; i < 6; i++) {
      await until(`failure ${i}`, () => w.faults.length === i + 1 && clock.pending.length === 1)
      delays.push(...clock.pending)
      clock.advance(400)
    }
    assert.deepEqual(delays, [75, 125, 225, 225, 225, 225])
    await w.synced()
    await w.inStep()
    w.api.put('one', 'red')
    await w.changed(1)
    w.api.cutWatches()
    await until('the cut', () => w.faults.length === 7 && clock.pending.length === 1)
    assert.deepEqual(clock.pending, [75])
  })
})
