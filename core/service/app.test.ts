import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import type { ServerState } from './app.ts'
import { extendDeadline, requestSignal } from './deadline.ts'
import { shell } from './testing.ts'

const never = new AbortController().signal

function state(ready: () => readonly string[], draining = never): { server: ServerState } {
  return { server: { ready, draining, ending: never, known: () => undefined } }
}

test('healthz answers while readyz gives the reasons for not being ready', async () => {
  const { app } = shell()
  assert.equal((await app.request('/healthz')).status, 200)
  const waiting = await app.request(
    '/readyz',
    {},
    state(() => ['cache `pods` is not synced']),
  )
  assert.equal(waiting.status, 503)
  assert.deepEqual(await waiting.json(), { ready: false, reasons: ['cache `pods` is not synced'] })
  const ready = await app.request(
    '/readyz',
    {},
    state(() => []),
  )
  assert.equal(ready.status, 200)
})

test('readyz is false outside a server, while draining, and when the check itself fails', async () => {
  const { app } = shell()
  assert.equal((await app.request('/readyz')).status, 503)
  const draining = await app.request(
    '/readyz',
    {},
    state(() => [], AbortSignal.abort()),
  )
  assert.deepEqual(await draining.json(), { ready: false, reasons: ['draining'] })
  const broken = await app.request(
    '/readyz',
    {},
    state(() => {
      throw new Error('cache gone')
    }),
  )
  assert.equal(broken.status, 503)
})

test('an unknown path is 404, a known path with another verb 405, both as JSON', async () => {
  const { app } = shell()
  app.post('/v1/intents/:id', (c) => c.text('x'))
  const missing = await app.request('/v2/\u202enothing')
  assert.equal(missing.status, 404)
  assert.deepEqual(await missing.json(), {
    error: {
      code: 'not_found',
      message: 'no such path `/v2/\\u{202e}nothing`',
      retryable: false,
    },
  })
  const wrong = await app.request('/v1/intents/7')
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'POST')
})

test('a known error keeps its status and body', async () => {
  const { app } = shell()
  app.get('/x', () => {
    throw new JackstayError('unauthenticated', 'send a token')
  })
  const answer = await app.request('/x')
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  assert.deepEqual(await answer.json(), {
    error: { code: 'unauthenticated', message: 'send a token', retryable: false },
  })
})

test('any other failure is 500 without a detail, with its cause in the log', async () => {
  const { app, lines } = shell()
  app.get('/error', () => {
    throw new Error('database at /var/lib/x is gone', { cause: new Error('disk full') })
  })
  app.get('/thrown', () => {
    throw 'a string' as unknown as Error
  })
  app.get('/bug', () => {
    throw new JackstayError('internal', 'unexpected value `s3`')
  })
  for (const path of ['/error', '/thrown', '/bug']) {
    const answer = await app.request(path)
    assert.equal(answer.status, 500)
    assert.deepEqual(await answer.json(), {
      error: { code: 'internal', message: 'a bug of ours; see the log', retryable: false },
    })
  }
  assert.match(lines.join(''), /disk full/)
  assert.match(lines.join(''), /unexpected value/)
})

test('error text is redacted before it leaves', async () => {
  const { app } = shell({ redact: (text) => text.replaceAll('hunter2', '[redacted]') })
  app.get('/x', () => {
    throw new JackstayError('upstream_unavailable', 'no answer for hunter2')
  })
  assert.match(await (await app.request('/x')).text(), /no answer for \[redacted\]/)
})

test('a handler that never answers is cut off at its deadline and told so', async () => {
  const { app } = shell({ limits: { requestMs: 10 } })
  let told: unknown
  app.get('/hang', async (c) => {
    const signal = requestSignal(c)
    signal.addEventListener('abort', () => {
      told = signal.reason
    })
    return new Promise(() => {})
  })
  const answer = await app.request('/hang')
  assert.equal(answer.status, 408)
  assert.match(await answer.text(), /too_slow/)
  assert.ok(told instanceof JackstayError)
})

test('a long poll may extend its deadline, but not beyond the maximum', async () => {
  const { app } = shell({ limits: { requestMs: 60_000, maxRequestMs: 20 } })
  let granted = Number.NaN
  app.get('/poll', async (c) => {
    granted = extendDeadline(c, 3_600_000)
    return new Promise(() => {})
  })
  assert.equal((await app.request('/poll')).status, 408)
  assert.ok(granted <= 20)
})

test('an extended deadline outlives the first one', async () => {
  const { app } = shell({ limits: { requestMs: 20 } })
  app.get('/poll', async (c) => {
    const { promise: passed, resolve } = Promise.withResolvers<void>()
    extendDeadline(c, 60_000)
    setTimeout(resolve, 40) // set after, and longer than, the deadline it has to outlive
    await passed
    return c.text(String(requestSignal(c).aborted))
  })
  assert.equal(await (await app.request('/poll')).text(), 'false')
})

test('work under way is bounded; health is not counted', async () => {
  const { app } = shell({ limits: { inFlight: 1 } })
  const gate = Promise.withResolvers<void>()
  app.get('/wait', async (c) => {
    await gate.promise
    return c.text('done')
  })
  const first = app.request('/wait')
  const second = await app.request('/wait')
  assert.equal(second.status, 503)
  assert.equal(second.headers.get('retry-after'), '1')
  assert.match(await second.text(), /overloaded/)
  assert.equal((await app.request('/healthz')).status, 200)
  gate.resolve()
  assert.equal((await first).status, 200)
  assert.equal((await app.request('/wait')).status, 200)
})

test('T76 requests are counted by route pattern, never by path', async () => {
  const { app } = shell()
  app.get('/v1/intents/:id', (c) => c.text('x'))
  for (let i = 0; i < 5; i++) await app.request(`/v1/intents/secret-${i}`)
  for (let i = 0; i < 5; i++) await app.request(`/nowhere/secret-${i}`)
  await app.request('/x', { method: 'BREW' })
  const text = await (await app.request('/metrics')).text()
  assert.match(text, /_count\{.*method="GET",route="\/v1\/intents\/:id",status="200"\} 5/)
  assert.match(text, /_count\{.*method="GET",route="unmatched",status="404"\} 5/)
  assert.match(text, /_count\{.*method="other",route="unmatched",status="404"\} 1/)
  assert.doesNotMatch(text, /secret/)
})

test('a request id is taken over only if it is harmless', async () => {
  const { app } = shell()
  const id = async (given: string) => {
    const answer = await app.request('/healthz', { headers: { 'x-request-id': given } })
    return answer.headers.get('x-request-id') ?? ''
  }
  assert.equal(await id('abc-1.2'), 'abc-1.2')
  assert.match(await id('a b"c'), /^[0-9a-f-]{36}$/)
})
