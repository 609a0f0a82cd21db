import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import fc from 'fast-check'
import { connect, type KubeClient, statusOf, type WriteResult } from './client.ts'
import { configFor } from './config.ts'
import {
  cut,
  FakeApi,
  hang,
  headersOf,
  json,
  type Seen,
  status,
  until,
  widget,
  widgets,
} from './fake-api.ts'
import { clusterUid } from './identity.ts'
import type { ResourceRef } from './resources.ts'

let api: FakeApi
let client: KubeClient
const ref: ResourceRef = { ...widgets, namespace: 'a', name: 'w' }
const last = () => api.requests.at(-1)
const bodyOf = (seen: Seen | undefined): unknown => JSON.parse(seen?.body ?? '')

beforeEach(async () => {
  api = await FakeApi.start()
  client = api.client()
})

afterEach(() => api.stop())

describe('reads', () => {
  it('get one object with token and user agent', async () => {
    api.script.push((_request, response) => json(response, 200, widget('w', 'red')))
    assert.equal((await client.get(ref)).metadata.name, 'w')
    assert.equal(last()?.url.pathname, '/apis/test.dev/v1/namespaces/a/widgets/w')
    assert.deepEqual(headersOf(last(), 'authorization'), ['Bearer secret'])
    assert.deepEqual(headersOf(last(), 'user-agent'), ['test/1'])
  })

  it('list a page with selectors; items carry their type', async () => {
    for (const name of ['one', 'two', 'three']) api.put(name, 'red')
    const page = await client.list(widgets, {
      limit: 2,
      labelSelector: 'a in (b,c)',
      namespace: 'a',
    })
    assert.deepEqual(
      page.items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name]),
      [
        ['Widget', 'test.dev/v1', 'one'],
        ['Widget', 'test.dev/v1', 'two'],
      ],
    )
    assert.equal(last()?.url.searchParams.get('labelSelector'), 'a in (b,c)')
    const rest = await client.list(widgets, { continue: page.continue ?? '' })
    assert.equal(rest.items.length, 1)
    assert.equal(rest.continue, undefined)
  })

  it('say what was refused and keep the words of the server', async () => {
    const cases = [
      [404, 'not_found'],
      [403, 'cluster_refused'],
      [401, 'cluster_refused'],
      [400, 'cluster_refused'],
      [409, 'cluster_conflict'],
      [500, 'upstream_unavailable'],
    ] as const
    for (const [code, expected] of cases) {
      const answer = status(code, 'Reason', 'because')
      api.script.push(answer, ...(code === 401 ? [answer] : []))
      const error = await client.get(ref).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof JackstayError)
      assert.equal(error.code, expected)
      assert.match(
        String(error),
        new RegExp(
          `\`GET /apis/test.dev/v1/namespaces/a/widgets/w\` was answered ${code}: because; `,
        ),
      )
      assert.partialDeepStrictEqual(statusOf(error), { code, reason: 'Reason' })
    }
  })

  it('are repeated once after a cut, also within the body', async () => {
    api.script.push(cut)
    await client.list(widgets)
    api.script.push((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"kind":')
      setImmediate(() => response.socket?.destroy())
    })
    await client.list(widgets)
    assert.equal(api.requests.length, 4)
    api.script.push(cut, cut)
    await assert.rejects(client.list(widgets), {
      code: 'upstream_unavailable',
      message: /check the server and the network/,
    })
    assert.equal(api.requests.length, 6)
  })

  it('are repeated once after 429, as the server says', async () => {
    api.script.push(status(429, 'TooManyRequests', 'slow down', { 'retry-after': '0.01' }))
    await client.list(widgets)
    assert.equal(api.requests.length, 2)
  })

  it('do not wait longer than their deadline after 429', async () => {
    api.script.push(status(429, 'TooManyRequests', 'slow down', { 'retry-after': '3600' }))
    await assert.rejects(client.list(widgets), { code: 'upstream_unavailable' })
    assert.equal(api.requests.length, 1)
  })

  it('end by their deadline and by the signal', async () => {
    api.script.push(hang, hang)
    await assert.rejects(client.list(widgets, { timeoutMs: 30 }), {
      code: 'upstream_unavailable',
      message: /no answer within 30 ms/,
    })
    const abort = new AbortController()
    const pending = assert.rejects(client.list(widgets, { signal: abort.signal }), {
      code: 'upstream_unavailable',
    })
    await until('the request arrived', () => api.requests.length === 2)
    abort.abort()
    await pending
    assert.equal(api.requests.length, 2)
  })

  it('refuse what is no kubernetes object', async () => {
    api.script.push((_request, response) => void response.end('<html>'))
    await assert.rejects(client.get(ref), {
      code: 'upstream_unavailable',
      message: /not a kubernetes object/,
    })
  })

  it('clusterUid is the uid of kube-system', async () => {
    api.script.push((_request, response) =>
      json(response, 200, widget('kube-system', '', '', 'uid-1')),
    )
    assert.equal(await clusterUid(client), 'uid-1')
    assert.equal(last()?.url.pathname, '/api/v1/namespaces/kube-system')
  })
})

describe('writes', () => {
  const patch = (options = {}) => client.mergePatch(ref, { spec: { replicas: 2 } }, options)

  it('mergePatch sends patch type, preconditions, dry-run and manager', async () => {
    const result = await patch({
      preconditions: { uid: 'u1', resourceVersion: '7' },
      dryRun: true,
      fieldManager: 'jackstay',
      fieldValidation: 'Strict',
      subresource: 'scale',
    })
    assert.equal(last()?.method, 'PATCH')
    assert.equal(last()?.url.pathname, '/apis/test.dev/v1/namespaces/a/widgets/w/scale')
    assert.equal(last()?.url.search, '?dryRun=All&fieldManager=jackstay&fieldValidation=Strict')
    assert.deepEqual(headersOf(last(), 'content-type'), ['application/merge-patch+json'])
    assert.deepEqual(bodyOf(last()), {
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
    await client.mergePatch(
      ref,
      { metadata: { labels: { a: 'b' }, uid: 'u1' } },
      { preconditions: { uid: 'u1', resourceVersion: '7' } },
    )
    assert.deepEqual(bodyOf(last()), {
      metadata: { labels: { a: 'b' }, uid: 'u1', resourceVersion: '7' },
    })
  })

  it('an empty or contradictory precondition is refused before anything is sent', () => {
    for (const send of [
      () => patch({ preconditions: { uid: 'u1', resourceVersion: '' } }),
      () => client.mergePatch(ref, { metadata: { resourceVersion: '' } }),
      () => client.mergePatch(ref, { metadata: { uid: null } }),
      () => client.mergePatch(ref, { metadata: { uid: 'u2' } }, { preconditions: { uid: 'u1' } }),
      () => client.delete(ref, { preconditions: { uid: '' } }),
    ]) {
      assert.throws(send, { code: 'invalid_request' })
    }
    assert.equal(api.requests.length, 0)
  })

  it('create, apply and delete send what they must', async () => {
    await client.create(widgets, 'a', { color: 'red' }, { fieldManager: 'm' })
    assert.equal(
      `${last()?.method} ${last()?.url.pathname}${last()?.url.search}`,
      'POST /apis/test.dev/v1/namespaces/a/widgets?fieldManager=m',
    )
    await client.apply(
      ref,
      { color: 'red' },
      { fieldManager: 'm', force: true, subresource: 'status' },
    )
    assert.equal(
      `${last()?.method} ${last()?.url.pathname}${last()?.url.search}`,
      'PATCH /apis/test.dev/v1/namespaces/a/widgets/w/status?fieldManager=m&force=true',
    )
    assert.deepEqual(headersOf(last(), 'content-type'), ['application/apply-patch+yaml'])
    await client.delete(ref, {
      preconditions: { uid: 'u1', resourceVersion: '7' },
      propagationPolicy: 'Background',
      dryRun: true,
    })
    assert.equal(last()?.method, 'DELETE')
    assert.deepEqual(bodyOf(last()), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u1', resourceVersion: '7' },
      propagationPolicy: 'Background',
      dryRun: ['All'],
    })
  })

  it('409 is a conflict; other 4xx are refused', async () => {
    api.script.push(status(409, 'Conflict', 'the object has been modified'))
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
      api.script.push(status(code, reason))
      assert.deepEqual(await patch(), {
        kind: 'refused',
        status: code,
        reason,
        message: reason,
        auditId: 'audit-1',
      })
    }
    api.script.push(status(429, 'TooManyRequests', 'budget', { 'retry-after': '10' }))
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
        () => client.create(widgets, 'a', {}, { timeoutMs: 100 }),
        () => client.apply(ref, {}, { fieldManager: 'm', timeoutMs: 100 }),
        () => client.delete(ref, { timeoutMs: 100 }),
      ]) {
        const before = api.requests.length
        api.script.push(fault)
        const result: WriteResult = await send()
        assert.equal(result.kind, 'unknown', name)
        assert.equal(api.requests.length, before + 1, name)
      }
    }
  })

  it('aborted by the caller after sending are unknown', async () => {
    api.script.push(hang)
    const abort = new AbortController()
    const pending = patch({ signal: abort.signal })
    await until('the request arrived', () => api.requests.length === 1)
    abort.abort()
    assert.equal((await pending).kind, 'unknown')
  })

  it('throw only when nothing was sent: refused, aborted before, silent while connecting', async () => {
    await api.stopListening()
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
    api.script.push((_request, response) =>
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
    await client.close()
    await assert.rejects(patch(), { code: 'upstream_unavailable', message: /closed/ })
  })
})

describe('impersonation', () => {
  it('sends user, uid, each group and each extra, exactly', async () => {
    const executor = client.as({
      username: 'system:serviceaccount:jackstay-executors:web',
      uid: 'u1',
      groups: ['g1', 'g 2'],
      extra: { 'jackstay.dev/intent': ['i1'], 'a(b)%': ['x', 'y'] },
    })
    await executor.mergePatch(ref, {})
    const seen = last()
    assert.deepEqual(headersOf(seen, 'impersonate-user'), [
      'system:serviceaccount:jackstay-executors:web',
    ])
    assert.deepEqual(headersOf(seen, 'impersonate-uid'), ['u1'])
    assert.deepEqual(headersOf(seen, 'impersonate-group'), ['g1', 'g 2'])
    assert.deepEqual(headersOf(seen, 'impersonate-extra-jackstay.dev%2fintent'), ['i1'])
    assert.deepEqual(headersOf(seen, 'impersonate-extra-a%28b%29%25'), ['x', 'y'])
    await client.get(ref).catch(() => {})
    assert.deepEqual(headersOf(last(), 'impersonate-user'), [], 'the original client stays itself')
  })

  it('a second `as` replaces the first', async () => {
    await client
      .as({ username: 'one', groups: ['g'], extra: { k: ['v'] } })
      .as({ username: 'two' })
      .mergePatch(ref, {})
    assert.deepEqual(
      last()?.rawHeaders.filter((name) => /^impersonate-/i.test(name)),
      ['Impersonate-User'],
    )
    assert.deepEqual(headersOf(last(), 'impersonate-user'), ['two'])
  })

  it('refuses what a header would change or smuggle', () => {
    for (const text of ['', ' a', 'a ', 'a\r\nImpersonate-Group: system:masters', 'ä', 'a\0']) {
      assert.throws(
        () => client.as({ username: text }),
        { code: 'invalid_request' },
        JSON.stringify(text),
      )
      assert.throws(() => client.as({ username: 'u', groups: [text] }), { code: 'invalid_request' })
      assert.throws(() => client.as({ username: 'u', extra: { k: [text] } }), {
        code: 'invalid_request',
      })
    }
    for (const key of ['', 'Upper'])
      assert.throws(() => client.as({ username: 'u', extra: { [key]: ['v'] } }), {
        code: 'invalid_request',
      })
  })

  it('any extra key arrives as the API server would read it', async () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => text === text.toLowerCase() && text.isWellFormed())
    await fc.assert(
      fc.asyncProperty(key, async (text) => {
        await client.as({ username: 'u', extra: { [text]: ['v'] } }).mergePatch(ref, {})
        const prefix = 'impersonate-extra-'
        const names = (last()?.rawHeaders ?? [])
          .map((name) => name.toLowerCase())
          .filter((name) => name.startsWith(prefix))
        assert.deepEqual(
          names.map((name) => decodeURIComponent(name.slice(prefix.length))),
          [text],
        )
      }),
      { numRuns: 60 },
    )
  })
})

describe('tokens', () => {
  const review = (status: unknown) =>
    api.script.push((_request, response) =>
      json(response, 201, { kind: 'TokenReview', metadata: {}, status }),
    )
  const user = {
    username: 'system:serviceaccount:a:b',
    uid: 'u',
    groups: ['g'],
    extra: { 'authentication.kubernetes.io/pod-uid': ['p'] },
  }

  it('tokenReview returns who it is', async () => {
    review({ authenticated: true, user, audiences: ['jackstay-intent'] })
    assert.deepEqual(await client.tokenReview('t', ['jackstay-intent']), {
      authenticated: true,
      ...user,
      audiences: ['jackstay-intent'],
    })
    assert.partialDeepStrictEqual(bodyOf(last()), {
      spec: { token: 't', audiences: ['jackstay-intent'] },
    })
  })

  it('tokenReview is unauthenticated without one of our audiences, a name or a clear yes', async () => {
    for (const answer of [
      { authenticated: true, user },
      { authenticated: true, user, audiences: ['https://kubernetes.default.svc'] },
      { authenticated: true, audiences: ['jackstay-intent'] },
      { authenticated: 'true', user, audiences: ['jackstay-intent'] },
      { user, audiences: ['jackstay-intent'] },
      {},
    ]) {
      review(answer)
      const result = await client.tokenReview('t', ['jackstay-intent'])
      assert.deepEqual(result, {
        authenticated: false,
        username: '',
        uid: '',
        groups: [],
        audiences: [],
        extra: {},
      })
    }
    review({ error: 'expired' })
    assert.equal((await client.tokenReview('t', ['jackstay-intent'])).error, 'expired')
  })

  it('createToken asks for a bound token', async () => {
    api.script.push((_request, response) =>
      json(response, 201, {
        kind: 'TokenRequest',
        metadata: {},
        status: { token: 'jwt', expirationTimestamp: '2030-01-01T00:00:00Z' },
      }),
    )
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }
    const token = await client.createToken('a', 'b', {
      audiences: ['x'],
      expirationSeconds: 600,
      boundObjectRef,
    })
    assert.deepEqual(token, { token: 'jwt', expiresAt: '2030-01-01T00:00:00Z' })
    assert.equal(last()?.url.pathname, '/api/v1/namespaces/a/serviceaccounts/b/token')
    assert.deepEqual(bodyOf(last()), {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['x'], expirationSeconds: 600, boundObjectRef },
    })
  })
})

it('many requests at once share kept-alive connections and all arrive', async () => {
  await Promise.all(Array.from({ length: 300 }, () => client.list(widgets)))
  assert.equal(api.requests.length, 300)
})
