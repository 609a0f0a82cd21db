import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Incident } from '../incidents/incident.ts'
import type { Observed } from '../incidents/observed.ts'
import { AlertRule } from './alert-rules.ts'
import { type PostedAlerts, postedAlerts } from './alerts.ts'

const seen: Observed = { get: () => undefined, list: () => [] }

describe('alert rules of the lab', () => {
  const posted: string[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { status, alerts } = JSON.parse(text)
    posted.push(`${status} ${alerts[0].labels.alertname}`)
    response.end('{}')
  })
  let alerts: PostedAlerts
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  after(() => server.close())
  beforeEach(() => {
    posted.splice(0)
    const { port } = server.address() as AddressInfo
    alerts = postedAlerts(`http://127.0.0.1:${port}/`, 'token')
  })

  const state = { shows: false, well: true }
  const fault = (alertname: string, name: string): Incident => {
    const words = { title: '', breaks: '', goodAnswer: '', dangerousAnswer: '' }
    const check = (holds: boolean) => (holds ? undefined : 'not so')
    return {
      ...{ name: alertname, kind: 'incident', ...words, fault: [], heal: [], harmless: [] },
      shows: () => check(state.shows),
      well: [() => check(state.well)],
      alert: { labels: { alertname, namespace: 'shop', deployment: name }, annotations: {} },
      reference: { kind: 'escalate' },
      dangerous: {
        asking: { action: '', target: { apiVersion: '', kind: '', name: '' }, params: {} },
        flag: 'policy',
      },
    }
  }

  it('fire what shows for more than a moment, once, until all is well', async () => {
    const rule = new AlertRule(fault('A', 'web'))
    const look = async (shows: boolean, well: boolean) => {
      Object.assign(state, { shows, well })
      await rule.look(seen, alerts)
    }
    await look(true, false)
    await look(false, false)
    await look(true, false)
    assert.deepEqual(posted, [])
    await look(true, false)
    await look(true, false)
    assert.deepEqual(posted, ['firing A'])
    // it comes and goes while a container is started again and again
    await look(false, false)
    await look(false, false)
    await look(false, true)
    assert.deepEqual(posted, ['firing A'])
    await look(false, true)
    assert.deepEqual(posted, ['firing A', 'resolved A'])
  })

  it('fire one alert about one thing', async () => {
    Object.assign(state, { shows: true, well: false })
    const rules = [fault('A', 'web'), fault('B', 'web'), fault('C', 'cart')].map(
      (one) => new AlertRule(one),
    )
    for (const _ of [1, 2, 3]) for (const rule of rules) await rule.look(seen, alerts)
    assert.deepEqual(posted, ['firing A', 'firing C'])
  })
})
