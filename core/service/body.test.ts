import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { canonical } from '@jackstay/contract/json'
import fc from 'fast-check'
import { z } from 'zod'
import { readCanonical, readJson, readText } from './body.ts'
import { json, shell } from './testing.ts'

const anything = z.json()

function echo() {
  const { app } = shell({ limits: { bodyBytes: 256 * 1024 } })
  app.post('/canonical', async (c) => c.json(await readCanonical(c, anything)))
  app.post('/json', async (c) => c.json(await readJson(c, anything)))
  app.post('/strict', async (c) =>
    c.json(await readCanonical(c, z.object({ spec: z.object({ replicas: z.int() }) }))),
  )
  app.post('/text', async (c) => c.text(await readText(c, 'application/jose', 10)))
  app.post('/raw', async (c) => c.text(String((await c.req.text()).length)))
  return async (path: string, body: string | RequestInit) => {
    const answer = await app.request(path, typeof body === 'string' ? json(body) : body)
    const text = await answer.text()
    const code = /"code":"(\w+)"/.exec(text)?.[1]
    return { status: answer.status, text, code }
  }
}

/** A body of `chunks` times `size` bytes that counts what was taken of it. */
function stream(chunks: number, size: number) {
  let taken = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken++ >= chunks) controller.close()
      else controller.enqueue(Buffer.alloc(size, '1'))
    },
  })
  const init = { ...json(''), body, duplex: 'half' } as const
  return { init, taken: () => taken }
}

const readers = ['/canonical', '/json'] as const

test('any canonical value passes unchanged', async () => {
  const send = echo()
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
      const text = canonical(value)
      fc.pre(!/"(__proto__|constructor|prototype)":/.test(text))
      fc.pre(!text.includes('\ufffd') && Buffer.byteLength(text) < 60_000)
      const answer = await send('/canonical', text)
      assert.equal(answer.status, 200)
      assert.equal(canonical(JSON.parse(answer.text)), text)
    }),
    { numRuns: 200 },
  )
})

test('T10 duplicate keys are refused', async () => {
  const send = echo()
  for (const path of readers) {
    for (const body of ['{"a":1,"a":2}', '{"x":[{"a":1,"\\u0061":1}]}', '{"a":{"b":":"},"a":1}']) {
      assert.equal((await send(path, body)).status, 400, `${path} ${body}`)
    }
  }
  assert.equal((await send('/json', ' { "b:\\":" : "x:y" , "a" : [ {} ] } ')).status, 200)
})

test('T10 a key repeated anywhere is refused, whatever surrounds it', async () => {
  const send = echo()
  const key = fc.stringMatching(/^[a-z:",\\]{1,8}$/)
  await fc.assert(
    fc.asyncProperty(key, fc.jsonValue(), fc.jsonValue(), async (name, first, second) => {
      const quoted = JSON.stringify(name)
      const body = `[{${quoted}:${JSON.stringify(first)}, ${quoted}:${JSON.stringify(second)}}]`
      assert.equal((await send('/json', body)).status, 400)
    }),
    { numRuns: 100 },
  )
})

test('T11 keys that reach a prototype are refused at any depth', async () => {
  const send = echo()
  const before = Object.getOwnPropertyNames(Object.prototype).sort()
  for (const path of readers) {
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
      for (const body of [`{"${key}":{"x":1}}`, `{"a":[[{"b":{"${key}":{"polluted":true}}}]]}`]) {
        const answer = await send(path, body)
        assert.deepEqual([answer.status, answer.code], [400, 'forbidden_key'], `${path} ${body}`)
      }
    }
  }
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), before)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('T12 numbers that would change are refused, never coerced', async () => {
  const send = echo()
  const bad = ['NaN', '1e400', '-1e400', 'Infinity', '-0', '-0.0', '9007199254740993', '01', '+1']
  for (const path of readers) {
    for (const number of bad) {
      assert.equal((await send(path, `{"n":${number}}`)).status, 400, `${path} ${number}`)
    }
  }
  const answer = await send('/strict', '{"spec":{"replicas":"3"}}')
  assert.deepEqual([answer.status, answer.code], [400, 'invalid_request'])
})

test('T13 deep and wide bodies are refused before they are built', async () => {
  const send = echo()
  for (const path of readers) {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
    assert.equal((await send(path, deep)).status, 413)
    const wide = `[${Array(20_000).fill(1).join()}]`
    assert.equal((await send(path, wide)).status, 413)
    const keys = `{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join()}}`
    assert.equal((await send(path, keys)).status, 413)
  }
})

test('T13 of an endless body without a length only the cap is read', async () => {
  const send = echo()
  for (const path of [...readers, '/raw']) {
    const body = stream(10_000, 1024)
    const answer = await send(path, body.init)
    assert.deepEqual([answer.status, answer.code], [413, 'too_large'], path)
    assert.ok(body.taken() < 300, `${path} took ${body.taken()} kB`)
  }
})

test('T13 an announced length beyond the cap is refused without reading', async () => {
  const send = echo()
  const body = stream(10_000, 1024)
  const headers = { 'content-type': 'application/json', 'content-length': '10240000' }
  assert.equal((await send('/raw', { ...body.init, headers })).status, 413)
  assert.ok(body.taken() <= 1)
})

test('T13 a body that claims to be small is still counted', async () => {
  const send = echo()
  const headers = { 'content-type': 'application/json', 'content-length': '5' }
  assert.equal((await send('/canonical', { ...stream(200, 1024).init, headers })).status, 413)
  const text = { 'content-type': 'application/jose', 'content-length': '5' }
  assert.equal((await send('/text', { ...stream(2, 6).init, headers: text })).status, 413)
})

test('T13 packed bodies are refused, not unpacked', async () => {
  const send = echo()
  const body = gzipSync(Buffer.alloc(1_000_000, '1'))
  for (const encoding of ['gzip', 'br', 'identity, gzip', '']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
    const answer = await send('/json', { method: 'POST', body, headers })
    assert.deepEqual([answer.status, answer.code], [400, 'invalid_request'], encoding)
  }
})

test('T16 a field the schema does not know is refused by its path', async () => {
  const send = echo()
  assert.equal((await send('/strict', '{"spec":{"replicas":3}}')).status, 200)
  const nested = await send('/strict', '{"spec":{"forse":true,"replicas":3}}')
  assert.equal(nested.status, 400)
  assert.match(nested.text, /`spec\.forse`: unknown field/)
  const wrong = await send('/strict', '{"spec":{"replicas":1.5}}')
  assert.match(wrong.text, /`spec\.replicas`: /)
})

test('only the announced media type in UTF-8 is read', async () => {
  const send = echo()
  const typed = (type: string, body: string | Uint8Array = '{}') => ({
    method: 'POST',
    body,
    headers: { 'content-type': type },
  })
  assert.equal((await send('/json', typed('application/json; charset=utf-8'))).status, 200)
  for (const type of ['text/plain', 'application/json; charset=latin1', 'application/jsonx', '']) {
    assert.equal((await send('/json', typed(type))).code, 'invalid_request', type)
  }
  for (const bytes of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from('\ufeff{}')]) {
    assert.equal((await send('/json', typed('application/json', bytes))).code, 'malformed_json')
  }
  assert.equal((await send('/text', typed('application/jose', 'a.b.c'))).text, 'a.b.c')
  assert.equal((await send('/text', typed('application/jose', 'a.b.c'.repeat(3)))).status, 413)
})

test('T14 lone surrogates are refused, in keys too', async () => {
  const send = echo()
  for (const path of readers) {
    for (const body of ['["\\ud800"]', '{"\\ud800":1}']) {
      assert.equal((await send(path, body)).status, 400, `${path} ${body}`)
    }
  }
})
