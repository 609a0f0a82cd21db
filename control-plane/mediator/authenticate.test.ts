import assert from 'node:assert/strict'
import { it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { canonical, digestOf, sha256 } from '@jackstay/contract/json'
import { sign } from '@jackstay/contract/signing'
import type { PodCaller } from '@jackstay/service/caller'
import { authenticate } from './authenticate.ts'
import { Line } from './line/line-builder.ts'
import type { PodView } from './ports.ts'

/** What an agent nobody knows submits, signed at `iat` seconds, to a log that began at `intentsFrom`. */
async function submitted(iat: number, intentsFrom: number): Promise<unknown> {
  const world = new Line()
  world.now = iat * 1000 + 1000
  const { clusterUid, clock, cluster, triggers } = world.ports()
  const reasoning = { summary: 'why', evidence: [], salt: '0'.repeat(32) }
  const claims = {
    ...{ v: 1, jti: '019a0000-0000-7000-8000-000000000001', seq: 1, iss: 'jackstay-class-b/agent' },
    ...{ sub: clusterUid, aud: clusterUid, iat, exp: iat + 60, ath: sha256('token') },
    action: 'workload.scale',
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    params: { replicas: 5 },
    reasoning: { digest: digestOf(reasoning) },
  }
  const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  assert.ok('privateKey' in keys)
  const { privateKey } = keys
  const jws = await sign('jackstay-intent+jws', claims, { kid: 'k'.repeat(43), privateKey })
  const identify = async () => assert.fail('nobody is asked about a token before the signature')
  const onMalformed = () => undefined
  const ports = { clusterUid, clock, cluster, triggers, intentsFrom, identify, onMalformed }
  return authenticate({ jws, reasoning }, 'token', ports).catch((error: unknown) => error)
}

it('T01 an intent signed before a recovery began the log is refused: it may have run already', async () => {
  const iat = Date.parse('2026-01-01T00:00:00Z') / 1000
  const codeOf = (answer: unknown) => (answer as { code?: string }).code
  const skew = 5
  // by a clock that was ahead, as far as one may be
  assert.equal(codeOf(await submitted(iat, (iat - skew) * 1000 + 1)), 'not_fresh')
  // the next check's answer: it got past this one
  assert.equal(codeOf(await submitted(iat, (iat - skew) * 1000)), 'invalid_signature')
  assert.equal(codeOf(await submitted(iat, 0)), 'invalid_signature')
})

const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
assert.ok('privateKey' in keys)
const { privateKey } = keys
const publicJwk = await crypto.subtle.exportKey('jwk', keys.publicKey)

interface World {
  readonly pod?: PodView | undefined
  /** What a TokenReview says. */
  readonly caller?: Partial<PodCaller>
  readonly revoked?: boolean
  readonly token?: string
}

/** The code that the enrolled agent's intent is refused with, or `accepted`; and what was asked for it. */
async function presented(world: World = {}, bent: (jws: string) => string = (jws) => jws) {
  const line = new Line()
  const { clusterUid, clock, cluster, triggers } = line.ports()
  const { claims, agent } = line.record().authenticated
  const reasoning = { summary: 'why', evidence: [], salt: '0'.repeat(32) }
  const iat = Math.floor(line.now / 1000)
  const mine = { ...claims, iat, exp: iat + 60, reasoning: { digest: digestOf(reasoning) } }
  const jws = bent(await sign('jackstay-intent+jws', mine, { kid: agent.kid, privateKey }))
  const asked: string[] = []
  const pod = { uid: agent.podUid, phase: 'Running' }
  const ports = {
    ...{ clusterUid, clock, triggers, intentsFrom: 0, onMalformed: () => undefined },
    cluster: {
      synced: () => true,
      key: (kid: string) => {
        asked.push('key')
        const found = cluster.key(kid)
        const revoked = world.revoked ?? false
        const publicKey = { crv: 'Ed25519', kty: 'OKP', x: publicJwk.x ?? '' } as const
        return found && { ...found, publicKey, revoked }
      },
      pod: () => ('pod' in world ? world.pod : pod),
    },
    identify: async () => {
      asked.push('token')
      const [namespace = '', name = ''] = agent.name.split('/')
      const username = `system:serviceaccount:${namespace}:${name}`
      const pod = { name: agent.podName, uid: agent.podUid }
      const kind = 'serviceaccount' as const
      return { kind, username, groups: [], namespace, name, pod, ...world.caller }
    },
  }
  const answer = await authenticate({ jws, reasoning }, world.token ?? 'token', ports).catch(
    (error: unknown) => error,
  )
  const code = answer instanceof JackstayError ? answer.code : 'accepted'
  return { code, asked }
}

it('T03 a header of another form is refused before a key is looked up or a token reviewed', async () => {
  assert.deepEqual(await presented(), { code: 'accepted', asked: ['key', 'token'] })
  const b64 = (value: unknown) => Buffer.from(canonical(value)).toString('base64url')
  const kid = 'k'.repeat(43)
  const good = { alg: 'Ed25519', kid, typ: 'jackstay-intent+jws' }
  const url = 'http://127.0.0.1:9/keys'
  for (const header of [
    { ...good, alg: 'none' },
    { ...good, alg: 'HS256' },
    { ...good, alg: 'EdDSA' },
    { ...good, alg: 'ES256' },
    { ...good, crit: ['exp'] },
    { ...good, b64: false },
    { ...good, jku: url },
    { ...good, x5u: url },
    { ...good, jwk: publicJwk },
    { ...good, typ: 'jackstay-enrol+jws' },
    { ...good, typ: 'JWT' },
  ]) {
    const bent = (jws: string) => [b64(header), ...jws.split('.').slice(1)].join('.')
    assert.deepEqual(await presented({}, bent), { code: 'invalid_signature', asked: [] })
  }
  const unsigned = (jws: string) => `${jws.split('.').slice(0, 2).join('.')}.`
  assert.deepEqual(await presented({}, unsigned), { code: 'invalid_signature', asked: [] })
})

it('T06 a signature or token of somebody else is refused before anybody reviews the token', async () => {
  const forged = (jws: string) => {
    const [head, body] = jws.split('.')
    return `${head}.${body}.${Buffer.alloc(64, 7).toString('base64url')}`
  }
  assert.deepEqual(await presented({}, forged), { code: 'invalid_signature', asked: ['key'] })
  const stolen = await presented({ token: 'another' })
  assert.deepEqual(stolen, { code: 'invalid_signature', asked: ['key'] })
  assert.deepEqual((await presented({ revoked: true })).asked, ['key'])
})

it('T07 a Pod that ends, ended, was replaced or is gone is refused, whatever its token reviews as', async () => {
  const { podUid: uid } = new Line().record().authenticated.agent
  const deletionTimestamp = '2026-01-01T12:00:00Z'
  for (const pod of [
    undefined,
    { uid: '99999999-9999-4999-8999-999999999999', phase: 'Running' },
    { uid, phase: 'Running', deletionTimestamp },
    { uid, phase: 'Pending', deletionTimestamp },
    { uid, phase: 'Succeeded' },
    { uid, phase: 'Failed' },
    { uid, phase: 'Unknown' },
  ]) {
    assert.equal((await presented({ pod })).code, 'pod_not_live', JSON.stringify(pod))
  }
  assert.equal((await presented({ pod: { uid, phase: 'Pending' } })).code, 'accepted')
})

it('T05 a token of another Pod or agent than the key’s is refused', async () => {
  const { podUid: uid, podName: name } = new Line().record().authenticated.agent
  for (const caller of [
    { name: 'other' },
    { namespace: 'jackstay-class-b' },
    { pod: { name: 'agent-1', uid } },
    { pod: { name, uid: '99999999-9999-4999-8999-999999999999' } },
  ]) {
    assert.equal((await presented({ caller })).code, 'unauthenticated', JSON.stringify(caller))
  }
})
