import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ReadVerb, reads } from '@jackstay/contract/reads'
import { apply } from './governed.ts'
import { type LineWorld, lineWorld, noLine, type Tenant } from './line-world.ts'

describe('what agents read, of a real API server', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  let other: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
    other = await w.tenant()
    await w.deployment(tenant, 'web', 0)
    const args = ['-n', tenant.targets, 'patch', 'deployment', 'web', '-p']
    const container = { name: 'none', image: 'jackstay.local/none:2' }
    const env = [
      { name: 'PASSWORD', value: 'hunter2-the-secret' },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'web', key: 'key' } } },
    ]
    const patch = { spec: { template: { spec: { containers: [{ ...container, env }] } } } }
    assert.equal((await w.kubectl([...args, JSON.stringify(patch)])).code, 0)
    const metadata = { name: 'web', namespace: tenant.targets }
    await apply(w, [{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'hunter3' } }])
  })
  after(async () => await w?.close())

  async function ask(verb: ReadVerb, question: object, as = tenant) {
    const token = await as.agent.token('tools')
    const answer = await fetch(`${w.plane.toolsUrl}/v1/tools/${verb}`, {
      method: 'POST',
      body: JSON.stringify(question),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    return { status: answer.status, body: await answer.json() }
  }
  const web = () => ({ kind: 'Deployment', namespace: tenant.targets, name: 'web' })

  it('every verb answers in its shape, with evidence and without secrets (T38)', async () => {
    const here = { kind: 'ReplicaSet', namespace: tenant.targets }
    await w.until(async () => {
      const { body } = await ask('list', here)
      return reads.list.answer.parse(body).items.length === 2
    }, 'both revisions')
    const questions: [ReadVerb, object][] = [
      ['get', { ...web(), full: true }],
      ['list', { kind: 'Deployment', namespace: tenant.targets, full: true }],
      ['describe', web()],
      ['events', web()],
      ['history', web()],
    ]
    for (const [verb, question] of questions) {
      const { status, body } = await ask(verb, question)
      assert.equal(status, 200, `${verb}: ${JSON.stringify(body)}`)
      const answer = reads[verb].answer.parse(body)
      assert.match(JSON.stringify(answer), /"digest":"sha256:[0-9a-f]{64}"/, verb)
      assert.doesNotMatch(JSON.stringify(body), /hunter/, verb)
    }
  })

  it('names the revisions of a rollout and what changed between them', async () => {
    const { body } = await ask('history', web())
    const { revisions } = reads.history.answer.parse(body)
    assert.deepEqual(
      revisions.map(({ revision }) => revision),
      [2, 1],
    )
    assert.match(JSON.stringify(revisions), /jackstay\.local\/none:2/)
  })

  it('never reads Secrets, and nothing of another tenant (T38, T76)', async () => {
    const secret = await ask('get', { kind: 'Secret', namespace: tenant.targets, name: 'web' })
    assert.equal(secret.status >= 400 && secret.status < 500, true, JSON.stringify(secret.body))
    for (const verb of ['get', 'describe', 'events', 'history'] as const) {
      const foreign = await ask(verb, web(), other)
      assert.equal(foreign.status, 404, `${verb}: ${JSON.stringify(foreign.body)}`)
    }
    const namespace = { kind: 'Deployment', namespace: 'no-such-namespace', name: 'web' }
    assert.equal((await ask('get', namespace)).status, 404)
  })
})
