import assert from 'node:assert/strict'
import { request } from 'node:https'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { JackstayError } from '@jackstay/contract/errors'
import { readJson } from './body.ts'
import type { Limits } from './limits.ts'
import { drainSignal, requestSignal, type ServeOptions, serve } from './server.ts'
import { dial, selfSigned, shell } from './testing.ts'

type Shell = ReturnType<typeof shell>

/** A server on a free port, closed after the test. */
async function start(
  t: TestContext,
  routes: (app: Shell['app']) => void = () => {},
  limits: Partial<Limits> = {},
  options: Partial<ServeOptions> = {},
) {
  const it = shell({ limits })
  routes(it.app)
  const { app, log, metrics } = it
  const given = { name: 'test', host: '127.0.0.1', port: 0, ready: () => [], drainMs: 20 }
  const server = await serve({ ...given, app, log, metrics, limits, ...options })
  t.after(() => server.close())
  return { ...it, ...server }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
const post = (headers: string, body = '') =>
  `POST /v1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`

function withCode(code: string, message: RegExp) {
  return (error: unknown) =>
    error instanceof JackstayError && error.code === code && message.test(error.message)
}

test('beyond loopback it refuses to start without TLS', async (t) => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.test', '127.example.test']) {
    await assert.rejects(
      start(t, undefined, {}, { host }),
      withCode('invalid_config', /give a TLS certificate/),
    )
  }
  for (const host of ['127.0.0.1', 'localhost']) {
    const { url } = await start(t, undefined, {}, { host })
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
  }
})

test('with a certificate it speaks TLS 1.3 only', async (t) => {
  const tls = selfSigned()
  const { port } = await start(t, undefined, {}, { host: '0.0.0.0', tls })
  const ask = (options: object) =>
    new Promise<unknown>((resolve, reject) => {
      const target = { port, host: '127.0.0.1', servername: 'localhost', path: '/healthz' }
      request({ ...target, ca: tls.cert, agent: false, ...options }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
  assert.equal(await ask({}), 200)
  await assert.rejects(ask({ maxVersion: 'TLSv1.2' }))
})

test('a wrong key, a port in use and a foreign address say what to do', async (t) => {
  const wrong = { cert: 'x', key: 'y' }
  await assert.rejects(
    start(t, undefined, {}, { tls: wrong }),
    withCode('invalid_config', /check both files/),
  )
  const { port } = await start(t)
  await assert.rejects(
    start(t, undefined, {}, { port }),
    withCode('invalid_config', new RegExp(`\`127.0.0.1:${port}\` is in use.*another port`)),
  )
})

test('T13 headers that never end are cut off', async (t) => {
  const { port } = await start(t, undefined, { headerMs: 30 })
  const line = await dial(port, 'GET / HTTP/1.1\r\nhost: localhost\r\nx-a: 1')
  assert.match(await line.closed, /^HTTP\/1.1 408 /)
})

test('T13 a body that drips is answered 408 and its connection closed', async (t) => {
  const routes = (app: Shell['app']) => {
    app.post('/v1', async (c) => c.json(await readJson(c, (await import('zod')).z.json())))
  }
  const { port } = await start(t, routes, { requestMs: 30 })
  for (const headers of ['content-length: 100', 'transfer-encoding: chunked']) {
    const line = await dial(
      port,
      post(headers, headers.includes('chunked') ? '5\r\n[1,2,' : '[1,2'),
    )
    const answer = await line.closed
    assert.match(answer, /^HTTP\/1.1 408 /)
    assert.match(answer, /"code":"too_slow"/)
  }
})

test('T13 a client that never finishes reading is cut off', async (t) => {
  const cancelled = Promise.withResolvers<void>()
  const routes = (app: Shell['app']) => {
    app.get('/stream', (c) => {
      const pull = (controller: ReadableStreamDefaultController) => {
        controller.enqueue(Buffer.alloc(1024, 'x'))
      }
      return c.body(new ReadableStream({ pull, cancel: () => cancelled.resolve() }))
    })
  }
  const { port } = await start(t, routes, { requestMs: 50 })
  const line = await dial(port, get('/stream'))
  line.socket.pause()
  await cancelled.promise
})

test('T13 packed, huge and endless bodies end before they cost memory', async (t) => {
  let handled = 0
  const routes = (app: Shell['app']) => {
    app.post('/v1', async (c) => {
      handled += (await c.req.text()).length
      return c.text('x')
    })
  }
  const { port } = await start(t, routes, { bodyBytes: 4096 })
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  const packed = await dial(port, post(`content-encoding: gzip\r\ncontent-length: ${bomb.length}`))
  assert.match(await packed.until('\r\n\r\n'), /^HTTP\/1.1 400 /)
  const huge = await dial(port, post('content-length: 10000000'))
  assert.match(await huge.closed, /^HTTP\/1.1 413 /)
  const chunk = `1000\r\n${'1'.repeat(4096)}\r\n`
  const endless = await dial(port, post('transfer-encoding: chunked', chunk + chunk))
  assert.match(await endless.closed, /^HTTP\/1.1 413 /)
  const both = await dial(
    port,
    post('content-length: 4\r\ntransfer-encoding: chunked', '0\r\n\r\n'),
  )
  assert.match(await both.closed, /^HTTP\/1.1 400 /)
  assert.equal(handled, 0)
})

test('beyond the cap the oldest connection is closed and counted', async (t) => {
  const { port, metrics } = await start(t, undefined, { maxConnections: 2 })
  const lines = [await dial(port, get('/healthz')), await dial(port, get('/healthz'))]
  for (const line of lines) await line.until('200 OK')
  const third = await dial(port, get('/healthz'))
  assert.match(await third.until('200 OK'), /200 OK/)
  await lines[0]?.closed
  lines[1]?.socket.write(get('/healthz'))
  await lines[1]?.until('200 OK')
  assert.match((await metrics.expose()).text, /http_connections_refused_total\{.*\} 1/)
})

/** A route that waits, with what a test needs to steer it. */
function waiting(wait: (c: Parameters<typeof requestSignal>[0]) => Promise<string>) {
  const arrived = Promise.withResolvers<void>()
  const routes = (app: Shell['app']) => {
    app.get('/wait', async (c) => {
      arrived.resolve()
      return c.text(await wait(c))
    })
  }
  return { arrived: arrived.promise, routes }
}

test('draining lets a request under way finish and takes no new one', async (t) => {
  const gate = Promise.withResolvers<string>()
  const { arrived, routes } = waiting(() => gate.promise)
  const { url, port, close } = await start(t, routes, {}, { drainMs: 60_000 })
  const idle = await dial(port) // says nothing, and must not hold the shutdown
  const under = fetch(`${url}/wait`)
  await arrived
  const closed = close()
  await assert.rejects(dial(port))
  gate.resolve('finished')
  assert.equal(await (await under).text(), 'finished')
  await closed
  await idle.closed
})

test('draining tells a long poll, which answers at once', async (t) => {
  const { arrived, routes } = waiting(
    (c) =>
      new Promise((resolve) => {
        drainSignal(c).addEventListener('abort', () => resolve('nothing yet'))
      }),
  )
  const { url, close } = await start(t, routes, {}, { drainMs: 60_000 })
  const poll = fetch(`${url}/wait`)
  await arrived
  await close()
  assert.equal(await (await poll).text(), 'nothing yet')
})

test('what draining cannot wait for is told to come again', async (t) => {
  const { arrived, routes } = waiting(() => new Promise(() => {}))
  const { url, close } = await start(t, routes, {}, { drainMs: 1 })
  const answer = fetch(`${url}/wait`)
  await arrived
  await close()
  assert.equal((await answer).status, 503)
  assert.match(await (await answer).text(), /"code":"draining".*"retryable":true/)
})

test('an aborted signal closes the server, once', async (t) => {
  const stop = new AbortController()
  const { close, closed, lines } = await start(t, undefined, {}, { signal: stop.signal })
  stop.abort()
  await closed
  await close()
  assert.equal(lines.filter((line) => line.includes('"msg":"draining"')).length, 1)
})

test('a client that leaves aborts its request', async (t) => {
  const left = Promise.withResolvers<void>()
  const { arrived, routes } = waiting(
    (c) =>
      new Promise((_, reject) => {
        requestSignal(c).addEventListener('abort', () => {
          left.resolve()
          reject(requestSignal(c).reason)
        })
      }),
  )
  const { port, lines } = await start(t, routes)
  const line = await dial(port, get('/wait'))
  await arrived
  line.socket.destroy()
  await left.promise
  assert.doesNotMatch(lines.join(''), /"level":"error"/)
})
