import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { audiences, enrolmentProof, enrolmentRequest } from './enrolment.ts'
import {
  clockSkew,
  intentClaims,
  intentLifetime,
  intentSubmission,
  reasoning,
  reasoningDigest,
} from './intent.ts'
import { claimsOf, proofOf, reasoningOf, uid } from './intent-builder.ts'
import { canonical, parseCanonical } from './json.ts'

const ok = (value: unknown) => intentClaims.safeParse(value).success

/** Every plain object inside a value with a way to change it. */
function levels(value: object, change: (at: object) => void): object[] {
  const paths: string[][] = []
  const walk = (at: unknown, path: string[]) => {
    if (at === null || typeof at !== 'object' || Array.isArray(at)) return
    paths.push(path)
    for (const [key, child] of Object.entries(at)) walk(child, [...path, key])
  }
  walk(value, [])
  return paths.map((path) => {
    const copy: object = structuredClone(value)
    change(path.reduce<object>((at, key) => Reflect.get(at, key), copy))
    return copy
  })
}

describe('the claims of an intent', () => {
  const full = claimsOf({
    target: { ...claimsOf().target, uid },
    params: {},
    trigger: { id: claimsOf().jti },
  })

  it('come back from their own canonical form', () => {
    assert.deepEqual(intentClaims.parse(parseCanonical(canonical(full))), full)
  })

  it('have no field nobody knows, at any level (T16)', () => {
    for (const change of ['x', 'version', 'Action', 'provenances']) {
      const bent = levels({ ...full }, (at) => Reflect.set(at, change, 1)).filter(
        (copy) => canonical(Reflect.get(copy, 'params')) === '{}',
      )
      assert.equal(bent.length, 4) // claims, target, trigger, reasoning
      for (const copy of bent) assert.equal(ok(copy), false, JSON.stringify(copy))
    }
  })

  it('are of version 1 and no newer one (T16)', () => {
    for (const v of [0, 2, '1', 1.5, null]) assert.equal(ok({ ...full, v }), false)
  })

  it('lack nothing that must be there', () => {
    const { trigger: _, ...required } = full
    assert.equal(ok(required), true)
    for (const key of Object.keys(required)) {
      const { [key as keyof typeof required]: __, ...rest } = required
      assert.equal(ok(rest), false, key)
    }
  })

  it('count and date in whole numbers within reason (T12)', () => {
    for (const bad of [-1, 0.5, '1', 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, null]) {
      for (const field of ['seq', 'iat', 'exp']) {
        assert.equal(ok({ ...full, [field]: bad }), false, `${field} ${bad}`)
      }
    }
    assert.equal(ok({ ...full, seq: 0 }), false)
    assert.equal(ok({ ...full, seq: Number.MAX_SAFE_INTEGER, iat: 0, exp: 253_402_300_799 }), true)
    assert.equal(ok({ ...full, exp: 253_402_300_800 }), false)
  })

  it('live a minute at most, between clocks five seconds apart', () => {
    assert.deepEqual([intentLifetime, clockSkew], [60, 5])
  })

  it('name everything in exact ASCII (T14)', () => {
    const { target } = full
    const bad: object[] = [
      { action: 'workload.sc\u0430le' },
      { iss: 'jackstay-class-\u0430/agent' },
      { iss: 'agent' },
      { jti: '00000000-0000-4000-8000-000000000002' },
      { sub: 'x' },
      { aud: 'https://kubernetes.default.svc' },
      { ath: 'token' },
      { target: { ...target, name: 'web\u200b' } },
      { target: { ...target, name: '../web' } },
      { target: { ...target, kind: 'deployment' } },
      { target: { ...target, namespace: 'a/b' } },
      { target: { ...target, namespace: '' } },
      { target: { ...target, apiVersion: 'apps' } },
      { trigger: { id: 'latest' } },
      { trigger: null },
    ]
    for (const change of bad) assert.equal(ok({ ...full, ...change }), false, canonical(change))
  })

  it('carry parameters of bounded JSON', () => {
    const params = (value: unknown) => ok({ ...full, params: value })
    assert.equal(params({ a: [null, true, 1, 'x', { b: [] }] }), true)
    for (const bad of [
      [],
      null,
      { ['k'.repeat(64)]: 1 },
      { a: 'x'.repeat(4097) },
      { a: Array(257).fill(0) },
      { a: { ['k'.repeat(254)]: 1 } },
      { a: undefined },
      { a: Number.NaN },
      { a: 1n },
    ]) {
      assert.equal(params(bad), false)
    }
  })

  it('never bring down the schema', () => {
    const near = fc
      .record({ params: fc.anything(), target: fc.anything(), seq: fc.anything() })
      .map((changes) => ({ ...full, ...changes }))
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near), (value) => {
        assert.equal(typeof ok(value), 'boolean')
      }),
    )
  })
})

describe('reasoning', () => {
  it('is covered by its digest to the last character, salt included', () => {
    const digests = [
      reasoningOf(),
      reasoningOf({ summary: 'two replicas cannot carry the load.' }),
      reasoningOf({ evidence: [] }),
      reasoningOf({ salt: '1'.repeat(32) }),
    ].map(reasoningDigest)
    assert.equal(new Set(digests).size, 4)
  })

  it('is short and salted', () => {
    const ok = (value: unknown) => reasoning.safeParse(value).success
    const [evidence] = reasoningOf().evidence
    assert.ok(ok(reasoningOf()))
    for (const bad of [
      reasoningOf({ summary: '' }),
      reasoningOf({ summary: 'x'.repeat(1025) }),
      reasoningOf({ salt: '' }),
      reasoningOf({ salt: '0'.repeat(31) }),
      reasoningOf({ evidence: Array(17).fill(evidence) }),
      { ...reasoningOf(), confidence: 1 },
    ]) {
      assert.equal(ok(bad), false)
    }
  })

  it('travels with the signed intent and nothing else', () => {
    const ok = (value: unknown) => intentSubmission.safeParse(value).success
    const submission = { jws: 'a.b.c', reasoning: reasoningOf() }
    assert.ok(ok(submission))
    for (const bad of [
      { jws: 'a.b.c' },
      { ...submission, jws: '' },
      { ...submission, jws: 'x'.repeat(32 * 1024 + 1) },
      { ...submission, approved: true },
    ]) {
      assert.equal(ok(bad), false)
    }
  })
})

describe('enrolment', () => {
  const ok = (value: unknown) => enrolmentProof.safeParse(value).success

  it('proves one public key for one cluster and one token', () => {
    const proof = proofOf()
    assert.ok(ok(proof))
    for (const key of Object.keys(proof)) {
      const { [key as keyof typeof proof]: _, ...rest } = proof
      assert.equal(ok(rest), false, key)
    }
    for (const bad of [
      { ...proof, v: 2 },
      { ...proof, kid: 'x' },
      { ...proof, jwk: { ...proof.jwk, d: 'secret' } },
      { ...proof, aud: 'jackstay-enrol' },
      { ...proof, iat: -1 },
      { ...proof, exp: 1.5 },
      { ...proof, ath: `SHA256:${'a'.repeat(64)}` },
    ]) {
      assert.equal(ok(bad), false, canonical(bad))
    }
  })

  it('is never an intent, nor the other way round (T04)', () => {
    assert.equal(intentClaims.safeParse(proofOf()).success, false)
    assert.equal(ok(claimsOf()), false)
  })

  it('is asked for with the proof alone', () => {
    assert.ok(enrolmentRequest.safeParse({ proof: 'a.b.c' }).success)
    for (const bad of [{}, { proof: '' }, { proof: 'x'.repeat(8193) }, { proof: 'a', pod: 'b' }]) {
      assert.equal(enrolmentRequest.safeParse(bad).success, false)
    }
  })

  it('has an audience of its own, and none is the API server (T81)', () => {
    const all = Object.values(audiences)
    assert.equal(new Set(all).size, all.length)
    for (const audience of all) assert.match(audience, /^jackstay-[a-z]+$/)
  })
})
