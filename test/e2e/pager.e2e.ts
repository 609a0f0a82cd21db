import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Alertmanager, startAlertmanager } from '@jackstay/cluster/alertmanager'
import { triggerList } from '@jackstay/contract/api'
import { type AlertmanagerWebhook, alertmanagerWebhook } from '@jackstay/contract/trigger'
import { until } from './attempt.ts'
import { type LineWorld, lineWorld, noLine, type Tenant } from './line-world.ts'

describe('the pager, by a real Alertmanager', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  let directory: string
  let alertmanager: Alertmanager
  const posts: AlertmanagerWebhook[] = []
  /** What people's pager would get. */
  const receiver = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString()
    posts.push(alertmanagerWebhook.parse(JSON.parse(text)))
    response.end()
  })
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-pager-'))
    receiver.listen({ host: '127.0.0.1', port: 0 })
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    const webhookUrl = `http://127.0.0.1:${port}/`
    alertmanager = await startAlertmanager({ directory, webhookUrl, bearerToken: 'unused-here' })
    w = await lineWorld({ mediatorFlags: ['--pager-url', alertmanager.url] })
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
})
