import assert from 'node:assert/strict'
import { it } from 'node:test'
import { digestOf, sha256 } from '@jackstay/contract/json'
import { sign } from '@jackstay/contract/signing'
import { authenticate } from './authenticate.ts'
import { Line } from './line-builder.ts'

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
