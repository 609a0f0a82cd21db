import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import type { KubeObject } from '../objects.ts'
import { isStatus } from '../status.ts'
import { listerOf } from './lister-builder.ts'
import { createTokenKey, tokenKey } from './token-key.ts'
import { reviewToken, verifyToken } from './token-review.ts'
import { requestToken, type TokenSettings } from './tokens.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const minute = 60_000
const settings: TokenSettings = {
  key: tokenKey(createTokenKey()),
  issuer: 'https://lab',
  audiences: ['https://lab'],
}
const account: KubeObject = { kind: 'ServiceAccount', metadata: { name: 'sa', namespace: 'shop' } }
const pod = (metadata: object = {}): KubeObject => ({
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', ...metadata },
  spec: { serviceAccountName: 'sa', nodeName: 'n' },
})
const node: KubeObject = { kind: 'Node', metadata: { name: 'n', uid: 'node-uid' } }
const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p' }

async function tokenFor(spec: object, at = now): Promise<string> {
  const asked = { namespace: 'shop', name: 'sa', body: { spec }, now: at, tokenId: 'id' }
  const answer = await requestToken(listerOf(account, pod(), node), settings, asked)
  assert.ok(!isStatus(answer), JSON.stringify(answer))
  return z.object({ token: z.string() }).parse(answer.status).token
}

describe('tokens of service accounts', () => {
  it('name the Pod and its node', async () => {
    const token = await tokenFor({ boundObjectRef })
    const verified = await verifyToken(listerOf(account, pod()), settings, token, now)
    assert.deepEqual('user' in verified && verified.user, {
      username: 'system:serviceaccount:shop:sa',
      uid: 'uid-sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=id'],
        'authentication.kubernetes.io/node-name': ['n'],
        'authentication.kubernetes.io/node-uid': ['node-uid'],
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['uid-p'],
      },
    })
  })

  it('end with their time, and begin with it, a minute for clocks aside', async () => {
    const token = await tokenFor({ expirationSeconds: 600 })
    const error = async (at: number) => {
      const verified = await verifyToken(listerOf(account), settings, token, at)
      return 'error' in verified ? verified.error : 'good'
    }
    assert.equal(await error(now + 11 * minute), 'good')
    assert.equal(await error(now + 11 * minute + 1), 'service account token has expired')
    assert.equal(await error(now - minute), 'good')
    assert.equal(await error(now - minute - 1), 'service account token is not valid yet')
  })

  it('live a minute longer than the deletion of what they are bound to', async () => {
    const token = await tokenFor({ boundObjectRef })
    const deleted = listerOf(account, pod({ deletionTimestamp: '2026-03-01T12:00:00Z' }))
    const at = async (time: number) => 'user' in (await verifyToken(deleted, settings, token, time))
    assert.equal(await at(now + minute), true)
    assert.equal(await at(now + minute + 1), false)
  })

  it('of another lab are not known', async () => {
    const token = await tokenFor({})
    const otherKey = { ...settings, key: tokenKey(createTokenKey()) }
    const otherIssuer = { ...settings, issuer: 'https://other' }
    const lister = listerOf(account)
    const errors = [otherKey, otherIssuer].map(async (other) =>
      verifyToken(lister, other, token, now),
    )
    assert.deepEqual(await Promise.all(errors), [
      { error: 'invalid signature, no keys found' },
      { error: '' },
    ])
  })

  it('are known again by the key that was kept', async () => {
    const pem = createTokenKey()
    assert.equal(tokenKey(pem).id, tokenKey(pem).id)
  })

  it('for a kubelet last a year and say when to fetch another', async () => {
    const {
      exp = 0,
      iat = 0,
      'kubernetes.io': own,
    } = decodeJwt(await tokenFor({ boundObjectRef, expirationSeconds: 3607 }))
    assert.equal(exp - iat, 365 * 24 * 3600)
    assert.equal(z.object({ warnafter: z.number() }).parse(own).warnafter, iat + 3607)
  })

  it('are not asked for, nor reviewed, by what is no such body', async () => {
    const asked = { namespace: 'shop', name: 'sa', body: { spec: 1 }, now, tokenId: 'id' }
    const refused = await requestToken(listerOf(account), settings, asked)
    assert.ok(isStatus(refused) && refused.code === 400)
    const review = await reviewToken(listerOf(), settings, { spec: { token: 1 } }, now)
    assert.ok(isStatus(review) && review.code === 400)
  })
})
