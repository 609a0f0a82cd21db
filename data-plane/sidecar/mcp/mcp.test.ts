import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { ClusterInfo, IntentView } from '@jackstay/contract/api'
import { errorBody, JackstayError } from '@jackstay/contract/errors'
import { intentClaims, intentSubmission } from '@jackstay/contract/intent'
import { parseCanonical } from '@jackstay/contract/json'
import { readUnverified } from '@jackstay/contract/signing'
import type { Context } from 'hono'
import { z } from 'zod'
import {
  clusterUid,
  cut,
  type Heard,
  intentId,
  requestFor,
  startApp,
  tokenFor,
  viewIn,
} from '../sidecar-world.ts'

const info: ClusterInfo = {
  clusterUid,
  catalogueVersion: '7',
  class: { name: 'web', autonomy: 'act-within-policy' },
  actions: [
    {
      name: 'workload.scale',
      description: 'Sets the replicas.',
      params: z.toJSONSchema(z.strictObject({ replicas: z.int().min(0).max(100) })),
      targets: [{ namespaces: ['shop'], names: ['*'] }],
    },
  ],
}
const alert = {
  id: intentId,
  source: 'alertmanager' as const,
  status: 'firing' as const,
  fingerprint: 'f',
  groupKey: 'g',
  startsAt: '2026-01-05T12:00:00Z',
  receivedAt: '2026-01-05T12:00:00Z',
  labels: { alertname: 'Down' },
  annotations: {},
}

const result = z.object({
  isError: z.boolean().optional(),
  structuredContent: z.looseObject({
    phase: z.string().optional(),
    next: z.string().optional(),
    intent: z.string().optional(),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        retryable: z.boolean(),
        retryAfterSeconds: z.number().optional(),
      })
      .optional(),
  }),
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
})
const reply = z.looseObject({
  result: z.looseObject({}).optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
})

type Mediator = (c: Context, heard: Heard) => Response | Promise<Response>

/** A client that speaks raw JSON-RPC, as the protocol version says. */
async function start(t: TestContext, mediator: Mediator = refuses('not_ready')) {
  const app = await startApp(t, [
    (c, heard) => (heard.path === '/v1/cluster' ? c.json(info) : mediator(c, heard)),
  ])
  const send = async (body: unknown, headers: Record<string, string> = {}) =>
    await app.app.request('http://127.0.0.1:7442/mcp', {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
    })
  const rpc = async (method: string, params: object = {}) => {
    const response = await send({ jsonrpc: '2.0', id: 1, method, params })
    const text = await response.text()
    const data = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? text)
    return reply.parse(JSON.parse(data))
  }
  const call = async (name: string, args: object = {}) =>
    result.parse((await rpc('tools/call', { name, arguments: args })).result)
  return { ...app, send, rpc, call }
}

function refuses(code: ConstructorParameters<typeof JackstayError>[0], options = {}): Mediator {
  const error = new JackstayError(code, `it is ${code}`, options)
  return (c) => c.json(errorBody(error), { status: 400 })
}

const says =
  (view: IntentView): Mediator =>
  (c) =>
    c.json(view)
const ended = (phase: 'refused' | 'verified', reason: string, message: string): IntentView => {
  const view = viewIn(phase)
  const at = view.summary.updatedAt
  const event = { seq: 1, type: 'ended', at, data: { phase, reason, message }, leafIndexes: [] }
  return { summary: { ...view.summary, reason }, events: [event] }
}
const scale = () => requestFor()

describe('the sidecar as an MCP server', () => {
  it('greets clients of every version in use', async (t) => {
    const { rpc } = await start(t)
    for (const protocolVersion of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const clientInfo = { name: 'c', version: '1' }
      const said = await rpc('initialize', { protocolVersion, capabilities: {}, clientInfo })
      assert.equal(said.result?.protocolVersion, protocolVersion)
    }
  })

  it('serves the version without a handshake', async (t) => {
    const { send } = await start(t)
    const prefix = 'io.modelcontextprotocol'
    const meta = {
      [`${prefix}/protocolVersion`]: '2026-07-28',
      [`${prefix}/clientInfo`]: { name: 'c', version: '1' },
      [`${prefix}/clientCapabilities`]: {},
    }
    const response = await send(
      { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
    )
    const { result: listed } = reply.parse(await response.json())
    assert.ok(Array.isArray(listed?.tools) && listed.tools.length > 2)
  })

  it('offers what the class may do, honestly marked, and what always is there (T66)', async (t) => {
    const { rpc } = await start(t)
    const tool = z.object({
      name: z.string(),
      description: z.string(),
      annotations: z.object({ readOnlyHint: z.boolean(), destructiveHint: z.boolean() }),
      inputSchema: z.object({ type: z.literal('object'), properties: z.looseObject({}) }),
    })
    const { tools } = z.object({ tools: z.array(tool) }).parse((await rpc('tools/list')).result)
    const names = tools.map(({ name }) => name)
    assert.deepEqual(names.slice(0, 2), ['list_triggers', 'await_outcome'])
    assert.ok(names.includes('kubernetes_get') && names.includes('workload_scale'))
    for (const { name, annotations } of tools) {
      assert.equal(annotations.readOnlyHint, name !== 'workload_scale', name)
      assert.equal(annotations.destructiveHint, name === 'workload_scale', name)
    }
    const scaling = tools.find(({ name }) => name === 'workload_scale')
    const properties = Object.keys(scaling?.inputSchema.properties ?? {})
    assert.deepEqual(properties, ['target', 'params', 'reasoning', 'trigger', 'wait'])
    assert.match(scaling?.description ?? '', /namespace shop, name any/)
  })

  it('signs and submits what a tool call asks for, and answers with the outcome', async (t) => {
    const { call, mediator } = await start(t, says(ended('verified', 'succeeded', 'it holds')))
    const answer = await call('workload_scale', { ...scale(), trigger: intentId, wait: 3 })
    assert.equal(answer.isError, undefined)
    assert.equal(answer.structuredContent.phase, 'verified')
    assert.deepEqual(JSON.parse(answer.content[0]?.text ?? ''), answer.structuredContent)
    const sent = mediator.heard.find(({ method }) => method === 'POST')
    assert.equal(sent?.path, '/v1/intents?wait=3')
    const { jws } = intentSubmission.parse(parseCanonical(sent?.body ?? ''))
    const claims = intentClaims.parse(readUnverified(jws, 'jackstay-intent+jws').payload)
    assert.equal(claims.action, 'workload.scale')
    assert.deepEqual(claims.trigger, { id: intentId })
  })

  it('takes a call of a hidden tool to the control plane, which refuses and records it (T59)', async (t) => {
    const refused = ended('refused', 'outside_class', 'the class may not')
    const { call, rpc, mediator } = await start(t, says(refused))
    const answer = await call('node_drain', { ...scale(), params: {} })
    assert.equal(answer.isError, true)
    assert.equal(answer.structuredContent.phase, 'refused')
    assert.match(String(answer.structuredContent.next), /tools\/list/)
    assert.equal(mediator.heard.filter(({ method }) => method === 'POST').length, 1)
    const unknown = await rpc('tools/call', { name: 'Shell; rm -rf', arguments: {} })
    assert.equal(unknown.error?.code, -32602)
  })

  it('names the wrong field and sends nothing (T63, T66, T55)', async (t) => {
    const { rpc, call, mediator, tools } = await start(t)
    await rpc('tools/list')
    const { target, ...rest } = scale()
    const wrong: [string, object, RegExp][] = [
      ['workload_scale', { ...scale(), params: { replicas: 'many' } }, /`params.replicas`/],
      ['workload_scale', { ...scale(), params: { replicas: 1, as: 'admin' } }, /as/],
      ['workload_scale', { ...rest, target: { ...target, name: '--as=admin' } }, /`target.name`/],
      ['workload_scale', { ...rest, target: { ...target, name: 'web\r\nx' } }, /`target.name`/],
      ['workload_scale', { ...rest, target: { ...target, name: 'we\u202eb' } }, /`target.name`/],
      ['workload_scale', { ...scale(), annotations: { readOnlyHint: true } }, /annotations/],
      ['kubernetes_get', { kind: 'Pod', namespace: 'shop', name: '--kubeconfig=/x' }, /`name`/],
      ['await_outcome', { intent: 'x' }, /`intent`/],
    ]
    for (const [name, args, field] of wrong) {
      const { isError, structuredContent } = await call(name, args)
      assert.equal(isError, true, name)
      assert.equal(structuredContent.error?.code, 'invalid_request')
      assert.match(structuredContent.error?.message ?? '', field)
    }
    assert.deepEqual(tools.heard, [])
    assert.ok(mediator.heard.every(({ path }) => path === '/v1/cluster'))
  })

  it('reads through the tool with its own token, as it was asked', async (t) => {
    const { call, tools } = await start(t)
    const question = { kind: 'Pod', namespace: 'shop', name: 'web-0' }
    await call('kubernetes_get', question)
    assert.equal(tools.heard[0]?.path, '/v1/tools/get')
    assert.equal(tools.heard[0]?.authorization, `Bearer ${tokenFor('tools')}`)
    assert.deepEqual(JSON.parse(tools.heard[0]?.body ?? ''), question)
  })

  it('shows an alert again to a model that forgot it', async (t) => {
    let handed = 0
    const { call } = await start(t, (c) => c.json({ triggers: handed++ === 0 ? [alert] : [] }))
    for (const _ of [1, 2]) {
      const { structuredContent } = await call('list_triggers')
      assert.deepEqual(structuredContent.triggers, [alert])
    }
  })
})

describe('errors a model can act on', () => {
  it('say when to try again', async (t) => {
    const limited = await start(t, refuses('rate_limited', { retryAfterSeconds: 17 }))
    const { isError, structuredContent } = await limited.call('workload_scale', scale())
    assert.equal(isError, true)
    assert.equal(structuredContent.error?.retryAfterSeconds, 17)
    assert.match(structuredContent.next ?? '', /wait 17 seconds/)
  })

  it('tell what is away, that nothing was changed, and when to call again', async (t) => {
    const { call } = await start(t, () => cut('ECONNREFUSED'))
    const { structuredContent } = await call('workload_scale', scale())
    assert.equal(structuredContent.error?.code, 'upstream_unavailable')
    assert.match(structuredContent.next ?? '', /nothing was changed: wait \d+ seconds/)
  })

  it('tell that people stopped changes', async (t) => {
    const { call } = await start(t, says(ended('refused', 'suspended', 'stopped by `all`')))
    const { isError, structuredContent } = await call('workload_scale', scale())
    assert.equal(isError, true)
    assert.match(structuredContent.next ?? '', /until they lift it/)
  })

  it('refuse bodies in which two readers see different things (T10, T12)', async (t) => {
    const { send } = await start(t)
    const twice = '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'
    const response = await send(twice)
    assert.equal(response.status, 400)
    assert.equal(reply.parse(await response.json()).error?.code, -32700)
    assert.equal((await send('x'.repeat(70_000))).status, 413)
  })

  it('refuse web pages, whatever name they come by', async (t) => {
    const { send, app } = await start(t)
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    assert.equal((await send(ping, { origin: 'http://evil.example' })).status, 403)
    assert.equal((await send(ping, { origin: 'http://127.0.0.1:3000' })).status, 403)
    assert.equal((await send(ping, { origin: 'http://127.0.0.1:7442' })).status, 200)
    assert.equal((await app.request('http://evil.example/mcp', { method: 'POST' })).status, 403)
    assert.equal((await app.request('http://127.0.0.1:7442/mcp')).status, 405)
  })
})
