import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  type CacheFault,
  type Change,
  type WatchCache,
  type WatchCacheOptions,
  watchCache,
} from './cache.ts'
import {
  colorOf,
  cut,
  FakeApi,
  hang,
  json,
  ManualClock,
  status,
  until,
  widget,
  widgets,
} from './fake-api.ts'

interface Projection {
  readonly name: string
  readonly color: string
}

let api: FakeApi
let cache: WatchCache<Projection>
let changes: string[]
let faults: { error: unknown; where: CacheFault }[]

function start(options: Partial<WatchCacheOptions<Projection>> = {}): void {
  cache = watchCache<Projection>({
    client: api.client(),
    resource: widgets,
    project: (object) => ({ name: object.metadata.name ?? '', color: colorOf(object) }),
    backoff: { minMs: 1, maxMs: 5 },
    onError: (error, where) => faults.push({ error, where }),
    ...options,
  })
  cache.onChange(record)
}

function record(change: Change<Projection>): void {
  const previous = change.previous === undefined ? '' : ` was ${change.previous.color}`
  changes.push(`${change.type} ${change.value.name} ${change.value.color}${previous}`)
}

const held = () => [...cache.values()].map(({ name, color }) => `${name} ${color}`).sort()
const synced = () => cache.whenSynced(AbortSignal.timeout(20_000))
const inStep = () => until('a watch is open', () => api.openWatches === 1)
const changed = (count: number) => until(`${count} changes`, () => changes.length >= count)

beforeEach(async () => {
  api = await FakeApi.start()
  changes = []
  faults = []
})

afterEach(async () => {
  cache.stop()
  await api.stop()
})

describe('list and watch', () => {
  it('lists, then follows', async () => {
    api.put('one', 'red')
    start()
    assert.equal(cache.synced(), false)
    await synced()
    assert.deepEqual(cache.get('a', 'one'), { name: 'one', color: 'red' })
    api.put('one', 'blue')
    api.put('two', 'green')
    api.remove('one')
    await changed(4)
    assert.deepEqual(changes, [
      'added one red',
      'modified one blue was red',
      'added two green',
      'deleted one blue',
    ])
    assert.deepEqual(held(), ['two green'])
  })

  it('lists in pages of 500 at one resourceVersion', async () => {
    for (let i = 0; i < 1_201; i++) api.put(`w${i}`, 'red')
    start()
    await synced()
    assert.equal(cache.size, 1_201)
    assert.deepEqual(
      api.lists().map(({ url }) => url.searchParams.get('limit')),
      ['500', '500', '500'],
    )
    assert.deepEqual(
      api.lists().map(({ url }) => url.searchParams.has('continue')),
      [false, true, true],
    )
  })

  it('asks for bookmarks and a bounded watch, with the selectors', async () => {
    start({ namespace: 'a', labelSelector: 'x=y', fieldSelector: 'metadata.name=one' })
    await synced()
    await inStep()
    const url = api.watches()[0]?.url
    assert.equal(url?.pathname, '/apis/test.dev/v1/namespaces/a/widgets')
    assert.equal(url?.searchParams.get('allowWatchBookmarks'), 'true')
    assert.equal(url?.searchParams.get('labelSelector'), 'x=y')
    assert.equal(url?.searchParams.get('fieldSelector'), 'metadata.name=one')
    const seconds = Number(url?.searchParams.get('timeoutSeconds'))
    assert.ok(seconds >= 18 && seconds < 25, `${seconds} s must end before 30 s of staleness`)
    assert.equal(api.lists()[0]?.url.searchParams.get('labelSelector'), 'x=y')
  })

  it('tells a late listener what is known', async () => {
    api.put('one', 'red')
    start()
    await synced()
    const late: string[] = []
    const end = cache.onChange((change) => void late.push(`${change.type} ${change.value.name}`))
    assert.deepEqual(late, ['added one'])
    end()
    await inStep()
    api.put('two', 'red')
    await changed(2)
    assert.deepEqual(late, ['added one'])
  })

  it('finds by a second key, also after it changed', async () => {
    api.put('one', 'red')
    start({ index: (value) => value.color })
    await synced()
    await inStep()
    assert.equal(cache.find('red')?.name, 'one')
    api.put('one', 'blue')
    api.put('two', 'blue')
    await changed(3)
    assert.equal(cache.find('red'), undefined)
    assert.deepEqual(
      cache.findAll('blue').map(({ name }) => name),
      ['one', 'two'],
    )
    api.remove('two')
    await changed(4)
    assert.equal(cache.find('blue')?.name, 'one')
  })

  it('drops what the projection no longer keeps', async () => {
    api.put('one', 'red')
    start({
      project: (object) => (colorOf(object) === 'red' ? { name: 'one', color: 'red' } : undefined),
    })
    await synced()
    await inStep()
    api.put('one', 'blue')
    await changed(2)
    assert.deepEqual(changes, ['added one red', 'deleted one red'])
    assert.equal(cache.synced(), true)
  })
})

describe('a cut connection', () => {
  it('resumes after the last event, losing and repeating nothing', async () => {
    api.put('one', 'red')
    start()
    await synced()
    await inStep()
    const last = api.put('two', 'red')
    await changed(2)
    api.cutWatches()
    api.put('three', 'red')
    api.put('one', 'blue')
    api.remove('two')
    await changed(5)
    await inStep()
    api.put('four', 'red')
    await changed(6)
    assert.deepEqual(changes, [
      'added one red',
      'added two red',
      'added three red',
      'modified one blue was red',
      'deleted two red',
      'added four red',
    ])
    assert.equal(api.lists().length, 1)
    assert.equal(
      api.watches()[1]?.url.searchParams.get('resourceVersion'),
      last.metadata.resourceVersion,
    )
  })

  it('resumes from a bookmark', async () => {
    api.put('one', 'red')
    start()
    await synced()
    await inStep()
    const bookmark = api.bookmark()
    await until('the bookmark is read', () => cache.lastEventAt !== undefined)
    api.cutWatches()
    await until('a second watch', () => api.watches().length === 2)
    assert.equal(api.watches()[1]?.url.searchParams.get('resourceVersion'), bookmark)
    assert.deepEqual(changes, ['added one red'])
  })

  it('drops half an event and gets it whole', async () => {
    start()
    await synced()
    await inStep()
    api.writeToWatches('{"type":"ADDED","object":{"metadata":{"name":"ha')
    api.cutWatches()
    api.put('whole', 'grün')
    await changed(1)
    assert.deepEqual(changes, ['added whole grün'])
  })

  it('an orderly end within an event is a fault, and the event comes whole', async () => {
    start()
    await synced()
    await inStep()
    api.writeToWatches('{"type":"ADDED","object":{"metadata":{"name":"ha')
    api.endWatches()
    api.put('whole', 'red')
    await changed(1)
    assert.match(String(faults[0]?.error), /ended within an event/)
  })

  it('survives a server that is away, then back', async () => {
    api.put('one', 'red')
    start()
    await synced()
    const { port } = api
    await api.stopListening()
    await until('it failed to connect', () => faults.length >= 3)
    assert.ok(faults.every(({ where }) => where === 'watch'))
    api.put('two', 'red')
    await api.listen(port)
    await changed(2)
    assert.equal(api.lists().length, 1)
  })

  it('goes on after the orderly end of a watch', async () => {
    start({ clock: new ManualClock() })
    await synced()
    await inStep()
    api.put('one', 'red')
    await changed(1)
    api.endWatches()
    await until('a second watch', () => api.watches().length === 2)
    assert.deepEqual(faults, [])
  })

  it('treats a watch that ends at once, again and again, as failed', async () => {
    const clock = new ManualClock()
    start({ clock, random: () => 0.5, backoff: { minMs: 100, maxMs: 1_000 } })
    await synced()
    await inStep()
    api.endWatches()
    await until('it waits', () => faults.length === 1 && clock.pending.length === 1)
    assert.deepEqual(clock.pending, [150])
    assert.equal(faults.length, 1)
  })
})

describe('410', () => {
  it('as HTTP status: lists again and reports only what differs', async () => {
    api.put('same', 'red')
    api.put('changed', 'red')
    api.put('gone', 'red')
    start()
    await synced()
    await inStep()
    api.cutWatches()
    api.put('changed', 'blue')
    api.remove('gone')
    api.put('new', 'red')
    api.compact()
    await changed(6)
    assert.deepEqual(changes.slice(3).sort(), [
      'added new red',
      'deleted gone red',
      'modified changed blue was red',
    ])
    assert.deepEqual(held(), ['changed blue', 'new red', 'same red'])
    assert.equal(api.lists().length, 2)
    await inStep()
    api.put('later', 'red')
    await changed(7)
  })

  it('as ERROR event: lists again', async () => {
    api.put('gone', 'red')
    start()
    await synced()
    await inStep()
    api.script.push(undefined)
    api.sendToWatches({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
    })
    await until('a second list', () => api.lists().length === 2)
    await until('in step again', () => api.watches().length === 2)
    assert.equal(cache.synced(), true)
    assert.deepEqual(changes, ['added gone red'])
  })

  it('of a list page: starts the list over', async () => {
    for (let i = 0; i < 600; i++) api.put(`w${i}`, 'red')
    api.script.push(undefined, status(410, 'Expired'))
    start()
    await synced()
    assert.equal(cache.size, 600)
    assert.deepEqual(
      api.lists().map(({ url }) => url.searchParams.has('continue')),
      [false, true, false, true],
    )
  })

  it('reports a replaced object as deleted and added', async () => {
    const old = api.put('one', 'red')
    start()
    await synced()
    await inStep()
    api.cutWatches()
    api.remove('one')
    const replaced = api.put('one', 'blue')
    assert.notEqual(replaced.metadata.uid, old.metadata.uid)
    api.compact()
    await changed(3)
    assert.deepEqual(changes, ['added one red', 'deleted one red', 'added one blue'])
  })

  it('other refusals lead to a list too, after a few', async () => {
    start()
    await synced()
    await inStep()
    api.script.push(...Array(5).fill(status(504, 'Timeout', 'too large resource version')))
    api.cutWatches()
    await until('a second list', () => api.lists().length === 2)
  })
})

describe('fail closed', () => {
  it('is not synced while the kind is missing, and recovers', async () => {
    api.script.push(status(404, 'NotFound'), status(404, 'NotFound'), status(404, 'NotFound'))
    start()
    await until('it was refused twice', () => faults.length >= 2)
    assert.equal(cache.synced(), false)
    await synced()
  })

  it('is not synced once the kind is gone', async () => {
    start()
    await synced()
    await inStep()
    api.script.push(...Array(50).fill(status(404, 'NotFound')))
    api.cutWatches()
    await until('it noticed', () => !cache.synced())
  })

  it('is not synced without contact for staleAfterMs, although the connection looks open', async () => {
    const clock = new ManualClock()
    start({ clock, staleAfterMs: 30_000 })
    await synced()
    await inStep()
    clock.advance(20_000)
    assert.equal(cache.synced(), true)
    api.bookmark()
    await until('the bookmark counts as contact', () => cache.lag === 0)
    api.script.push(hang, hang, hang)
    clock.advance(30_001)
    assert.equal(cache.synced(), false)
    assert.equal(cache.lag, 30_001)
  })

  it('cuts a watch that neither speaks nor ends, before it goes stale', async () => {
    const clock = new ManualClock()
    start({ clock, staleAfterMs: 30_000 })
    await synced()
    await inStep()
    await until('the deadline is set', () => clock.pending.length === 1)
    assert.ok((clock.pending[0] ?? 0) <= 26_000)
    clock.advance(26_000)
    assert.equal(cache.synced(), true)
    await until('it was given up', () => faults.length === 1)
    clock.advance(100)
    await until('a second watch', () => api.watches().length === 2)
    await until('contact', () => cache.lag === 0)
  })

  it('is not synced while the projection throws on an object', async () => {
    api.put('good', 'red')
    start({
      project: (object) => {
        if (colorOf(object) === 'poison') throw new Error('bug')
        return { name: object.metadata.name ?? '', color: colorOf(object) }
      },
    })
    await synced()
    await inStep()
    api.put('bad', 'poison')
    await until('it was reported', () => faults.length === 1)
    assert.equal(faults[0]?.where, 'project')
    assert.equal(cache.synced(), false)
    api.put('more', 'red')
    await changed(2)
    api.put('bad', 'blue')
    await synced()
    assert.deepEqual(held(), ['bad blue', 'good red', 'more red'])
  })

  it('is not synced with more objects than it may hold', async () => {
    api.put('one', 'red')
    start({ maxObjects: 1 })
    await synced()
    await inStep()
    api.put('two', 'red')
    await until('it noticed', () => !cache.synced())
    api.remove('two')
    await synced()
    assert.deepEqual(held(), ['one red'])
  })

  it('rejects whenSynced when the signal aborts or the cache stops', async () => {
    api.script.push(hang)
    start()
    const stopped = assert.rejects(cache.whenSynced(new AbortController().signal), {
      code: 'not_ready',
    })
    await assert.rejects(cache.whenSynced(AbortSignal.abort()), {
      code: 'not_ready',
      message: /`widgets` is not in step/,
    })
    cache.stop()
    await stopped
    assert.equal(cache.synced(), false)
  })
})

describe('handlers', () => {
  it('that throw or reject neither stop the loop nor hide from onError', async () => {
    start()
    cache.onChange(() => {
      throw new Error('thrown')
    })
    cache.onChange(() => Promise.reject(new Error('rejected')))
    await synced()
    await inStep()
    api.put('one', 'red')
    api.put('two', 'red')
    await changed(2)
    await until('all were reported', () => faults.length === 4)
    assert.ok(faults.every(({ where }) => where === 'handler'))
    assert.equal(api.watches().length, 1)
    assert.equal(cache.synced(), true)
  })

  it('an onError that throws does not stop the loop either', async () => {
    api.script.push(status(500, 'InternalError'), cut, cut)
    start({
      onError: () => {
        throw new Error('reporter')
      },
    })
    await synced()
  })
})

describe('backoff', () => {
  it('grows between failures, stays in bounds and starts over after progress', async () => {
    const clock = new ManualClock()
    api.script.push(...Array(6).fill(status(500, 'InternalError')))
    start({ clock, random: () => 0.5, backoff: { minMs: 50, maxMs: 400 } })
    const delays: number[] = []
    for (let i = 0; i < 6; i++) {
      await until(`failure ${i}`, () => faults.length === i + 1 && clock.pending.length === 1)
      delays.push(...clock.pending)
      clock.advance(400)
    }
    assert.deepEqual(delays, [75, 125, 225, 225, 225, 225])
    await synced()
    await inStep()
    api.put('one', 'red')
    await changed(1)
    api.cutWatches()
    await until('the cut', () => faults.length === 7 && clock.pending.length === 1)
    assert.deepEqual(clock.pending, [75])
  })
})

it('an unreadable answer is a fault, not an empty cluster', async () => {
  api.put('one', 'red')
  api.script.push((_request, response) => json(response, 200, widget('not', 'a list')))
  start()
  await synced()
  assert.deepEqual(held(), ['one red'])
  assert.equal(faults.length, 1)
})
