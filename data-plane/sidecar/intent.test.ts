import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { intentClaims, intentSubmission, reasoningDigest } from '@jackstay/contract/intent'
import { type Json, parseCanonical, sha256 } from '@jackstay/contract/json'
import { readUnverified, verifySignature } from '@jackstay/contract/signing'
import fc from 'fast-check'
import { actionRequest, signIntent } from './intent.ts'
import { loadKey } from './key.ts'
import {
  agent,
  clockAt,
  clusterUid,
  enrolmentOf,
  idsFrom,
  newDirectory,
  podUid,
  requestFor,
  startedAt,
} from './sidecar-world.ts'
import { openVolume } from './volume.ts'

describe('signIntent', () => {
  it('signs what the mediator verifies, in canonical form, whatever the params', async (t) => {
    const key = await loadKey(await openVolume(await newDirectory(t)))
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.integer(), { maxLength: 5 }),
    )
    // `readJson` lets no other keys through
    const name = fc
      .stringMatching(/^[a-z]{1,12}$/)
      .filter((key) => !(key in Object.prototype || key === 'prototype'))
    const params = fc.dictionary(name, value, {
      maxKeys: 8,
      noNullPrototype: true,
    })
    await fc.assert(
      fc.asyncProperty(params, fc.integer({ min: 1 }), async (given, seq) => {
        const request = requestFor({ params: given })
        const context = {
          enrolment: enrolmentOf(key),
          key,
          seq,
          token: 'token',
          clock: clockAt(startedAt + 999),
          ids: idsFrom(),
        }
        const signed = await signIntent('workload.scale', request, context)
        const { jws, reasoning } = intentSubmission.parse(parseCanonical(signed.body))
        const { kid, payload } = readUnverified(jws, 'jackstay-intent+jws')
        await verifySignature(jws, key.publicKey)
        const claims = intentClaims.parse(payload)
        assert.equal(kid, key.kid)
        assert.deepEqual(claims, {
          v: 1,
          jti: signed.id,
          seq,
          iss: agent,
          sub: podUid,
          aud: clusterUid,
          iat: startedAt / 1000,
          exp: startedAt / 1000 + 60,
          ath: sha256('token'),
          action: 'workload.scale',
          target: request.target,
          params: given as Record<string, Json>,
          reasoning: { digest: reasoningDigest(reasoning) },
        })
        assert.equal(reasoning.salt.length, 32)
        assert.equal(signed.expiresAt, claims.exp * 1000)
      }),
      { numRuns: 50 },
    )
  })

  it('refuses what would not fit into one intent', async (t) => {
    const key = await loadKey(await openVolume(await newDirectory(t)))
    const params = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [`p${n}`, 'x'.repeat(4000)]),
    )
    await assert.rejects(
      signIntent('workload.scale', requestFor({ params }), {
        enrolment: enrolmentOf(key),
        key,
        seq: 1,
        token: 'token',
        clock: clockAt(),
        ids: idsFrom(),
      }),
      { code: 'too_large' },
    )
  })
})

describe('actionRequest', () => {
  it('leaves the agent no say in identity, time, order or salt', () => {
    const request = requestFor()
    const { reasoning } = request
    const wrong = [
      { ...request, iss: 'jackstay-class-web/other' },
      { ...request, seq: 1 },
      { ...request, exp: 0 },
      { ...request, reasoning: { ...reasoning, salt: '0'.repeat(32) } },
      { ...request, reasoning: { ...reasoning, summary: '' } },
      { ...request, trigger: { id: 'x' } },
    ]
    for (const one of wrong) assert.equal(actionRequest.safeParse(one).success, false)
  })
})
