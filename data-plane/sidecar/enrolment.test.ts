import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { enrolmentProof, enrolmentRequest } from '@jackstay/contract/enrolment'
import { type ErrorCode, errorBody, JackstayError } from '@jackstay/contract/errors'
import { parseCanonical, sha256 } from '@jackstay/contract/json'
import { readUnverified, verifySignature } from '@jackstay/contract/signing'
import type { Context } from 'hono'
import { askClusterUid, enroller, readEnrolment } from './enrolment.ts'
import { loadKey } from './key.ts'
import {
  agent,
  clockAt,
  clusterUid,
  cut,
  enrolmentOf,
  newDirectory,
  scripted,
  startedAt,
  tokenFor,
  tokens,
} from './sidecar-world.ts'
import { openVolume } from './volume.ts'

const signal = new AbortController().signal

async function start(t: TestContext, answers: Parameters<typeof scripted>[1], path?: string) {
  const volume = await openVolume(path ?? (await newDirectory(t)))
  const key = await loadKey(volume)
  const { heard, upstream } = scripted('registrar', answers)
  const events: string[] = []
  const clock = clockAt()
  const it = enroller({
    volume,
    key,
    tokens,
    registrar: upstream,
    clock,
    clusterUid: async () => clusterUid,
    remembered: await readEnrolment(volume, key),
    onEvent: (event) => events.push(event),
    firstDelayMs: 1,
  })
  return { it, heard, key, volume, events, clock }
}

function accepts(c: Context, { body }: { body: string }): Response {
  const { proof } = enrolmentRequest.parse(parseCanonical(body))
  const { kid } = readUnverified(proof, 'jackstay-enrol+jws')
  return c.json({ agentKey: 'jackstay-class-web/pod-x', kid, agent, class: 'web' })
}

function refuses(code: ErrorCode) {
  return (c: Context) => {
    const error = new JackstayError(code, `refused as ${code}`)
    return c.json(errorBody(error), { status: 400 })
  }
}

describe('enroller', () => {
  it('sends a canonical proof of possession bound to the token it sends', async (t) => {
    const { it, heard, key } = await start(t, [accepts])
    await it.run(signal)
    const [sent] = heard
    assert.ok(sent)
    assert.equal(sent.path, '/v1/enrolments')
    assert.equal(sent.authorization, `Bearer ${tokenFor('enrol')}`)
    const { proof } = enrolmentRequest.parse(parseCanonical(sent.body))
    const { kid, payload } = readUnverified(proof, 'jackstay-enrol+jws')
    const claims = enrolmentProof.parse(payload)
    assert.equal(kid, key.kid)
    await verifySignature(proof, claims.jwk)
    assert.equal(claims.aud, clusterUid)
    assert.equal(claims.ath, sha256(tokenFor('enrol')))
    assert.ok(claims.exp - claims.iat <= 60 && claims.iat === startedAt / 1000)
    assert.equal(it.current().agent, agent)
    assert.equal(it.problem(), undefined)
  })

  it('T08 does not enrol again after a restart', async (t) => {
    const path = await newDirectory(t)
    const first = await start(t, [accepts], path)
    await first.it.run(signal)
    const second = await start(t, [accepts], path)
    assert.equal(second.it.problem(), undefined, 'ready at once')
    await second.it.run(signal)
    assert.deepEqual(second.heard, [])
    assert.deepEqual(second.it.current(), first.it.current())
  })

  it('keeps trying while the registrar is away, and says why it is not ready', async (t) => {
    const { it, events } = await start(t, [
      () => cut('ECONNREFUSED'),
      refuses('not_ready'),
      accepts,
    ])
    assert.throws(() => it.current(), { code: 'not_ready' })
    await it.run(signal)
    assert.deepEqual(events, ['delayed', 'delayed', 'enrolled'])
  })

  it('T08 gives up for good after a second enrolment or a revocation', async (t) => {
    for (const code of ['second_enrolment', 'key_revoked'] as const) {
      const { it, heard, events } = await start(t, [refuses(code)])
      await it.run(signal)
      assert.equal(heard.length, 1)
      assert.deepEqual(events, ['refused'])
      assert.throws(() => it.current(), { code })
      assert.match(it.problem() ?? '', new RegExp(code))
    }
  })

  it('refuses an answer about another key', async (t) => {
    const stopping = new AbortController()
    const { it, volume } = await start(t, [
      (c) => {
        stopping.abort()
        return c.json({ agentKey: 'a/b', kid: 'A'.repeat(43), agent, class: 'web' })
      },
    ])
    await it.run(stopping.signal)
    assert.throws(() => it.current(), { code: 'not_ready' })
    assert.equal(await volume.read('enrolment.json'), undefined)
  })

  it('counts as settling for a while after enrolling, not after a restart', async (t) => {
    const path = await newDirectory(t)
    const first = await start(t, [accepts], path)
    await first.it.run(signal)
    assert.equal(first.it.settling(), true)
    first.clock.at += 60_000
    assert.equal(first.it.settling(), false)
    assert.equal((await start(t, [accepts], path)).it.settling(), false)
  })
})

describe('readEnrolment', () => {
  it('refuses what belongs to another key', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    const key = await loadKey(volume)
    const other = { ...enrolmentOf(key), kid: 'A'.repeat(43) }
    for (const text of ['{', '{}', JSON.stringify(other)]) {
      await volume.replace('enrolment.json', text)
      await assert.rejects(readEnrolment(volume, key), { code: 'invalid_config' })
    }
  })
})

describe('askClusterUid', () => {
  it('believes only a uid', async () => {
    const info = { clusterUid, catalogueVersion: '1', actions: [] }
    const right = scripted('mediator', [(c) => c.json(info)])
    assert.equal(await askClusterUid(right.upstream, tokens, signal), clusterUid)
    for (const body of [{}, { ...info, clusterUid: 'prod' }]) {
      const wrong = scripted('mediator', [(c) => c.json(body)])
      await assert.rejects(askClusterUid(wrong.upstream, tokens, signal), {
        code: 'upstream_unavailable',
      })
    }
  })
})
