import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { triggerList } from '@jackstay/contract/api'
import { attempt, passed } from './attempt.ts'
import { bindingOf, boundAnyway } from './governed.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

describe('alerts', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
  })
  after(async () => await w?.close())

  function webhook(
    status: 'firing' | 'resolved',
    labels: Record<string, string>,
    fingerprint: string,
  ) {
    const alert = {
      ...{ status, labels, annotations: {}, fingerprint },
      startsAt: '2026-01-01T00:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
    }
    const group = { version: '4', groupKey: 'e2e', status, receiver: 'jackstay' }
    return JSON.stringify({ ...group, alerts: [alert] })
  }

  async function post(body: string, authorization?: string): Promise<number> {
    const answer = await fetch(`${w.plane.mediatorUrl}/v1/alerts/alertmanager`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    })
    await answer.body?.cancel()
    return answer.status
  }

  async function triggers(wait = 5, { agent }: Pick<Tenant, 'agent'> = tenant) {
    const headers = { authorization: `Bearer ${await agent.token('intent')}` }
    const url = `${w.plane.mediatorUrl}/v1/triggers?wait=${wait}`
    return triggerList.parse(await (await fetch(url, { headers })).json()).triggers
  }

  it('are taken only with the right credentials (T77)', async () => {
    const body = webhook('firing', { tenant: tenant.class }, 'abc1')
    assert.equal(await post(body), 401)
    assert.equal(await post(body, 'Bearer wrong-but-long-enough-to-be-one'), 401)
    assert.equal(await post(body, `Bearer ${await tenant.agent.token('intent')}`), 401)
    assert.deepEqual(await triggers(0), [])
  })

  it('are refused with one clear error when malformed', async () => {
    const authorization = `Bearer ${w.plane.alertToken}`
    assert.equal(await post('{', authorization), 400)
    assert.equal(await post('{"version":"3","alerts":[]}', authorization), 400)
  })

  it('reach the class whose labels match once, give no right, and end what waits for them (T77)', async () => {
    const authorization = `Bearer ${w.plane.alertToken}`
    const labels = { tenant: tenant.class, namespace: 'kube-system', deployment: 'coredns' }
    const polling = triggers(20)
    assert.equal(await post(webhook('firing', { tenant: 'another' }, 'abc2'), authorization), 202)
    assert.equal(await post(webhook('firing', labels, 'abc3'), authorization), 202)
    assert.equal(await post(webhook('firing', labels, 'abc3'), authorization), 202)
    const [trigger, ...others] = await polling
    assert.deepEqual(others, [])
    assert.equal(trigger?.fingerprint, 'abc3')
    assert.deepEqual(await triggers(0), [], 'leased')
    const id = trigger?.id ?? ''
    const bend = { trigger: { id } }
    const elsewhere = await tenant.agent.scale(
      0,
      { namespace: 'kube-system', name: 'coredns' },
      bend,
    )
    assert.equal(phaseOf(elsewhere), 'refused/outside_class')

    await w.deployment(tenant, 'alerted', 2)
    const waiting = await tenant.agent.scale(
      0,
      { namespace: tenant.targets, name: 'alerted' },
      bend,
    )
    assert.equal(phaseOf(waiting), 'approve')
    assert.equal(await post(webhook('resolved', labels, 'abc3'), authorization), 202)
    const ended = await tenant.agent.follow(waiting.summary.id)
    assert.equal(phaseOf(ended), 'obsolete/trigger_resolved')
    assert.equal(await w.replicas(tenant, 'alerted'), 2)
  })

  it('are one Pod’s until it dies, then another’s (two replicas never answer the same alert)', async () => {
    const pods = [tenant.agent, await w.enrolled(tenant)] as const
    const labels = { tenant: tenant.class }
    const authorization = `Bearer ${w.plane.alertToken}`
    const poll = async (agent: (typeof pods)[number], query: string) => {
      const headers = { authorization: `Bearer ${await agent.token('intent')}` }
      const answer = await fetch(`${w.plane.mediatorUrl}/v1/triggers?${query}`, { headers })
      return triggerList.parse(await answer.json()).triggers.map(({ id }) => id)
    }
    assert.equal(await post(webhook('firing', labels, 'abc7'), authorization), 202)
    const first = await Promise.all(pods.map((pod) => poll(pod, 'wait=0')))
    assert.equal(first.flat().length, 1, 'one of two that ask at once')
    const id = first.flat()[0] ?? ''
    const mine = first[0]?.length === 1 ? 0 : 1
    const [holder, other] = [pods[mine], pods[1 - mine] ?? pods[0]]
    assert.deepEqual(await poll(holder ?? pods[0], `wait=0&seen=${id}`), [])
    assert.deepEqual(await poll(other, 'wait=0'), [])
    const { namespace, name } = holder?.pod ?? pods[0].pod
    await w.kubectl(['-n', namespace, 'delete', 'pod', name, '--grace-period=0', '--force'])
    await w.until(async () => (await poll(other, 'wait=5')).includes(id), 'the other takes over')
  })

  it('stay with nobody while agents of the class hold more than reads, and nothing is done for it (T85)', async () => {
    const held = await w.tenant()
    await w.deployment(held, 'left-alone', 2)
    const wide = `wide-${held.class}`
    const account = { namespace: held.namespace, name: 'agent' }
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${held.targets}/rolebindings/${wide}`
    await boundAnyway(w, [bindingOf(wide, 'edit', account, held.targets)])
    const ready = async (status: string) => {
      const condition = `--for=condition=Ready=${status}`
      const { code, stderr } = await w.kubectl([
        'wait',
        condition,
        '--timeout=60s',
        `agentclass/${held.class}`,
      ])
      assert.equal(code, 0, stderr)
    }
    await ready('False')
    const why = '{.status.conditions[?(@.type=="ReadsOnly")].message}'
    const said = await w.kubectl(['get', 'agentclass', held.class, '-o', `jsonpath=${why}`])
    assert.match(said.stdout, new RegExp(`RoleBinding ${held.targets}/${wide} gives .*\`edit\``))
    const target = { namespace: held.targets, name: 'left-alone' }
    assert.equal(phaseOf(await held.agent.scale(1, target)), 'refused/more_than_reads')
    const authorization = `Bearer ${w.plane.alertToken}`
    const body = webhook('firing', { tenant: held.class }, 'abc9')
    assert.equal(await post(body, authorization), 202)
    assert.deepEqual(await triggers(0, held), [])
    // once it is gone all goes on by itself
    passed(await attempt(w.admin, 'DELETE', path))
    await ready('True')
    assert.equal((await triggers(5, held)).length, 1)
    assert.equal(await w.replicas(held, 'left-alone'), 2)
  })
})
