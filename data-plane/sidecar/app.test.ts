import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorBody, JackstayError } from '@jackstay/contract/errors'
import { intentClaims, intentSubmission } from '@jackstay/contract/intent'
import { parseCanonical } from '@jackstay/contract/json'
import { readUnverified } from '@jackstay/contract/signing'
import { cut, intentId, requestFor, startApp, tokenFor, viewIn } from './sidecar-world.ts'

async function errorOf(response: Response): Promise<string> {
  const body: { error?: { code?: string } } = JSON.parse(await response.text())
  return `${response.status} ${body.error?.code}`
}

describe('sidecar', () => {
  it('signs an action with the next number and the intent token, and answers the view', async (t) => {
    const { post, mediator } = await startApp(t, [(c) => c.json(viewIn('approve'), 202)])
    for (const seq of [1, 2]) {
      const response = await post('/v1/actions/workload.scale?wait=7', requestFor())
      assert.equal(response.status, 202)
      assert.deepEqual(await response.json(), viewIn('approve'))
      const sent = mediator.heard.at(-1)
      assert.ok(sent)
      assert.equal(sent.path, '/v1/intents?wait=7')
      assert.equal(sent.authorization, `Bearer ${tokenFor('intent')}`)
      const { jws } = intentSubmission.parse(parseCanonical(sent.body))
      const claims = intentClaims.parse(readUnverified(jws, 'jackstay-intent+jws').payload)
      assert.equal(claims.seq, seq)
      assert.equal(claims.action, 'workload.scale')
    }
  })

  it('passes triggers, intents and actions through', async (t) => {
    const info = { clusterUid: 'u', catalogueVersion: '7', actions: [] }
    const { app, mediator } = await startApp(t, [
      (c) => c.json({ triggers: [] }),
      (c) => c.json(viewIn('verify')),
      (c) => c.json(info),
    ])
    assert.deepEqual(await (await app.request('/v1/triggers?wait=30')).json(), { triggers: [] })
    const followed = await app.request(`/v1/intents/${intentId}?wait=3`)
    assert.deepEqual(await followed.json(), viewIn('verify'))
    const actions = await app.request('/v1/actions')
    assert.deepEqual(await actions.json(), { actions: [], catalogueVersion: '7' })
    assert.deepEqual(
      mediator.heard.map(({ path }) => path),
      ['/v1/triggers?wait=30', `/v1/intents/${intentId}?wait=3`, '/v1/cluster'],
    )
  })

  it('reads the cluster through the tool with the tools token', async (t) => {
    const { post, tools } = await startApp(t, [(c) => c.json({ items: [] })])
    const body = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop' }
    const response = await post('/v1/tools/kubernetes-read/list', body)
    assert.deepEqual(await response.json(), { items: [] })
    assert.deepEqual(tools.heard, [
      {
        method: 'POST',
        path: '/v1/tools/list',
        authorization: `Bearer ${tokenFor('tools')}`,
        body: JSON.stringify(body),
      },
    ])
  })

  it('answers bad input with one clear error and sends nothing', async (t) => {
    const { app, post, mediator, tools } = await startApp(t, [(c) => c.json({})])
    const cases: [string, unknown, string][] = [
      ['/v1/actions/scale', requestFor(), '400 invalid_request'],
      ['/v1/actions/workload.scale?wait=61', requestFor(), '400 invalid_request'],
      ['/v1/actions/workload.scale?wait=soon', requestFor(), '400 invalid_request'],
      ['/v1/actions/workload.scale?now=1', requestFor(), '400 invalid_request'],
      ['/v1/actions/workload.scale', { ...requestFor(), risk: 'none' }, '400 invalid_request'],
      ['/v1/actions/workload.scale', '{"target":', '400 malformed_json'],
      ['/v1/actions/workload.scale', '{"params":{},"params":{}}', '400 malformed_json'],
      ['/v1/actions/workload.scale', '{"__proto__":{}}', '400 forbidden_key'],
      ['/v1/actions/workload.scale', 'x'.repeat(70_000), '413 too_large'],
      ['/v1/tools/kubernetes-read/delete', {}, '400 invalid_request'],
      ['/v1/tools/shell/get', {}, '404 not_found'],
    ]
    for (const [path, body, expected] of cases) {
      assert.equal(await errorOf(await post(path, body)), expected, path)
    }
    assert.equal(
      await errorOf(await app.request('/v1/intents/..%2Fcluster')),
      '400 invalid_request',
    )
    assert.deepEqual([...mediator.heard, ...tools.heard], [])
  })

  it('signs nothing before it is enrolled', async (t) => {
    const { post, mediator } = await startApp(t, [(c) => c.json({})], false)
    assert.equal(
      await errorOf(await post('/v1/actions/workload.scale', requestFor())),
      '503 not_ready',
    )
    assert.deepEqual(mediator.heard, [])
  })

  it('tells the agent when what it needs is away, or is something else', async (t) => {
    const { app, post } = await startApp(t, [() => cut('ECONNREFUSED')])
    const responses = [
      await app.request('/v1/actions'),
      await app.request('/v1/triggers'),
      await post('/v1/actions/workload.scale', requestFor()),
      await post('/v1/tools/kubernetes-read/get', {}),
    ]
    for (const response of responses) {
      assert.equal(await errorOf(response), '502 upstream_unavailable')
    }
    const strange = await startApp(t, [(c) => c.html('<h1>hello</h1>')])
    assert.equal(
      await errorOf(await strange.app.request('/v1/triggers')),
      '502 upstream_unavailable',
    )
  })

  it('passes on the code the control plane gave', async (t) => {
    const error = new JackstayError('forbidden', 'no agent class lives here')
    const { app } = await startApp(t, [(c) => c.json(errorBody(error), 403)])
    assert.equal(await errorOf(await app.request('/v1/triggers')), '403 forbidden')
  })

  it('shows no token and no signature to the agent or the log', async (t) => {
    const { app, post, lines } = await startApp(t, [(c) => c.json(viewIn('verified'), 200)])
    const answers = [
      await (await post('/v1/actions/workload.scale', requestFor())).text(),
      await (await app.request('/metrics')).text(),
      await (await app.request('/readyz')).text(),
      ...lines,
    ]
    for (const text of answers) {
      for (const use of ['enrol', 'intent', 'tools'] as const) {
        assert.ok(!text.includes(tokenFor(use)))
      }
      assert.ok(!text.includes('"jws":"ey'))
    }
  })
})

describe('the sidecar on localhost', () => {
  it('answers no web page, whatever name it comes by', async (t) => {
    const { app } = await startApp(t, [])
    const url = 'http://127.0.0.1:7442/healthz'
    assert.equal((await app.request(url)).status, 200)
    const strange: [string, Record<string, string>][] = [
      ['http://evil.example:7442/v1/triggers', {}],
      ['http://127.0.0.1:7442/v1/triggers', { origin: 'http://evil.example' }],
      ['http://127.0.0.1:7442/v1/triggers', { 'sec-fetch-site': 'cross-site' }],
    ]
    for (const [page, headers] of strange) {
      assert.equal((await app.request(page, { headers })).status, 403)
    }
  })
})
