import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freshCaches } from './cache-builder.ts'
import {
  colorOf,
  cut,
  hang,
  headersOf,
  json,
  ManualClock,
  status,
  until,
  widget,
} from './fake-api.ts'

const w = freshCaches()

describe('list and watch', () => {
  it('lists, then follows', async () => {
    w.api.put('one', 'red')
    w.start()
    assert.equal(w.cache.synced(), false)
    await w.synced()
    assert.deepEqual(w.cache.get('a', 'one'), { name: 'one', color: 'red' })
    w.api.put('one', 'blue')
    w.api.put('two', 'green')
    w.api.remove('one')
    await w.changed(4)
    assert.deepEqual(w.changes, [
      'added one red',
      'modified one blue was red',
      'added two green',
      'deleted one blue',
    ])
    assert.deepEqual(w.held(), ['two green'])
  })

  it('asks for metadata alone where that is all it keeps, and takes all where there is no less', async () => {
    w.api.put('one', 'red')
    w.start({ metadataOnly: true })
    await w.synced()
    await w.inStep()
    assert.deepEqual(
      [w.api.lists(), w.api.watches()].map(([seen]) => headersOf(seen, 'accept')),
      [
        ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
        ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'],
      ],
    )
    assert.deepEqual(w.held(), ['one red'])
  })

  it('lists in pages of 500 at one resourceVersion', async () => {
    for (let i = 0; i < 1_201; i++) w.api.put(`w${i}`, 'red')
    w.start()
    await w.synced()
    assert.equal(w.cache.size, 1_201)
    assert.deepEqual(
      w.api.lists().map(({ url }) => url.searchParams.get('limit')),
      ['500', '500', '500'],
    )
    assert.deepEqual(
      w.api.lists().map(({ url }) => url.searchParams.has('continue')),
      [false, true, true],
    )
  })

  it('asks for bookmarks and a bounded watch, with the selectors', async () => {
    w.start({ namespace: 'a', labelSelector: 'x=y', fieldSelector: 'metadata.name=one' })
    await w.synced()
    await w.inStep()
    const url = w.api.watches()[0]?.url
    assert.equal(url?.pathname, '/apis/test.dev/v1/namespaces/a/widgets')
    assert.equal(url?.searchParams.get('allowWatchBookmarks'), 'true')
    assert.equal(url?.searchParams.get('labelSelector'), 'x=y')
    assert.equal(url?.searchParams.get('fieldSelector'), 'metadata.name=one')
    const seconds = Number(url?.searchParams.get('timeoutSeconds'))
    assert.ok(seconds >= 18 && seconds < 25, `${seconds} s must end before 30 s of staleness`)
    assert.equal(w.api.lists()[0]?.url.searchParams.get('labelSelector'), 'x=y')
  })

  it('tells a late listener what is known', async () => {
    w.api.put('one', 'red')
    w.start()
    await w.synced()
    const late: string[] = []
    const end = w.cache.onChange((change) => void late.push(`${change.type} ${change.value.name}`))
    assert.deepEqual(late, ['added one'])
    end()
    await w.inStep()
    w.api.put('two', 'red')
    await w.changed(2)
    assert.deepEqual(late, ['added one'])
  })

  it('finds by a second key, also after it changed', async () => {
    w.api.put('one', 'red')
    w.start({ index: (value) => value.color })
    await w.synced()
    await w.inStep()
    assert.equal(w.cache.find('red')?.name, 'one')
    w.api.put('one', 'blue')
    w.api.put('two', 'blue')
    await w.changed(3)
    assert.equal(w.cache.find('red'), undefined)
    assert.deepEqual(
      w.cache.findAll('blue').map(({ name }) => name),
      ['one', 'two'],
    )
    w.api.remove('two')
    await w.changed(4)
    assert.equal(w.cache.find('blue')?.name, 'one')
  })

  it('drops what the projection no longer keeps', async () => {
    w.api.put('one', 'red')
    w.start({
      project: (object) => (colorOf(object) === 'red' ? { name: 'one', color: 'red' } : undefined),
    })
    await w.synced()
    await w.inStep()
    w.api.put('one', 'blue')
    await w.changed(2)
    assert.deepEqual(w.changes, ['added one red', 'deleted one red'])
    assert.equal(w.cache.synced(), true)
  })
})

describe('fail closed', () => {
  it('is not synced while the kind is missing, and recovers', async () => {
    w.api.script.push(status(404, 'NotFound'), status(404, 'NotFound'), status(404, 'NotFound'))
    w.start()
    await until('it was refused twice', () => w.faults.length >= 2)
    assert.equal(w.cache.synced(), false)
    await w.synced()
  })

  it('is not synced once the kind is gone', async () => {
    w.start()
    await w.synced()
    await w.inStep()
    w.api.script.push(...Array(50).fill(status(404, 'NotFound')))
    w.api.cutWatches()
    await until('it noticed', () => !w.cache.synced())
  })

  it('is not synced without contact for staleAfterMs, although the connection looks open', async () => {
    const clock = new ManualClock()
    w.start({ clock, staleAfterMs: 30_000 })
    await w.synced()
    await w.inStep()
    clock.advance(20_000)
    assert.equal(w.cache.synced(), true)
    w.api.bookmark()
    await until('the bookmark counts as contact', () => w.cache.lag === 0)
    w.api.script.push(hang, hang, hang)
    clock.advance(30_001)
    assert.equal(w.cache.synced(), false)
    assert.equal(w.cache.lag, 30_001)
  })

  it('cuts a watch that neither speaks nor ends, before it goes stale', async () => {
    const clock = new ManualClock()
    w.start({ clock, staleAfterMs: 30_000 })
    await w.synced()
    await w.inStep()
    await until('the deadline is set', () => clock.pending.length === 1)
    assert.ok((clock.pending[0] ?? 0) <= 26_000)
    clock.advance(26_000)
    assert.equal(w.cache.synced(), true)
    await until('it was given up', () => w.faults.length === 1)
    clock.advance(100)
    await until('a second watch', () => w.api.watches().length === 2)
    await until('contact', () => w.cache.lag === 0)
  })

  it('is not synced while the projection throws on an object', async () => {
    w.api.put('good', 'red')
    w.start({
      project: (object) => {
        if (colorOf(object) === 'poison') throw new Error('bug')
        return { name: object.metadata.name ?? '', color: colorOf(object) }
      },
    })
    await w.synced()
    await w.inStep()
    w.api.put('bad', 'poison')
    await until('it was reported', () => w.faults.length === 1)
    assert.equal(w.faults[0]?.where, 'project')
    assert.equal(w.cache.synced(), false)
    assert.match(w.cache.unreadable().join(), /bad$/)
    w.api.put('more', 'red')
    await w.changed(2)
    w.api.put('bad', 'blue')
    await w.synced()
    assert.deepEqual(w.held(), ['bad blue', 'good red', 'more red'])
    assert.deepEqual(w.cache.unreadable(), [])
  })

  it('is not synced with more objects than it may hold', async () => {
    w.api.put('one', 'red')
    w.start({ maxObjects: 1 })
    await w.synced()
    await w.inStep()
    w.api.put('two', 'red')
    await until('it noticed', () => !w.cache.synced())
    w.api.remove('two')
    await w.synced()
    assert.deepEqual(w.held(), ['one red'])
  })

  it('rejects whenSynced when the signal aborts or the cache stops', async () => {
    w.api.script.push(hang)
    w.start()
    const stopped = assert.rejects(w.cache.whenSynced(new AbortController().signal), {
      code: 'not_ready',
    })
    await assert.rejects(w.cache.whenSynced(AbortSignal.abort()), {
      code: 'not_ready',
      message: /`widgets` is not in step/,
    })
    w.cache.stop()
    await stopped
    assert.equal(w.cache.synced(), false)
  })
})

describe('handlers', () => {
  it('that throw or reject neither stop the loop nor hide from onError', async () => {
    w.start()
    w.cache.onChange(() => {
      throw new Error('thrown')
    })
    w.cache.onChange(() => Promise.reject(new Error('rejected')))
    await w.synced()
    await w.inStep()
    w.api.put('one', 'red')
    w.api.put('two', 'red')
    await w.changed(2)
    await until('all were reported', () => w.faults.length === 4)
    assert.ok(w.faults.every(({ where }) => where === 'handler'))
    assert.equal(w.api.watches().length, 1)
    assert.equal(w.cache.synced(), true)
  })

  it('an onError that throws does not stop the loop either', async () => {
    w.api.script.push(status(500, 'InternalError'), cut, cut)
    w.start({
      onError: () => {
        throw new Error('reporter')
      },
    })
    await w.synced()
  })
})

it('an unreadable answer is a fault, not an empty cluster', async () => {
  w.api.put('one', 'red')
  w.api.script.push((_request, response) => json(response, 200, widget('not', 'a list')))
  w.start()
  await w.synced()
  assert.deepEqual(w.held(), ['one red'])
  assert.equal(w.faults.length, 1)
})
