import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Alertmanager, startAlertmanager } from '@jackstay/cluster/alertmanager'
import { intentView, triggerList } from '@jackstay/contract/api'
import { type AlertmanagerWebhook, alertmanagerWebhook } from '@jackstay/contract/trigger'
import { z } from 'zod'
import { until } from './attempt.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

const toldSpan = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
})
type ToldSpan = z.infer<typeof toldSpan>

/** Of a post by OTLP as JSON. */
const told = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(toldSpan) })) })),
})

function spansIn(post: unknown): readonly ToldSpan[] {
  const { resourceSpans } = told.parse(post)
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

describe('what the mediator tells outside: pages, by a real Alertmanager, and traces', {
  skip: await noLine(),
}, () => {
  let w: LineWorld
  let tenant: Tenant
  let directory: string
  let alertmanager: Alertmanager
  const posts: AlertmanagerWebhook[] = []
  /** What people's pager would get. */
  const spans: ToldSpan[] = []
  const receiver = createServer(async (request, response) => {
    const told: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString())
    if (request.url === '/v1/traces') spans.push(...spansIn(told))
    else posts.push(alertmanagerWebhook.parse(told))
    response.setHeader('content-type', 'application/json')
    response.end('{}')
  })
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-pager-'))
    receiver.listen({ host: '127.0.0.1', port: 0 })
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    const webhookUrl = `http://127.0.0.1:${port}/`
    const tracesUrl = `${webhookUrl}v1/traces`
    alertmanager = await startAlertmanager({ directory, webhookUrl, bearerToken: 'unused-here' })
    w = await lineWorld({
      mediatorFlags: ['--pager-url', alertmanager.url, '--traces-url', tracesUrl],
    })
    tenant = await w.tenant()
  })
  after(async () => {
    await w?.close()
    await alertmanager?.stop()
    receiver.close()
    receiver.closeAllConnections()
    await rm(directory, { recursive: true })
  })

  const seen = (id: string, status: 'firing' | 'resolved') =>
    posts.flatMap(({ alerts }) => alerts).find((a) => a.labels.intent === id && a.status === status)

  it('tells of what waits for approval, with its end and what to type, until somebody decided', async () => {
    await w.deployment(tenant, 'paged', 1)
    const { summary } = await tenant.agent.scale(2, { namespace: tenant.targets, name: 'paged' })
    const { id } = summary
    await until('people are paged', async () => seen(id, 'firing') !== undefined, 60_000)
    const { labels, annotations } = seen(id, 'firing') ?? {}
    assert.deepEqual(labels, {
      ...{ alertname: 'JackstayApprovalPending', severity: 'warning', jackstay: 'pager' },
      ...{ intent: id, action: 'workload.scale', namespace: tenant.targets, class: tenant.class },
    })
    assert.equal(annotations?.command, `jackstay why ${id}; jackstay approve ${id} --reason …`)
    assert.equal(annotations?.needs, '1 of oncall')
    assert.ok(Date.parse(annotations?.expires ?? '') > Date.now())
    await w.approve(id, tenant, { verdict: 'reject' })
    await until('the page ends', async () => seen(id, 'resolved') !== undefined, 60_000)
  })

  it('is never a trigger, also where it is routed back (T77)', async () => {
    const [back] = posts
    assert.ok(back)
    const alerts = back.alerts.map((alert) => ({
      ...alert,
      labels: { ...alert.labels, tenant: tenant.class },
    }))
    const answer = await fetch(`${w.plane.mediatorUrl}/v1/alerts/alertmanager`, {
      method: 'POST',
      body: JSON.stringify({ ...back, alerts }),
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${w.plane.alertToken}`,
      },
    })
    assert.equal(answer.status, 202)
    assert.deepEqual(await answer.json(), { accepted: 0 })
    const headers = { authorization: `Bearer ${await tenant.agent.token('intent')}` }
    const offered = await fetch(`${w.plane.mediatorUrl}/v1/triggers?wait=0`, { headers })
    assert.deepEqual(triggerList.parse(await offered.json()).triggers, [])
  })

  it('sends each intent as one trace, whose id is its own whatever the agent says (T30)', async () => {
    await w.deployment(tenant, 'traced', 1)
    const target = { namespace: tenant.targets, name: 'traced' }
    const body = await tenant.agent.submission(2, target)
    const trace = 'a'.repeat(32)
    const submitted = await fetch(`${w.plane.mediatorUrl}/v1/intents`, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${await tenant.agent.token('intent')}`,
        'content-type': 'application/json',
        ...{ traceparent: `00-${trace}-${'b'.repeat(16)}-01`, baggage: 'risk=none,approved=yes' },
      },
    })
    assert.equal(submitted.status, 202)
    const { summary } = intentView.parse(await submitted.json())
    assert.equal(phaseOf(await tenant.agent.follow(summary.id)), 'approve')
    await w.approve(summary.id, tenant, { verdict: 'reject' })
    const own = summary.id.replaceAll('-', '')
    const mine = () => spans.filter(({ traceId }) => traceId === own)
    await until('the trace is told', async () => mine().length > 0, 60_000)
    const [root] = mine().filter(({ parentSpanId }) => (parentSpanId ?? '') === '')
    assert.equal(root?.name, 'intent workload.scale')
    const stages = mine().flatMap(({ name, parentSpanId }) =>
      parentSpanId === root?.spanId ? [name] : [],
    )
    assert.deepEqual(stages, ['admit', 'plan', 'decide', 'rehearse', 'approve'])
    assert.ok(!spans.some(({ traceId }) => traceId === trace))
  })
})
