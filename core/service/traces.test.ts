import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { metrics } from './metrics.ts'
import { otlpTraces, type Span, type Traces } from './traces.ts'

const span = (n: number): Span => ({
  traceId: 'a'.repeat(32),
  spanId: n.toString(16).padStart(16, '0'),
  name: `span ${n}`,
  startMs: 1_767_225_600_123,
  endMs: 1_767_225_601_623,
  attributes: { 'jackstay.stage': 'plan', 'jackstay.attempt': 2 },
})

const told = z.object({
  resourceSpans: z.tuple([
    z.object({
      resource: z.object({
        attributes: z.array(z.object({ key: z.string(), value: z.json() })),
      }),
      scopeSpans: z.tuple([z.object({ spans: z.array(z.record(z.string(), z.json())) })]),
    }),
  ]),
})

describe('traces to a collector', () => {
  let url: URL
  let status = 200
  const posts: { readonly authorization: string | undefined; readonly body: unknown }[] = []
  const collector = createServer(async (request, response) => {
    const { authorization } = request.headers
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString())
    posts.push({ authorization, body })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  before(async () => {
    collector.listen({ host: '127.0.0.1', port: 0 })
    await once(collector, 'listening')
    url = new URL(`http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`)
  })
  after(() => {
    collector.close()
    collector.closeAllConnections()
  })

  /** Emits, closes, and says what was counted. */
  async function results(use: (traces: Traces) => void, maxWaiting = 100) {
    const registry = metrics({ name: 'x', process: false })
    const token = async () => 'a token'
    const said: string[] = []
    const say = (...words: unknown[]) => {
      said.push(String(words.at(-1)))
    }
    const log = { info: say, warn: say }
    const options = { url, program: 'a program', token, metrics: registry, log, maxWaiting }
    const traces = await otlpTraces(options)
    use(traces)
    await traces.close()
    const { text } = await registry.expose()
    const count = (result: string) =>
      Number(text.match(new RegExp(`result="${result}".* (\\d+)$`, 'm'))?.[1] ?? 0)
    return { sent: count('sent'), failed: count('failed'), dropped: count('dropped'), said }
  }

  it('sends names, times, attributes and parents, with the token of now', async () => {
    const child = { ...span(2), parentSpanId: span(1).spanId, failed: 'denied' }
    const counts = await results((traces) => traces.emit(() => [span(1), child]))
    assert.deepEqual(counts, { sent: 2, failed: 0, dropped: 0, said: [] })
    const [post] = posts.splice(0)
    assert.equal(post?.authorization, 'Bearer a token')
    const [{ resource, scopeSpans }] = told.parse(post?.body).resourceSpans
    assert.deepEqual(resource.attributes, [
      { key: 'service.name', value: { stringValue: 'a program' } },
    ])
    const [one, two] = scopeSpans[0].spans
    assert.equal(one?.startTimeUnixNano, '1767225600123000000')
    assert.equal(one?.endTimeUnixNano, '1767225601623000000')
    assert.deepEqual(one?.attributes, [
      { key: 'jackstay.stage', value: { stringValue: 'plan' } },
      { key: 'jackstay.attempt', value: { intValue: 2 } },
    ])
    assert.equal(two?.parentSpanId, one?.spanId)
    assert.deepEqual(two?.status, { code: 2, message: 'denied' })
  })

  it('waits for no collector that refuses: failed, dropped and sent are what was emitted (T70)', async () => {
    status = 400
    const counts = await results((traces) => {
      for (let n = 0; n < 30; n++) traces.emit(() => [span(n), span(n + 100)])
    }, 40)
    assert.deepEqual(counts, {
      sent: 0,
      failed: 40,
      dropped: 20,
      said: ['traces could not be sent'],
    })
  })
})
