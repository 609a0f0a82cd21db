import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { cutOff, knownAs } from './app.ts'
import { readJson } from './body.ts'
import { bearerToken } from './caller.ts'
import type { Limits } from './limits.ts'
import { serve } from './server.ts'
import { dial, type Line, shell } from './testing.ts'

/** A server that knows the token `agent` from before, and finds `newcomer` good once it has the body. */
async function start(t: TestContext, limits: Partial<Limits>) {
  const it = shell({ limits, recognise: (token) => (token === 'agent' ? 'agent' : undefined) })
  it.app.post('/v1', async (c) => {
    const body = await readJson(c, z.json())
    if (bearerToken(c) === 'newcomer') knownAs(c, 'newcomer')
    return c.json({ body })
  })
  const { app, log, metrics } = it
  const given = { name: 'test', host: '127.0.0.1', port: 0, ready: () => [], drainMs: 20 }
  const server = await serve({ ...given, app, log, metrics, limits })
  t.after(() => server.close())
  return server
}

/** A request whose body never comes to its end. */
function slow(port: number, from: string, token = 'none'): Promise<Line> {
  const headers = `content-type: application/json\r\nauthorization: Bearer ${token}`
  return dial(
    port,
    `POST /v1 HTTP/1.1\r\nhost: x\r\n${headers}\r\ncontent-length: 100\r\n\r\n[1,`,
    from,
  )
}

async function ask(port: number, token: string, from = '127.0.0.1'): Promise<string> {
  const headers = `content-type: application/json\r\nauthorization: Bearer ${token}`
  const line = await dial(
    port,
    `POST /v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\ncontent-length: 2\r\n\r\n[]`,
    from,
  )
  return (await line.closed).split('\r\n')[0] ?? ''
}

test('T13 slow bodies of one address take neither the places of others nor those of known callers', async (t) => {
  const limits = { strangers: 20, strangersPerSource: 5, strangerMs: 60_000, requestMs: 60_000 }
  const { port } = await start(t, limits)
  const held = await Promise.all(Array.from({ length: 8 }, () => slow(port, '127.0.0.2')))
  const refused = await Promise.race(held.map((line) => line.until('overloaded')))
  assert.match(refused, /^HTTP\/1.1 503 /)
  assert.match(await ask(port, 'newcomer', '127.0.0.2'), / 503 /)
  assert.match(await ask(port, 'newcomer', '127.0.0.3'), / 200 /)
  assert.match(await ask(port, 'agent', '127.0.0.2'), / 200 /)
  const others = ['127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7']
  const more = await Promise.all(
    others.flatMap((from) => Array(5).fill(from)).map((from) => slow(port, from)),
  )
  await Promise.race(more.map((line) => line.until('overloaded')))
  assert.match(await ask(port, 'newcomer', '127.0.0.3'), / 503 /, 'strangers have no more')
  assert.match(await ask(port, 'agent', '127.0.0.3'), / 200 /)
  for (const line of [...held, ...more]) line.socket.destroy()
})

test('T13 a body without known credentials has little time, one with them has more', async (t) => {
  const { port } = await start(t, { strangerMs: 40, requestMs: 60_000 })
  const agent = await slow(port, '127.0.0.1', 'agent')
  const stranger = await slow(port, '127.0.0.1')
  const told = await stranger.closed
  assert.match(told, /^HTTP\/1.1 408 /)
  assert.match(told, /"code":"too_slow"/)
  agent.socket.write(`${'1,'.repeat(47)}11]`)
  assert.match(await agent.until('200 OK'), /200 OK/)
  agent.socket.destroy()
})

test('T13 connections that say nothing make room, those of known callers stay', async (t) => {
  const { port } = await start(t, { maxConnections: 8, headerMs: 60_000, idleMs: 60_000 })
  const headers = 'content-type: application/json\r\nauthorization: Bearer agent'
  const request = `POST /v1 HTTP/1.1\r\nhost: x\r\n${headers}\r\ncontent-length: 2\r\n\r\n[]`
  const agent = await dial(port, request)
  await agent.until('200 OK')
  const silent: Line[] = []
  for (let n = 0; n < 20; n++) silent.push(await dial(port, 'POST /v1 HTTP/1.1\r\n', '127.0.0.2'))
  await Promise.all(silent.slice(0, 12).map((line) => line.closed))
  let answers = 0
  agent.socket.on('data', (data) => {
    answers += String(data).split('200 OK').length - 1
  })
  agent.socket.write(request)
  while (answers < 1) await new Promise((resolve) => agent.socket.once('data', resolve))
  assert.match(await ask(port, 'newcomer'), / 200 /, 'a newcomer finds room')
  for (const line of [...silent, agent]) line.socket.destroy()
})

test('T02 a connection that is cut off is answered nothing, whatever else was asked over it', async (t) => {
  const { app, log, metrics } = shell()
  let asked = 0
  app.get('/v1', async (c) => {
    asked++
    if (asked === 3) cutOff(c)
    await new Promise((resolve) => setTimeout(resolve, 20))
    return c.json({})
  })
  const given = { name: 'test', host: '127.0.0.1', port: 0, ready: () => [], drainMs: 20 }
  const server = await serve({ ...given, app, log, metrics })
  t.after(() => server.close())
  const three = 'GET /v1 HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3)
  const line = await dial(server.port, three, '127.0.0.1')
  assert.equal(await line.closed, '')
  assert.equal(asked, 3)
})
