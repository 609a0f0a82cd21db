import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonical } from '@jackstay/contract/json'
import { callers, type TokenReviewResult } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { rateLimiter } from '@jackstay/service/rate'
import { type RegistrarOptions, registrarApp } from './app.ts'
import { agentCaller, newKey, newWorld, podUid, proofOf, token } from './enrolment-world.ts'

const key = await newKey()

const reviewed: TokenReviewResult = {
  authenticated: true,
  username: agentCaller.username,
  groups: [],
  audiences: ['jackstay-enrol'],
  extra: {
    'authentication.kubernetes.io/pod-name': ['fixer-0'],
    'authentication.kubernetes.io/pod-uid': [podUid],
  },
}

function newApp(
  review: TokenReviewResult = reviewed,
  burst = 100,
  more: Pick<RegistrarOptions, 'limits'> & { readonly pod?: RegistrarOptions['ports']['pod'] } = {},
) {
  const world = newWorld()
  const lines: string[] = []
  const clock = () => 0
  const app = registrarApp({
    log: logger({ name: 'registrar', write: (line) => lines.push(line) }),
    metrics: metrics({ name: 'registrar', process: false }),
    ...(more.limits && { limits: more.limits }),
    limiter: rateLimiter({ perSecond: 1, burst, maxKeys: 10, clock }),
    ports: {
      ...world.ports,
      ...(more.pod && { pod: more.pod }),
      tokens: callers({ clock, ttlMs: 0, reviewer: { tokenReview: async () => review } }),
    },
  })
  const post = async (body: string, headers: Record<string, string> = {}) =>
    await app.request('/v1/enrolments', {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        ...headers,
      },
    })
  return { app, post, world, lines }
}

async function codeOf(response: Response): Promise<string> {
  const body: { error?: { code?: string } } = JSON.parse(await response.text())
  return `${response.status} ${body.error?.code}`
}

describe('POST /v1/enrolments', () => {
  it('enrols, and counts it', async () => {
    const { app, post } = newApp()
    const response = await post(canonical({ proof: await proofOf(key) }))
    assert.equal(response.status, 200)
    const scraped = await (await app.request('/metrics')).text()
    assert.match(scraped, /jackstay_enrolments_total\{outcome="enrolled".*\} 1/)
  })

  it('T05 T81 refuses a TokenReview without our audience', async () => {
    for (const audiences of [[], ['jackstay-intent'], ['https://kubernetes.default.svc']]) {
      const { post, world } = newApp({ ...reviewed, audiences })
      const response = await post(canonical({ proof: await proofOf(key) }))
      assert.equal(await codeOf(response), '401 wrong_audience')
      assert.equal(world.stored.size, 0)
    }
  })

  it('refuses no token, a body that is not canonical, unknown fields and broken JSON', async () => {
    const { post, world } = newApp()
    const proof = await proofOf(key)
    assert.equal(await codeOf(await post('{}', { authorization: '' })), '401 unauthenticated')
    assert.equal(await codeOf(await post(`{ "proof": "${proof}" }`)), '400 not_canonical')
    assert.equal(await codeOf(await post(canonical({ admin: true, proof }))), '400 invalid_request')
    assert.equal(await codeOf(await post('{"proof":')), '400 malformed_json')
    assert.equal(await codeOf(await post('{"__proto__":1}')), '400 forbidden_key')
    assert.equal(world.stored.size, 0)
  })

  it('T13 refuses a large body before reading it', async () => {
    const { post } = newApp()
    assert.equal(await codeOf(await post('x'.repeat(20_000))), '413 too_large')
  })

  it('limits the rate before it looks at anything', async () => {
    const { post, world } = newApp(reviewed, 2)
    await post('x')
    await post('x')
    assert.equal(await codeOf(await post('x')), '429 rate_limited')
    assert.deepEqual(world.calls, [])
  })

  it('T13 keeps bodies that never end among strangers, and who has shown a good token apart', {
    timeout: 20_000,
  }, async (t) => {
    const limits = { strangers: 1, strangersPerSource: 1, strangerMs: 60_000, requestMs: 60_000 }
    const { promise: held, resolve: go } = Promise.withResolvers<undefined>()
    const { promise: asked, resolve: reached } = Promise.withResolvers<void>()
    const pod = () => {
      reached()
      return held
    }
    const { app, post } = newApp(reviewed, 100, { limits, pod })
    const body = canonical({ proof: await proofOf(key) })
    const first = post(body)
    t.after(() => go(undefined))
    await asked
    // it waits for the API server with a place of its own
    const { promise: read, resolve } = Promise.withResolvers<void>()
    let end = () => undefined
    const endless = new ReadableStream(
      {
        pull(stream) {
          end = () => stream.error(new Error('the sender went away')) as undefined
          resolve()
          return held
        },
      },
      { highWaterMark: 0 },
    )
    const slow = app.request('/v1/enrolments', {
      ...{ method: 'POST', body: endless, duplex: 'half' },
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    await read
    assert.equal(await codeOf(await post(body)), '503 overloaded')
    end()
    go(undefined)
    assert.notEqual((await first).status, 503)
    await slow
  })

  it('T08 counts and logs a second enrolment as an error', async () => {
    const { app, post, lines } = newApp()
    await post(canonical({ proof: await proofOf(key) }))
    const response = await post(canonical({ proof: await proofOf(await newKey()) }))
    assert.equal(await codeOf(response), '409 second_enrolment')
    const scraped = await (await app.request('/metrics')).text()
    assert.match(scraped, /jackstay_second_enrolments_total\{revoked="true".*\} 1/)
    assert.ok(lines.some((line) => /"level":"error".*second enrolment for one Pod/.test(line)))
  })

  it('never logs a token or a proof', async () => {
    const { post, lines } = newApp()
    const proof = await proofOf(key)
    await post(canonical({ proof }))
    await post(canonical({ proof: `${proof}x` }))
    assert.ok(lines.every((line) => !line.includes(token) && !line.includes(proof)))
  })
})
