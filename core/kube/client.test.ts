import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { statusOf } from './client.ts'
import { freshClients, ref } from './client-builder.ts'
import { cut, hang, headersOf, json, status, until, widget, widgets } from './fake-api.ts'
import { clusterUid } from './identity.ts'

const w = freshClients()

describe('reads', () => {
  it('get one object with token and user agent', async () => {
    w.api.script.push((_request, response) => json(response, 200, widget('w', 'red')))
    assert.equal((await w.client.get(ref)).metadata.name, 'w')
    assert.equal(w.last()?.url.pathname, '/apis/test.dev/v1/namespaces/a/widgets/w')
    assert.deepEqual(headersOf(w.last(), 'authorization'), ['Bearer secret'])
    assert.deepEqual(headersOf(w.last(), 'user-agent'), ['test/1'])
  })

  it('list a page with selectors; items carry their type', async () => {
    for (const name of ['one', 'two', 'three']) w.api.put(name, 'red')
    const page = await w.client.list(widgets, {
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
    assert.equal(w.last()?.url.searchParams.get('labelSelector'), 'a in (b,c)')
    const rest = await w.client.list(widgets, { continue: page.continue ?? '' })
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
      w.api.script.push(answer, ...(code === 401 ? [answer] : []))
      const error = await w.client.get(ref).catch((thrown: unknown) => thrown)
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
    w.api.script.push(cut)
    await w.client.list(widgets)
    w.api.script.push((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"kind":')
      setImmediate(() => response.socket?.destroy())
    })
    await w.client.list(widgets)
    assert.equal(w.api.requests.length, 4)
    w.api.script.push(cut, cut)
    await assert.rejects(w.client.list(widgets), {
      code: 'upstream_unavailable',
      message: /check the server and the network/,
    })
    assert.equal(w.api.requests.length, 6)
  })

  it('are repeated once after 429, as the server says', async () => {
    w.api.script.push(status(429, 'TooManyRequests', 'slow down', { 'retry-after': '0.01' }))
    await w.client.list(widgets)
    assert.equal(w.api.requests.length, 2)
  })

  it('do not wait longer than their deadline after 429', async () => {
    w.api.script.push(status(429, 'TooManyRequests', 'slow down', { 'retry-after': '3600' }))
    await assert.rejects(w.client.list(widgets), { code: 'upstream_unavailable' })
    assert.equal(w.api.requests.length, 1)
  })

  it('end by their deadline and by the signal', async () => {
    w.api.script.push(hang, hang)
    await assert.rejects(w.client.list(widgets, { timeoutMs: 30 }), {
      code: 'upstream_unavailable',
      message: /no answer within 30 ms/,
    })
    const abort = new AbortController()
    const pending = assert.rejects(w.client.list(widgets, { signal: abort.signal }), {
      code: 'upstream_unavailable',
    })
    await until('the request arrived', () => w.api.requests.length === 2)
    abort.abort()
    await pending
    assert.equal(w.api.requests.length, 2)
  })

  it('refuse what is no kubernetes object', async () => {
    w.api.script.push((_request, response) => void response.end('<html>'))
    await assert.rejects(w.client.get(ref), {
      code: 'upstream_unavailable',
      message: /not a kubernetes object/,
    })
  })

  it('clusterUid is the uid of kube-system', async () => {
    w.api.script.push((_request, response) =>
      json(response, 200, widget('kube-system', '', '', 'uid-1')),
    )
    assert.equal(await clusterUid(w.client), 'uid-1')
    assert.equal(w.last()?.url.pathname, '/api/v1/namespaces/kube-system')
  })
})

it('many requests at once share kept-alive connections and all arrive', async () => {
  await Promise.all(Array.from({ length: 300 }, () => w.client.list(widgets)))
  assert.equal(w.api.requests.length, 300)
})
