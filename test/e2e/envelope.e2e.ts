import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { intentView } from '@jackstay/contract/api'
import { canonical } from '@jackstay/contract/json'
import { sign } from '@jackstay/contract/signing'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'
import { code, newKey, TestAgent } from './test-agent.ts'

const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : canonical(value)).toString('base64url')

describe('the envelope of an intent', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  let agent: TestAgent
  let target: { namespace: string; name: string }
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
    agent = tenant.agent
    target = { namespace: tenant.targets, name: 'web' }
    await w.deployment(tenant, 'web', 2)
  })
  after(async () => {
    const replicas = w && (await w.replicas(tenant, 'web'))
    await w?.close()
    assert.equal(replicas, 2, 'nothing that was refused wrote anything')
  })

  async function intents(): Promise<number> {
    const url = `${w.plane.mediatorUrl}/v1/intents?limit=200`
    const headers = { authorization: `Bearer ${await agent.token('intent')}` }
    const { intents: all } = (await (await fetch(url, { headers })).json()) as {
      intents: unknown[]
    }
    return all.length
  }

  async function refused(body: string, expected: string | RegExp, token?: string): Promise<void> {
    const before = await intents()
    const answer = code(await agent.submit(body, 0, token))
    assert.match(answer, typeof expected === 'string' ? new RegExp(`^${expected}$`) : expected)
    assert.equal(await intents(), before, 'no intent began')
  }

  it('gives the same bytes the first answer, also after a restart: one effect (T01)', async () => {
    await w.deployment(tenant, 'once', 2)
    const once = { ...target, name: 'once' }
    const body = await agent.submission(0, once)
    const first = intentView.parse((await agent.submit(body, 30)).body)
    await w.approve(first.summary.id, tenant)
    assert.equal(phaseOf(await agent.follow(first.summary.id)), 'verified/succeeded')
    await w.kubectl(['-n', tenant.targets, 'scale', 'deployment/once', '--replicas=2'])
    const [again, twin] = await Promise.all([agent.submit(body), agent.submit(body)])
    assert.deepEqual([again.status, twin.status], [200, 200])
    assert.equal(phaseOf(intentView.parse(again.body)), 'verified/succeeded')
    await w.plane.mediator.kill()
    await w.plane.mediator.start()
    const restarted = await agent.submit(body)
    assert.equal(phaseOf(intentView.parse(restarted.body)), 'verified/succeeded')
    assert.equal(await w.replicas(tenant, 'once'), 2)
  })

  it('refuses an id used for other bytes, and never shows another agent’s answer (T01)', async () => {
    await w.deployment(tenant, 'ids', 2)
    const body = await agent.submission(1, { ...target, name: 'ids' })
    const view = intentView.parse((await agent.submit(body, 30)).body)
    const jti = view.summary.id
    await refused(
      await agent.submission(0, { ...target, name: 'ids' }, { jti }),
      '409 intent_conflict',
    )
    const other = await w.tenant()
    const stolen = await other.agent.submission(0, { ...target, name: 'ids' }, { jti })
    assert.equal(code(await other.agent.submit(stolen)), '401 replayed')
    await w.approve(jti, tenant, { verdict: 'reject' })
  })

  it('refuses every header but the one form, before anything is looked up (T03)', async () => {
    const reasoning = agent.reasoning()
    const claims = await agent.claims(0, target, reasoning)
    const typ = 'jackstay-intent+jws'
    const { kid, publicKey } = agent.key
    const good = { alg: 'Ed25519', kid, typ }
    const none = `${b64({ ...good, alg: 'none' })}.${b64(claims)}.`
    await refused(canonical({ jws: none, reasoning }), '401 invalid_signature')
    const hmacInput = `${b64({ ...good, alg: 'HS256' })}.${b64(claims)}`
    const mac = createHmac('sha256', Buffer.from(publicKey.x, 'base64url')).update(hmacInput)
    const hs256 = `${hmacInput}.${mac.digest('base64url')}`
    await refused(canonical({ jws: hs256, reasoning }), '401 invalid_signature')
    const signed = await sign(typ, claims, agent.key)
    const [, payload, signature] = signed.split('.')
    const extra = { crit: ['exp'], b64: false, jku: 'x', jwk: publicKey, x5u: 'x', x5c: ['x'] }
    for (const [name, value] of Object.entries(extra)) {
      const jws = `${b64({ ...good, [name]: value })}.${payload}.${signature}`
      await refused(canonical({ jws, reasoning }), '401 invalid_signature')
    }
    const missing = `${b64({ alg: 'EdDSA', kid, typ })}.${payload}.${signature}`
    await refused(canonical({ jws: missing, reasoning }), '401 invalid_signature')
  })

  it('takes no enrolment for an intent and no intent for an enrolment (T04)', async () => {
    const reasoning = agent.reasoning()
    const claims = await agent.claims(0, target, reasoning)
    const enrolment = await sign('jackstay-enrol+jws', claims, agent.key)
    await refused(canonical({ jws: enrolment, reasoning }), '401 invalid_signature')
    const fresh = await w.newAgent(tenant)
    const now = Math.floor(Date.now() / 1000)
    const proof = await sign('jackstay-intent+jws', { iat: now }, fresh.key)
    const url = `${w.plane.registrarUrl}/v1/enrolments`
    const answer = await fresh.post(url, canonical({ proof }), await fresh.token('enrol'))
    assert.equal(code(answer), '401 invalid_signature')
  })

  it('refuses another cluster, another audience, another ServiceAccount (T05)', async () => {
    const elsewhere = { aud: '00000000-0000-4000-8000-000000000000' }
    await refused(await agent.submission(0, target, elsewhere), '401 wrong_audience')
    for (const purpose of ['enrol', 'tools'] as const) {
      const token = await agent.token(purpose)
      const { sha256 } = await import('@jackstay/contract/json')
      const body = await agent.submission(0, target, { ath: sha256(token) })
      await refused(body, /^401 (wrong_audience|unauthenticated)$/, token)
    }
    const other = await w.tenant()
    const token = await other.agent.token('intent')
    const { sha256 } = await import('@jackstay/contract/json')
    await refused(
      await agent.submission(0, target, { ath: sha256(token) }),
      '401 unauthenticated',
      token,
    )
    await refused(
      await agent.submission(0, target, { iss: other.agent.pod.namespace + '/agent' }),
      '401 invalid_signature',
    )
  })

  it('refuses a stolen token without its key and a stolen key without its token (T06)', async () => {
    const thief = new TestAgent(agent.pod, await newKey(), agent.clusterUid, agent.urls)
    await refused(await thief.submission(0, target), '401 unknown_key')
    const sibling = await w.newAgent(tenant)
    const token = await sibling.token('intent')
    await refused(await agent.submission(0, target), '401 invalid_signature', token)
  })

  it('refuses intents from the past, the future, or with a long life (T09)', async () => {
    const now = Math.floor(Date.now() / 1000)
    for (const bend of [
      { iat: now - 120, exp: now - 60 },
      { iat: now + 600, exp: now + 630 },
      { iat: now, exp: now + 61 },
      { iat: now, exp: now },
    ]) {
      await refused(await agent.submission(0, target, bend), '401 not_fresh')
    }
  })

  it('refuses a Pod that is gone, although its token may still review (T07)', async () => {
    const mortal = await w.newAgent(tenant)
    assert.equal((await mortal.enrol()).status < 300, true)
    await w.kubectl([
      '-n',
      tenant.namespace,
      'delete',
      'pod',
      mortal.pod.name,
      '--wait',
      '--grace-period=0',
    ])
    await w.until(async () => {
      const answer = code(await mortal.submit(await mortal.submission(0, target)))
      assert.match(answer, /^401 /)
      return /pod_not_live|unauthenticated|unknown_key/.test(answer)
    }, 'the Pod counts as gone')
  })

  it('refuses a Pod that has ended and still exists (T07)', async () => {
    const ended = await w.newAgent(tenant)
    assert.equal((await ended.enrol()).status < 300, true)
    const { namespace, name } = ended.pod
    const patch = JSON.stringify({ status: { phase: 'Failed' } })
    const path = ['-n', namespace, 'patch', 'pod', name, '--subresource=status', '-p', patch]
    const { code: failed, stderr } = await w.kubectl([...path])
    assert.equal(failed, 0, stderr)
    await w.until(async () => {
      const answer = code(await ended.submit(await ended.submission(0, target)))
      return /pod_not_live/.test(answer)
    }, 'the Pod counts as ended')
  })

  it('refuses duplicate keys, prototype keys, wrong numbers and unknown fields (T10, T11, T12, T16)', async () => {
    const good = await agent.submission(0, target)
    await refused(good.replace('{"jws"', '{"jws":"x","jws"'), '400 not_canonical')
    await refused(` ${good}`, '400 not_canonical')
    await refused(
      good.replace('{"jws"', '{"__proto__":{"a":1},"jws"'),
      '400 (forbidden_key|not_canonical)',
    )
    await refused(good.replace('{"jws"', '{"extra":1,"jws"'), '400 invalid_request')
    const inJws = async (payload: string) => {
      const head = b64({ alg: 'Ed25519', kid: agent.key.kid, typ: 'jackstay-intent+jws' })
      const signature = randomBytes(64).toString('base64url')
      return canonical({
        jws: `${head}.${b64(payload)}.${signature}`,
        reasoning: agent.reasoning(),
      })
    }
    const text = canonical(await agent.claims(0, target, agent.reasoning()))
    const bent: [string, RegExp][] = [
      [text.replace('"replicas":0', '"replicas":0,"replicas":5'), /400 not_canonical/],
      [text.replace('"replicas":0', '"replicas":-0'), /400 not_canonical/],
      [text.replace('"replicas":0', '"replicas":1e400'), /400 (not_canonical|malformed_json)/],
      [text.replace('"replicas":0', '"replicas":9007199254740993'), /400 not_canonical/],
      [text.replace('"replicas":0', '"replicas":NaN'), /400 malformed_json/],
      [text.replace('"replicas":0', '"constructor":{"prototype":1}'), /400 forbidden_key/],
      [text.replace('"v":1', '"v":2'), /400 invalid_request/],
      [text.replace('"v":1', '"v":1,"w":1'), /400 invalid_request/],
      [text.replace('"name":"web"', '"name":"wеb"'), /400 invalid_request/],
    ]
    for (const [payload, expected] of bent) await refused(await inJws(payload), expected)
    assert.equal(({} as { a?: number }).a, undefined)
  })

  it('refuses signed parameters that make no sense, as a decision on record (T12)', async () => {
    for (const replicas of [-1, 1.5, '3', 5000]) {
      const { status, body } = await agent.submit(await agent.submission(replicas, target), 30)
      assert.equal(status, 202)
      assert.equal(phaseOf(intentView.parse(body)), 'refused/invalid_params')
    }
  })
})
