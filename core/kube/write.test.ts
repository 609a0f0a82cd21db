import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { connect, type WriteResult } from './client.ts'
import { bodyOf, freshClients, ref } from './client-builder.ts'
import { configFor } from './config.ts'
import {
  cut,
  hang,
  headersOf,
  json,
  type Seen,
  status,
  until,
  widget,
  widgets,
} from './fake-api.ts'

const w = freshClients()

describe('writes', () => {
  const patch = (options = {}) => w.client.mergePatch(ref, { spec: { replicas: 2 } }, options)

  it('mergePatch sends patch type, preconditions, dry-run and manager', async () => {
    const result = await patch({
      preconditions: { uid: 'u1', resourceVersion: '7' },
      dryRun: true,
      fieldManager: 'jackstay',
      fieldValidation: 'Strict',
      subresource: 'scale',
    })
    assert.equal(w.last()?.method, 'PATCH')
    assert.equal(w.last()?.url.pathname, '/apis/test.dev/v1/namespaces/a/widgets/w/scale')
    assert.equal(w.last()?.url.search, '?dryRun=All&fieldManager=jackstay&fieldValidation=Strict')
    assert.deepEqual(headersOf(w.last(), 'content-type'), ['application/merge-patch+json'])
    assert.deepEqual(bodyOf(w.last()), {
      spec: { replicas: 2 },
      metadata: { uid: 'u1', resourceVersion: '7' },
    })
    assert.partialDeepStrictEqual(result, {
      kind: 'applied',
      auditId: 'audit-1',
      object: { metadata: { name: 'w' } },
    })
  })

  it('mergePatch keeps metadata of its own beside the preconditions', async () => {
    await w.client.mergePatch(
      ref,
      { metadata: { labels: { a: 'b' }, uid: 'u1' } },
      { preconditions: { uid: 'u1', resourceVersion: '7' } },
    )
    assert.deepEqual(bodyOf(w.last()), {
      metadata: { labels: { a: 'b' }, uid: 'u1', resourceVersion: '7' },
    })
  })

  it('an empty or contradictory precondition is refused before anything is sent', () => {
    for (const send of [
      () => patch({ preconditions: { uid: 'u1', resourceVersion: '' } }),
      () => w.client.mergePatch(ref, { metadata: { resourceVersion: '' } }),
      () => w.client.mergePatch(ref, { metadata: { uid: null } }),
      () => w.client.mergePatch(ref, { metadata: { uid: 'u2' } }, { preconditions: { uid: 'u1' } }),
      () => w.client.delete(ref, { preconditions: { uid: '' } }),
    ]) {
      assert.throws(send, { code: 'invalid_request' })
    }
    assert.equal(w.api.requests.length, 0)
  })

  it('create, apply and delete send what they must', async () => {
    await w.client.create(widgets, 'a', { color: 'red' }, { fieldManager: 'm' })
    assert.equal(
      `${w.last()?.method} ${w.last()?.url.pathname}${w.last()?.url.search}`,
      'POST /apis/test.dev/v1/namespaces/a/widgets?fieldManager=m',
    )
    await w.client.apply(
      ref,
      { color: 'red' },
      { fieldManager: 'm', force: true, subresource: 'status' },
    )
    assert.equal(
      `${w.last()?.method} ${w.last()?.url.pathname}${w.last()?.url.search}`,
      'PATCH /apis/test.dev/v1/namespaces/a/widgets/w/status?fieldManager=m&force=true',
    )
    assert.deepEqual(headersOf(w.last(), 'content-type'), ['application/apply-patch+yaml'])
    await w.client.delete(ref, {
      preconditions: { uid: 'u1', resourceVersion: '7' },
      propagationPolicy: 'Background',
      dryRun: true,
    })
    assert.equal(w.last()?.method, 'DELETE')
    assert.deepEqual(bodyOf(w.last()), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u1', resourceVersion: '7' },
      propagationPolicy: 'Background',
      dryRun: ['All'],
    })
  })

  it('409 is a conflict; other 4xx are refused', async () => {
    w.api.script.push(status(409, 'Conflict', 'the object has been modified'))
    assert.deepEqual(await patch(), {
      kind: 'conflict',
      status: 409,
      reason: 'Conflict',
      message: 'the object has been modified',
      auditId: 'audit-1',
    })
    for (const [code, reason] of [
      [422, 'Invalid'],
      [403, 'Forbidden'],
      [404, 'NotFound'],
      [400, 'BadRequest'],
      [401, 'Unauthorized'],
    ] as const) {
      w.api.script.push(status(code, reason))
      assert.deepEqual(await patch(), {
        kind: 'refused',
        status: code,
        reason,
        message: reason,
        auditId: 'audit-1',
      })
    }
    w.api.script.push(status(429, 'TooManyRequests', 'budget', { 'retry-after': '10' }))
    assert.partialDeepStrictEqual(await patch(), {
      kind: 'refused',
      status: 429,
      retryAfterSeconds: 10,
    })
  })

  it('are never sent twice: cut, timeout, 5xx and unreadable success are unknown', async () => {
    const faults: [string, (seen: Seen, response: ServerResponse) => void][] = [
      ['cut', cut],
      ['timeout', hang],
      ['504', status(504, 'Timeout')],
      ['500', status(500, 'InternalError')],
      [
        'half a body',
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
          response.write('{"kind":')
          setImmediate(() => response.socket?.destroy())
        },
      ],
      ['no object', (_request, response) => void response.end('ok')],
    ]
    for (const [name, fault] of faults) {
      for (const send of [
        () => patch({ timeoutMs: 100 }),
        () => w.client.create(widgets, 'a', {}, { timeoutMs: 100 }),
        () => w.client.apply(ref, {}, { fieldManager: 'm', timeoutMs: 100 }),
        () => w.client.delete(ref, { timeoutMs: 100 }),
      ]) {
        const before = w.api.requests.length
        w.api.script.push(fault)
        const result: WriteResult = await send()
        assert.equal(result.kind, 'unknown', name)
        assert.equal(w.api.requests.length, before + 1, name)
      }
    }
  })

  it('aborted by the caller after sending are unknown', async () => {
    w.api.script.push(hang)
    const abort = new AbortController()
    const pending = patch({ signal: abort.signal })
    await until('the request arrived', () => w.api.requests.length === 1)
    abort.abort()
    assert.equal((await pending).kind, 'unknown')
  })

  it('throw only when nothing was sent: refused, aborted before, silent while connecting', async () => {
    await w.api.stopListening()
    await assert.rejects(patch(), { code: 'upstream_unavailable', message: /ECONNREFUSED/ })
    await assert.rejects(patch({ signal: AbortSignal.abort() }), { code: 'upstream_unavailable' })
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket)) // never speaks TLS
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const secure = connect(configFor(`https://127.0.0.1:${port}`, { token: 'secret' }), {
      userAgent: 'test/1',
      timeoutMs: 50,
    })
    await assert.rejects(secure.mergePatch(ref, {}), { code: 'upstream_unavailable' })
    await secure.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('warnings of the server come along', async () => {
    w.api.script.push((_request, response) =>
      json(response, 200, widget('w', ''), {
        warning: ['299 - "unknown field \\"x\\""', '299 - "old"'],
      }),
    )
    assert.partialDeepStrictEqual(await patch(), {
      kind: 'applied',
      warnings: ['unknown field "x"', 'old'],
    })
  })

  it('a closed client sends nothing', async () => {
    await w.client.close()
    await assert.rejects(patch(), { code: 'upstream_unavailable', message: /closed/ })
  })
})
