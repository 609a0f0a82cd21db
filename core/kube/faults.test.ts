import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { type WatchCache, type WatchCacheOptions, watchCache } from './cache.ts'
import { connect } from './client.ts'
import { loadConfig } from './config.ts'
import {
  colorOf,
  cut,
  FakeApi,
  hang,
  headersOf,
  json,
  ManualClock,
  type Seen,
  status,
  until,
  widget,
  widgets,
} from './fake-api.ts'

let api: FakeApi
let caches: WatchCache<string>[]

beforeEach(async () => {
  api = await FakeApi.start()
  caches = []
})

afterEach(async () => {
  for (const cache of caches) cache.stop()
  await api.stop()
})

function start(options: Partial<WatchCacheOptions<string>> = {}): WatchCache<string> {
  const cache = watchCache<string>({
    client: api.client(200),
    resource: widgets,
    project: (object) => `${object.metadata.name} ${colorOf(object)}`,
    backoff: { minMs: 1, maxMs: 5 },
    pageTimeoutMs: 500,
    ...options,
  })
  caches.push(cache)
  return cache
}

const held = (cache: WatchCache<string>) => [...cache.values()].sort().join()
const isWatch = ({ url }: Seen) => url.searchParams.has('watch')
const busy = status(429, 'TooManyRequests', 'come later', { 'retry-after': '0.01' })

/** Half an answer, and then nothing. */
function drip(_request: unknown, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"kind":"WidgetList","metadata":{"resourceVersion":"9"},"items":[')
}

/** Half an answer, and the end of the connection. */
function tear(_request: unknown, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '4096' })
  response.write('{"kind":', () => response.socket?.destroy())
}

describe('a server that is stuck', () => {
  it('in the middle of an answer: reads end by their deadline, and say what to do', async () => {
    api.meddle = () => drip
    await assert.rejects(api.client(30).list(widgets), {
      code: 'upstream_unavailable',
      message: /within 30 ms; check the server/,
    })
  })

  it('at a list: it is asked again, and nothing is believed meanwhile', async () => {
    api.put('one', 'red')
    api.script.push(hang, drip)
    const cache = start()
    await until('both were asked', () => api.lists().length === 2)
    assert.equal(cache.synced(), false)
    await cache.whenSynced(AbortSignal.timeout(20_000))
    assert.equal(held(cache), 'one red')
  })

  it('and opens watches that it tells nothing: a list says what is so (T17)', async () => {
    const clock = new ManualClock()
    const cache = start({ clock, staleAfterMs: 30_000 })
    // a list that takes too long on a busy machine is asked for again, after a moment of this clock
    await until('in step, and a watch is open', () => {
      clock.advance(1)
      return cache.synced() && api.openWatches === 1
    })
    const lists = api.lists().length
    api.muted = true
    api.put('unheard', 'red')
    api.meddle = (seen) => (isWatch(seen) ? undefined : hang)
    await until('a list is asked for', () => {
      clock.advance(1_000)
      return api.lists().length > lists
    })
    // what was heard last is too old by now, and that a watch opened says nothing
    clock.advance(30_000)
    assert.equal(cache.synced(), false)
    api.meddle = () => undefined
    await until('heard of after all', () => {
      clock.advance(10)
      return held(cache) === 'unheard red'
    })
    assert.equal(cache.synced(), true)
  })
})

describe('429 with Retry-After', () => {
  it('is no end of a list, a watch or a read', async () => {
    api.put('one', 'red')
    api.script.push(busy, busy, busy)
    const cache = start()
    await cache.whenSynced(AbortSignal.timeout(20_000))
    api.script.push(busy, busy)
    api.cutWatches()
    api.put('two', 'red')
    await until('followed again', () => held(cache) === 'one red,two red')
    assert.ok(api.requests.length >= 7, 'each of the five was asked again')
  })

  it('of a write comes back to the caller with its seconds, and is not sent again', async () => {
    api.meddle = () => status(429, 'TooManyRequests', 'come later', { 'retry-after': '7' })
    const ref = { ...widgets, namespace: 'a', name: 'w' }
    const result = await api.client().mergePatch(ref, { color: 'blue' })
    assert.equal(result.kind === 'refused' && result.retryAfterSeconds, 7)
    assert.equal(api.requests.length, 1)
  })
})

describe('credentials that expired', () => {
  it('leave a cache out of step until the file has others, and then it is back alone', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'jackstay-kube-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const token = join(directory, 'token')
    writeFileSync(token, 'old')
    const kubeconfig = join(directory, 'config')
    const server = `http://127.0.0.1:${api.port}`
    const one = (name: string, value: object) => [{ name: 'x', [name]: value }]
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
        clusters: one('cluster', { server }),
        users: one('user', { tokenFile: token }),
        contexts: one('context', { cluster: 'x', user: 'x' }),
      }),
    )
    const client = connect(loadConfig({ kubeconfig }), { userAgent: 'test/1', timeoutMs: 500 })
    api.clients.push(client)
    api.put('one', 'red')
    const cache = start({ client })
    await cache.whenSynced(AbortSignal.timeout(20_000))
    const expired = (seen: Seen) => headersOf(seen, 'authorization')[0] === 'Bearer old'
    let refused = 0
    api.meddle = (seen) => {
      if (!expired(seen)) return undefined
      refused++
      return status(401, 'Unauthorized')
    }
    api.cutWatches()
    api.put('two', 'red')
    await until('refused a few times', () => refused > 3)
    assert.equal(held(cache), 'one red')
    writeFileSync(token, 'new')
    await until('followed with the new one', () => held(cache) === 'one red,two red')
  })
})

it('whatever fails in between, a cache ends up with what is there, and never throws (T45)', async () => {
  const answers = {
    ...{ cut, hang, tear, busy, drip },
    error: status(500, 'InternalError'),
    gone: status(410, 'Expired'),
    nonsense: (_: unknown, response: ServerResponse) => json(response, 200, widget('x', 'red')),
    pass: undefined,
  }
  type Step = { readonly fault: keyof typeof answers } | { readonly put: number } | 'cut'
  const names = Object.keys(answers) as (keyof typeof answers)[]
  const step = fc.oneof(
    { arbitrary: fc.constantFrom(...names).map((fault): Step => ({ fault })), weight: 5 },
    { arbitrary: fc.nat({ max: 4 }).map((put): Step => ({ put })), weight: 3 },
    fc.constant<Step>('cut'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const own = await FakeApi.start()
      const clock = new ManualClock()
      const cache = start({ client: own.client(2_000), clock, pageTimeoutMs: 2_000 })
      const tick = () => clock.advance(10)
      try {
        for (const [i, one] of steps.entries()) {
          if (one === 'cut') own.cutWatches()
          else if ('put' in one) own.put(`w${one.put}`, `color-${i}`)
          else own.script.push(answers[one.fault])
          await new Promise(setImmediate)
        }
        own.cutWatches()
        own.put('last', 'red')
        const items = await ownList(own, tick)
        await until('all is there', () => {
          tick()
          return held(cache) === items && cache.synced()
        })
      } finally {
        cache.stop()
        await own.stop()
      }
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

/** What a reader without faults would see. */
async function ownList(own: FakeApi, tick: () => void): Promise<string> {
  await until('the script is used up', () => {
    tick()
    return own.script.length === 0
  })
  const { items } = await own.client().list(widgets)
  const all = items.map((one) => `${one.metadata.name} ${colorOf(one)}`)
  return all.sort().join()
}
