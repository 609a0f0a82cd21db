import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { createApp } from '@jackstay/service/server'
import { recogniser } from '../wiring/recognise.ts'
import { type TriggerRoutes, triggerRoutes } from './trigger-routes.ts'

const token = 'the-token-of-alertmanager'
const webhook = JSON.stringify({
  ...{ version: '4', groupKey: 'g', status: 'firing', receiver: 'jackstay', alerts: [] },
})

/** One place for strangers; `recalls` where Alertmanager is known from before. */
function newApp({ recalls }: { readonly recalls: boolean }) {
  const alertToken = {
    values: () => [token],
    recall: (given: string) => recalls && given === token,
    verify: async (given: string) => {
      if (given !== token) throw new JackstayError('unauthenticated', 'no')
    },
  }
  const app = createApp({
    name: 'test',
    log: logger({ name: 'test', write: () => undefined }),
    metrics: metrics({ name: 'test', process: false }),
    limits: { strangers: 1, strangersPerSource: 1, strangerMs: 60_000, requestMs: 60_000 },
    recognise: recogniser(alertToken, { recall: () => undefined }),
  })
  const accept = async () => ({ accepted: 0 })
  triggerRoutes(app, { alertToken, desk: { accept } } as unknown as TriggerRoutes)
  const post = async (body: string | ReadableStream, given = token) =>
    await app.request('/v1/alerts/alertmanager', {
      ...{ method: 'POST', body, duplex: 'half' },
      headers: { 'content-type': 'application/json', authorization: `Bearer ${given}` },
    })
  /** A body that comes to no end by itself: once somebody reads it, the answer ends it. */
  const slow = async (given: string): Promise<() => Promise<unknown>> => {
    const { promise: read, resolve } = Promise.withResolvers<ReadableStreamDefaultController>()
    const { promise: held, resolve: go } = Promise.withResolvers<void>()
    const body = new ReadableStream(
      {
        pull(stream) {
          resolve(stream)
          return held
        },
      },
      { highWaterMark: 0 },
    )
    const answer = post(body, given)
    const stream = await read
    return async () => {
      stream.error(new Error('the sender went away'))
      go()
      await answer
    }
  }
  return { app, post, slow }
}

describe('Alertmanager', () => {
  it('leaves the strangers’ place once its token was checked (T13)', async () => {
    const { post, slow } = newApp({ recalls: false })
    const end = await slow(token)
    try {
      assert.equal((await post(webhook)).status, 202)
      assert.equal((await post(webhook, 'another-token-of-somebody')).status, 401)
    } finally {
      await end()
    }
  })

  it('does not begin among strangers where it is known: they cannot keep it out (T13)', async (t) => {
    const { app, post } = newApp({ recalls: true })
    const { promise: held, resolve: go } = Promise.withResolvers<void>()
    app.get('/held', async (c) => {
      await held
      return c.text('done')
    })
    const stranger = app.request('/held')
    t.after(() => go())
    assert.equal((await app.request('/held')).status, 503, 'strangers have no more')
    assert.equal((await post(webhook)).status, 202)
    const unknown = newApp({ recalls: false })
    unknown.app.get('/held', async (c) => {
      await held
      return c.text('done')
    })
    const other = unknown.app.request('/held')
    assert.equal((await unknown.post(webhook)).status, 503)
    go()
    await Promise.all([stranger, other])
  })
})
