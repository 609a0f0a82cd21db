import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorCode, errorBody, errorCodes, JackstayError } from '@jackstay/contract/errors'
import type { Context } from 'hono'
import { clockAt, cut, intentId, scripted, startedAt, viewIn } from './sidecar-world.ts'
import { submit } from './submit.ts'

const never = new AbortController().signal
const intent = { id: intentId, body: '{"jws":"x"}', token: 't', expiresAt: startedAt + 60_000 }

function says(code: ErrorCode) {
  return (c: Context) =>
    c.json(errorBody(new JackstayError(code, code)), { status: errorCodes[code].status })
}

function start(answers: Parameters<typeof scripted>[1], settling = false) {
  const { heard, upstream } = scripted('mediator', answers)
  const clock = clockAt()
  const options = {
    mediator: upstream,
    clock,
    settling: () => settling,
    onResend: () => {},
    sleep: async (ms: number) => {
      clock.at += ms
    },
  }
  return { heard, clock, send: () => submit(intent, 5, options, never) }
}

const accepted = (c: Context) => c.json(viewIn('verified'), 202)

describe('submit', () => {
  it('sends the same bytes again when the connection is cut', async () => {
    const { heard, send } = start([() => cut(), () => cut(), accepted])
    assert.equal((await send()).status, 202)
    assert.equal(heard.length, 3)
    assert.deepEqual(new Set(heard.map(({ body }) => body)), new Set([intent.body]))
    assert.deepEqual(new Set(heard.map(({ path }) => path)), new Set(['/v1/intents?wait=5']))
  })

  it('waits for a mediator that is not ready, overloaded or draining', async () => {
    const { heard, send } = start([
      says('not_ready'),
      says('overloaded'),
      says('draining'),
      (c) => c.text('bad gateway', 502),
      accepted,
    ])
    assert.equal((await send()).status, 202)
    assert.equal(heard.length, 5)
  })

  it('passes a refusal on at once, also that the agent is too fast', async () => {
    for (const code of ['key_revoked', 'rate_limited', 'intent_conflict', 'not_fresh'] as const) {
      const { heard, send } = start([says(code)])
      await assert.rejects(send(), { code })
      assert.equal(heard.length, 1)
    }
  })

  it('is patient with an unknown key only just after enrolling', async () => {
    const fresh = start([says('unknown_key'), accepted], true)
    assert.equal((await fresh.send()).status, 202)
    await assert.rejects(start([says('unknown_key')]).send(), { code: 'unknown_key' })
  })

  it('asks what became of the intent when its lifetime ends without an answer', async () => {
    const { heard, clock, send } = start([
      (c, { method }) => (method === 'GET' ? c.json(viewIn('approve')) : cut()),
    ])
    assert.equal((await send()).status, 200)
    assert.equal(heard.at(-1)?.path, `/v1/intents/${intentId}`)
    assert.ok(clock.now() < intent.expiresAt)
  })

  it('names the id to ask for when nobody can tell', async () => {
    const { send } = start([() => cut()])
    await assert.rejects(send(), { code: 'outcome_unknown', message: new RegExp(intentId) })
  })

  it('says that nothing was changed when the mediator was never reached', async () => {
    const { heard, send } = start([() => cut('ECONNREFUSED')])
    await assert.rejects(send(), { code: 'upstream_unavailable', message: /nothing was changed/ })
    assert.ok(heard.every(({ method }) => method === 'POST'))
  })
})
