import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bodyOf, freshClients } from './client-builder.ts'
import { json } from './fake-api.ts'

const w = freshClients()

describe('tokens', () => {
  const review = (status: unknown) =>
    w.api.script.push((_request, response) =>
      json(response, 201, { kind: 'TokenReview', metadata: {}, status }),
    )
  const user = {
    username: 'system:serviceaccount:a:b',
    uid: 'u',
    groups: ['g'],
    extra: { 'authentication.kubernetes.io/pod-uid': ['p'] },
  }

  it('tokenReview returns who it is', async () => {
    review({ authenticated: true, user, audiences: ['jackstay-intent'] })
    assert.deepEqual(await w.client.tokenReview('t', ['jackstay-intent']), {
      authenticated: true,
      ...user,
      audiences: ['jackstay-intent'],
    })
    assert.partialDeepStrictEqual(bodyOf(w.last()), {
      spec: { token: 't', audiences: ['jackstay-intent'] },
    })
  })

  it('tokenReview is unauthenticated without one of our audiences, a name or a clear yes', async () => {
    for (const answer of [
      { authenticated: true, user },
      { authenticated: true, user, audiences: ['https://kubernetes.default.svc'] },
      { authenticated: true, audiences: ['jackstay-intent'] },
      { authenticated: 'true', user, audiences: ['jackstay-intent'] },
      { user, audiences: ['jackstay-intent'] },
      {},
    ]) {
      review(answer)
      const result = await w.client.tokenReview('t', ['jackstay-intent'])
      assert.deepEqual(result, {
        authenticated: false,
        username: '',
        uid: '',
        groups: [],
        audiences: [],
        extra: {},
      })
    }
    review({ error: 'expired' })
    assert.equal((await w.client.tokenReview('t', ['jackstay-intent'])).error, 'expired')
  })

  it('createToken asks for a bound token', async () => {
    w.api.script.push((_request, response) =>
      json(response, 201, {
        kind: 'TokenRequest',
        metadata: {},
        status: { token: 'jwt', expirationTimestamp: '2030-01-01T00:00:00Z' },
      }),
    )
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }
    const token = await w.client.createToken('a', 'b', {
      audiences: ['x'],
      expirationSeconds: 600,
      boundObjectRef,
    })
    assert.deepEqual(token, { token: 'jwt', expiresAt: '2030-01-01T00:00:00Z' })
    assert.equal(w.last()?.url.pathname, '/api/v1/namespaces/a/serviceaccounts/b/token')
    assert.deepEqual(bodyOf(w.last()), {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['x'], expirationSeconds: 600, boundObjectRef },
    })
  })
})
