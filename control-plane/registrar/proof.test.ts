import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { canonical } from '@jackstay/contract/json'
import fc from 'fast-check'
import { clusterUid, newKey, proofOf, startedAt, token } from './enrolment-world.ts'
import { checkProof } from './proof.ts'

const context = { clusterUid, token, now: startedAt }
const key = await newKey()
const seconds = startedAt / 1000

function part(value: unknown): string {
  return Buffer.from(canonical(value)).toString('base64url')
}

describe('checkProof', () => {
  it('accepts a proof made for this cluster, now, with this token', async () => {
    const proven = await checkProof(await proofOf(key), context)
    assert.deepEqual(proven, { thumbprint: key.kid, publicKey: key.publicKey })
  })

  it('T03 refuses every header but alg Ed25519, kid and typ', async () => {
    const [, body, signature] = (await proofOf(key)).split('.')
    const header = { alg: 'Ed25519', kid: key.kid, typ: 'jackstay-enrol+jws' }
    const others = [
      { ...header, alg: 'none' },
      { ...header, alg: 'HS256' },
      { ...header, alg: 'EdDSA' },
      { ...header, crit: ['b64'], b64: false },
      { ...header, jku: 'https://keys.example/jwks' },
      { ...header, jwk: key.publicKey },
      { ...header, x5u: 'https://keys.example/cert' },
    ]
    for (const other of others) {
      await assert.rejects(checkProof(`${part(other)}.${body}.${signature}`, context), {
        code: 'invalid_signature',
      })
    }
    const signed = `${part({ ...header, alg: 'HS256' })}.${body}`
    const mac = createHmac('sha256', key.publicKey.x).update(signed).digest('base64url')
    await assert.rejects(checkProof(`${signed}.${mac}`, context), { code: 'invalid_signature' })
  })

  it('T04 refuses an intent as a proof', async () => {
    await assert.rejects(checkProof(await proofOf(key, { typ: 'jackstay-intent+jws' }), context), {
      code: 'invalid_signature',
    })
  })

  it('T05 refuses a proof for another cluster', async () => {
    const aud = '33333333-3333-4333-8333-333333333333'
    await assert.rejects(checkProof(await proofOf(key, { claims: { aud } }), context), {
      code: 'wrong_audience',
    })
  })

  it('T06 refuses a key without its private half', async () => {
    const thief = await newKey()
    const foreign = await proofOf(thief, { claims: { jwk: key.publicKey } })
    await assert.rejects(checkProof(foreign, context), { code: 'invalid_signature' })
    const renamed = await proofOf(thief, { claims: { jwk: key.publicKey }, kid: key.kid })
    await assert.rejects(checkProof(renamed, context), { code: 'invalid_signature' })
  })

  it('T06 refuses a proof that came with another token', async () => {
    await assert.rejects(checkProof(await proofOf(key, { token: 'another' }), context), {
      code: 'unauthenticated',
    })
  })

  it('T09 refuses a lifetime over 60 s, an iat in the future and an exp in the past', async () => {
    const wrong = [
      { iat: seconds, exp: seconds + 61 },
      { iat: seconds, exp: seconds },
      { iat: seconds + 10, exp: seconds },
      { iat: seconds + 6, exp: seconds + 60 },
      { iat: seconds - 60, exp: seconds - 6 },
      { iat: seconds - 600, exp: seconds - 540 },
    ]
    for (const claims of wrong) {
      await assert.rejects(checkProof(await proofOf(key, { claims }), context), {
        code: 'not_fresh',
      })
    }
  })

  it('T09 allows clocks to differ by 5 s', async () => {
    await checkProof(
      await proofOf(key, { claims: { iat: seconds + 5, exp: seconds + 60 } }),
      context,
    )
    await checkProof(
      await proofOf(key, { claims: { iat: seconds - 60, exp: seconds - 5 } }),
      context,
    )
  })

  it('T16 refuses unknown fields and another version', async () => {
    for (const claims of [{ admin: true }, { v: 2 }]) {
      await assert.rejects(checkProof(await proofOf(key, { claims }), context), {
        code: 'invalid_request',
      })
    }
  })

  it('T10 T11 T12 refuses a payload that is not its own canonical form', async () => {
    const [header, , signature] = (await proofOf(key)).split('.')
    const payloads = [
      '{"v":1,"v":1}',
      '{"__proto__":{}}',
      '{"v":1e400}',
      '{ "v":1}',
      '{"v":-0}',
      '[',
    ]
    for (const payload of payloads) {
      const body = Buffer.from(payload).toString('base64url')
      await assert.rejects(checkProof(`${header}.${body}.${signature}`, context), (error) => {
        assert.match(String(Reflect.get(Object(error), 'status')), /^4/)
        return true
      })
    }
  })

  it('refuses a proof with any one character changed', async () => {
    const proof = await proofOf(key)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(proof.length - 1),
        fc.constantFrom(...'AZaz09-_.='),
        async (at, char) => {
          fc.pre(proof[at] !== char)
          const changed = proof.slice(0, at) + char + proof.slice(at + 1)
          await assert.rejects(checkProof(changed, context), { name: 'JackstayError' })
        },
      ),
      { numRuns: 200 },
    )
  })
})
