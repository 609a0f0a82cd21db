import assert from 'node:assert/strict'
import { it } from 'node:test'
import { callers } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { createApp } from '@jackstay/service/server'
import { identifyCaller } from './caller.ts'

/** A server with one place for strangers, whose only route answers once it is told to. */
function newApp() {
  const app = createApp({
    name: 'test',
    log: logger({ name: 'test', write: () => undefined }),
    metrics: metrics({ name: 'test', process: false }),
    limits: { strangers: 1, strangersPerSource: 1, strangerMs: 60_000, requestMs: 60_000 },
    recognise: () => undefined,
  })
  const known = callers({
    clock: () => 0,
    reviewer: {
      tokenReview: async (token, audiences) => ({
        ...{ authenticated: token !== 'forged', audiences, extra: {} },
        ...{ username: 'system:serviceaccount:jackstay-class-a:agent', groups: [] },
      }),
    },
  })
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  app.get('/v1/slow', async (c) => {
    await identifyCaller(c, known, c.req.header('token') ?? '', 'jackstay-intent')
    arrived.resolve()
    await go.promise
    return c.text('done')
  })
  const ask = async (token: string) =>
    (await app.request('/v1/slow', { headers: { token, authorization: `Bearer ${token}` } })).status
  return { ask, arrived: arrived.promise, go: go.resolve }
}

it('whose token was found good makes room for the next stranger, whatever it waits for (T13)', async () => {
  const { ask, arrived, go } = newApp()
  const first = ask('one')
  await arrived
  // the one place for strangers is free again, and a forged token is told so
  assert.equal(await ask('forged'), 401)
  const second = ask('two')
  go()
  assert.deepEqual(await Promise.all([first, second]), [200, 200])
})
