import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type LineWorld, lineWorld, noLine, type Tenant } from './line-world.ts'
import { code, newKey, TestAgent } from './test-agent.ts'

describe('enrolment on a real API server', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
  })
  after(async () => await w?.close())

  async function enrol(agent: TestAgent, token: string, bend = {}): Promise<string> {
    const url = `${w.plane.registrarUrl}/v1/enrolments`
    return code(await agent.post(url, await agent.enrolment(bend, token), token))
  }

  it('takes only a token made for enrolling (T81)', async () => {
    const agent = await w.newAgent(tenant)
    for (const purpose of ['intent', 'tools'] as const) {
      assert.match(await enrol(agent, await agent.token(purpose)), /^401 /, purpose)
    }
    const { token } = await w.admin.createToken('jackstay-system', 'jackstay-mediator', {
      audiences: ['jackstay-enrol'],
      expirationSeconds: 600,
    })
    assert.match(await enrol(agent, token), /^40[13] /, 'a program of ours')
    const keys = await w.kubectl(['-n', tenant.namespace, 'get', 'agk', '-o', 'name'])
    assert.equal(keys.stdout.trim().split('\n').length, 1, 'the tenant’s own key alone')
  })

  it('revokes both keys when a Pod enrols a second one (T08)', async () => {
    const first = await w.newAgent(tenant)
    assert.ok((await first.enrol()).status < 300)
    assert.ok((await first.enrol()).status < 300, 'the same key again is the same answer')
    const second = new TestAgent(first.pod, await newKey(), first.clusterUid, first.urls)
    assert.equal(code(await second.enrol()), '409 second_enrolment')
    await w.until(async () => {
      const target = { namespace: tenant.targets, name: 'web' }
      const answer = code(await first.submit(await first.submission(0, target)))
      return answer === '401 key_revoked'
    }, 'the first key is revoked too')
  })

  it('writes an AgentKey that says whose it is, and goes with its Pod', async () => {
    const agent = await w.newAgent(tenant)
    assert.ok((await agent.enrol()).status < 300)
    const name = `pod-${agent.pod.uid}`
    const args = ['-n', tenant.namespace, 'get', 'agk', name, '-o', 'json']
    const key = JSON.parse((await w.kubectl(args)).stdout)
    assert.equal(key.spec.thumbprint, agent.key.kid)
    assert.equal(key.spec.class, tenant.class)
    await w.kubectl(['-n', tenant.namespace, 'delete', 'pod', agent.pod.name, '--grace-period=0'])
    await w.until(async () => (await w.kubectl(args)).code !== 0, 'the key is collected')
  })
})
