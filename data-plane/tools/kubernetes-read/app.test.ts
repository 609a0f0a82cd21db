import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { ReadVerb } from '@jackstay/contract/reads'
import { callers, type PodState, type TokenReviewResult } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { rateLimiter } from '@jackstay/service/rate'
import { ok, startApiServer } from './api-server-world.ts'
import { kubernetesReadApp } from './app.ts'

const podUid = '22222222-2222-4222-8222-222222222222'
const reviewed: TokenReviewResult = {
  authenticated: true,
  username: 'system:serviceaccount:jackstay-class-web:fixer',
  groups: [],
  audiences: ['jackstay-tools'],
  extra: {
    'authentication.kubernetes.io/pod-name': ['fixer-0'],
    'authentication.kubernetes.io/pod-uid': [podUid],
  },
}
const request = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }

interface Changes {
  readonly review?: Partial<TokenReviewResult>
  readonly pod?: PodState | undefined
  readonly burst?: number
}

async function start(t: TestContext, changes: Changes = {}) {
  const server = await startApiServer(t)
  server.answers.set(
    '/apis/apps/v1/namespaces/shop/deployments/web',
    ok({ metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1' } }),
  )
  const clock = () => 0
  const review = { ...reviewed, ...changes.review }
  const pod = 'pod' in changes ? changes.pod : { uid: podUid, phase: 'Running' }
  const app = kubernetesReadApp({
    client: server.client,
    callers: callers({ clock, reviewer: { tokenReview: async () => review } }),
    pod: async () => pod,
    limiter: rateLimiter({ perSecond: 1, burst: changes.burst ?? 10, maxKeys: 10, clock }),
    log: logger({ name: 'kubernetes-read', level: 'silent' }),
    metrics: metrics({ name: 'kubernetes-read', process: false }),
  })
  const last = { headers: new Headers() }
  const post = async (path: string, body: unknown = request, token = 'tools-token') => {
    const response = await app.request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    last.headers = response.headers
    const answer: { error?: { code?: string } } = JSON.parse(await response.text())
    return `${response.status} ${answer.error?.code ?? 'ok'}`
  }
  return { post, last, ...server }
}

describe('kubernetes-read', () => {
  it('reads for a live Pod of an agent', async (t) => {
    const { post, asked } = await start(t)
    assert.equal(await post('/v1/tools/get'), '200 ok')
    assert.equal(asked[0]?.as, 'system:serviceaccount:jackstay-class-web:fixer')
  })

  it('T05 T07 refuses everybody else before any call', async (t) => {
    const cases: [Changes, string][] = [
      [{ review: { authenticated: false } }, '401 unauthenticated'],
      [{ review: { audiences: ['jackstay-intent'] } }, '401 wrong_audience'],
      [{ review: { audiences: [] } }, '401 wrong_audience'],
      [{ review: { extra: {} } }, '401 unauthenticated'],
      [{ review: { username: 'jane' } }, '401 unauthenticated'],
      [{ review: { username: 'system:serviceaccount:shop:fixer' } }, '403 forbidden'],
      [{ review: { username: 'system:serviceaccount:jackstay-system:x' } }, '403 forbidden'],
      [{ pod: undefined }, '401 pod_not_live'],
      [{ pod: { uid: 'another', phase: 'Running' } }, '401 pod_not_live'],
      [{ pod: { uid: podUid, phase: 'Failed' } }, '401 pod_not_live'],
      [
        { pod: { uid: podUid, phase: 'Running', deletionTimestamp: '2026-01-05T12:00:00Z' } },
        '401 pod_not_live',
      ],
    ]
    for (const [changes, expected] of cases) {
      const { post, asked } = await start(t, changes)
      assert.equal(await post('/v1/tools/get'), expected)
      assert.deepEqual(asked, [])
    }
  })

  it('answers bad input with one clear error', async (t) => {
    const { post, asked } = await start(t)
    assert.equal(await post('/v1/tools/get', { ...request, name: '..' }), '400 invalid_request')
    assert.equal(await post('/v1/tools/get', { ...request, as: 'admin' }), '400 invalid_request')
    assert.equal(
      await post('/v1/tools/get', { ...request, apiVersion: 'v1', kind: 'Secret' }),
      '403 forbidden',
    )
    assert.equal(await post('/v1/tools/watch'), '404 not_found')
    assert.deepEqual(asked, [])
  })

  it('takes every verb, and none else', async (t) => {
    const { post } = await start(t, { burst: 100 })
    const pod = { namespace: 'shop', name: 'web-0' }
    const questions: Record<ReadVerb, object> = {
      get: request,
      list: { kind: 'Pod', namespace: 'shop' },
      describe: request,
      logs: pod,
      events: { kind: 'Pod', ...pod },
      history: { kind: 'Deployment', ...pod },
    }
    const outcomes: Record<string, string> = {}
    for (const [verb, question] of Object.entries(questions)) {
      outcomes[verb] = await post(`/v1/tools/${verb}`, question)
    }
    assert.deepEqual(outcomes, {
      get: '200 ok',
      list: '404 not_found',
      // the object is there, and what stands around it is said to be missing
      describe: '200 ok',
      logs: '404 not_found',
      events: '404 not_found',
      history: '404 not_found',
    })
    assert.equal(await post('/v1/tools/exec', pod), '404 not_found')
  })

  it('limits one Pod', async (t) => {
    const { post } = await start(t, { burst: 1 })
    assert.equal(await post('/v1/tools/get'), '200 ok')
    assert.equal(await post('/v1/tools/get'), '429 rate_limited')
    const dear = await start(t, { burst: 4 })
    assert.equal(await dear.post('/v1/tools/describe'), '429 rate_limited')
    assert.equal(dear.last.headers.get('retry-after'), '1')
  })
})
