import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JackstayError } from './errors.ts'
import { canonical } from './json.ts'
import {
  type PublicKey,
  publicKey,
  readUnverified,
  type SignedType,
  sign,
  thumbprint,
  thumbprintOf,
  verifySignature,
} from './signing.ts'

const typ: SignedType = 'jackstay-intent+jws'
const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
assert.ok('privateKey' in pair)
const exported = await crypto.subtle.exportKey('jwk', pair.publicKey)
const key = publicKey.parse({ crv: exported.crv, kty: exported.kty, x: exported.x })
const kid = await thumbprintOf(key)
const signer = { kid, privateKey: pair.privateKey }

// a second signer with no rules at all: what an attacker with a valid key could produce
const free = generateKeyPairSync('ed25519')
const freeKey = publicKey.parse(
  (({ crv, kty, x }) => ({ crv, kty, x }))(free.publicKey.export({ format: 'jwk' })),
)
const freeKid = await thumbprintOf(freeKey)
const base64url = (text: string | Buffer) => Buffer.from(text).toString('base64url')

/** A JWS whose signature is right whatever its header and payload say. */
function freely(header: unknown, payload = '{}'): string {
  const head = typeof header === 'string' ? header : canonical(header)
  const input = `${base64url(head)}.${base64url(payload)}`
  return `${input}.${signBytes(null, Buffer.from(input), free.privateKey).toString('base64url')}`
}

const right = { alg: 'Ed25519', kid: freeKid, typ }

const refusal = (status: number) => (error: unknown) =>
  error instanceof JackstayError && error.status === status
const refuses = (jws: string, what = jws, status = 401) =>
  assert.throws(() => readUnverified(jws, typ), refusal(status), what)

async function accepted(jws: string, by: PublicKey): Promise<boolean> {
  try {
    readUnverified(jws, typ)
    await verifySignature(jws, by)
    return true
  } catch (error) {
    assert.ok(error instanceof JackstayError, String(error))
    return false
  }
}

describe('a signature', () => {
  it('comes back with kid and payload, for any payload', async () => {
    const payload = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue({ maxDepth: 3 }))
    await fc.assert(
      fc.asyncProperty(payload, async (value) => {
        fc.pre(!/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value)))
        const jws = await sign(typ, value, signer)
        const read = readUnverified(jws, typ)
        assert.equal(read.kid, kid)
        assert.equal(canonical(read.payload), canonical(value))
        await verifySignature(jws, key)
      }),
    )
  })

  it('is void after any change of any character', async () => {
    const jws = await sign(typ, { a: [1, 'two'], b: null }, signer)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ '
    const change = fc.tuple(fc.nat({ max: jws.length - 1 }), fc.constantFrom(...alphabet))
    await fc.assert(
      fc.asyncProperty(change, async ([at, character]) => {
        fc.pre(jws[at] !== character)
        const bent = jws.slice(0, at) + character + jws.slice(at + 1)
        assert.equal(await accepted(bent, key), false, bent)
      }),
      { numRuns: 500 },
    )
  })

  it('by another key is none', async () => {
    const jws = await sign(typ, {}, signer)
    await assert.rejects(verifySignature(jws, freeKey), refusal(401))
    assert.equal(await accepted(freely(right), freeKey), true)
  })

  it('is checked with a key that may be nonsense', async () => {
    const jws = await sign(typ, {}, signer)
    for (const x of ['A'.repeat(43), '_'.repeat(43)]) {
      await assert.rejects(verifySignature(jws, { ...key, x }), refusal(401))
    }
  })
})

describe('the header of a JWS (T03)', () => {
  it('holds exactly alg, kid and typ', () => {
    const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB' }
    const headers: Record<string, unknown>[] = [
      { ...right, alg: 'none' },
      { ...right, alg: 'None' },
      { ...right, alg: 'HS256' },
      { ...right, alg: 'EdDSA' },
      { ...right, alg: 'ed25519' },
      { ...right, alg: 'RS256' },
      { ...right, alg: ['Ed25519'] },
      { ...right, alg: null },
      { ...right, b64: false },
      { ...right, b64: false, crit: ['b64'] },
      { ...right, crit: [] },
      { ...right, crit: ['exp'] },
      { ...right, cty: 'JWT' },
      { ...right, enc: 'A256GCM' },
      { ...right, jku: 'https://attacker.example/keys' },
      { ...right, jwk: freeKey },
      { ...right, jwk: rsa },
      { ...right, x5c: ['AA=='] },
      { ...right, x5t: 'AA' },
      { ...right, x5u: 'https://attacker.example/cert' },
      { ...right, zip: 'DEF' },
      { ...right, typ: 'JWT' },
      { ...right, typ: 'application/jackstay-intent+jws' },
      { ...right, typ: 'Jackstay-Intent+JWS' },
      { ...right, kid: 'short' },
      { ...right, kid: `../${freeKid.slice(3)}` },
      { ...right, kid: 7 },
      { alg: 'Ed25519', kid: freeKid },
      { alg: 'Ed25519', typ },
      { kid: freeKid, typ },
      {},
    ]
    for (const header of headers) refuses(freely(header), JSON.stringify(header))
    for (const header of ['null', '[]', '"Ed25519"', '1']) refuses(freely(header), header)
  })

  it('is canonical, so that nobody reads another one', () => {
    const doubled = `{"alg":"none","alg":"Ed25519","kid":"${freeKid}","typ":"${typ}"}`
    const texts = [
      doubled,
      ` ${canonical(right)}`,
      JSON.stringify({ typ, alg: 'Ed25519', kid: freeKid }),
      '{',
      '',
    ]
    for (const text of texts) refuses(freely(text), text, 400)
    refuses(freely(`{"__proto__":{"alg":"none"},${canonical(right).slice(1)}`), 'prototype', 400)
  })

  it('with alg none passes neither without a signature nor with one', async () => {
    const none = base64url(canonical({ ...right, alg: 'none' }))
    refuses(`${none}.${base64url('{}')}.`)
    for (const jws of [`${none}.${base64url('{}')}.`, freely({ ...right, alg: 'none' })]) {
      await assert.rejects(verifySignature(jws, freeKey), refusal(401))
    }
  })

  it('with HS256 over the public key passes nowhere', async () => {
    const input = `${base64url(canonical({ ...right, alg: 'HS256' }))}.${base64url('{}')}`
    const spki = createPublicKey({ key: freeKey, format: 'jwk' }).export({
      format: 'pem',
      type: 'spki',
    })
    for (const secret of [Buffer.from(freeKey.x, 'base64url'), Buffer.from(freeKey.x), spki]) {
      const jws = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      refuses(jws)
      await assert.rejects(verifySignature(jws, freeKey), refusal(401))
    }
  })

  it('with the older name of the same algorithm passes nowhere either', async () => {
    const jws = freely({ ...right, alg: 'EdDSA' })
    refuses(jws)
    await assert.rejects(verifySignature(jws, freeKey), refusal(401))
  })

  it('of one type never passes for the other (T04)', async () => {
    const enrol = await sign('jackstay-enrol+jws', {}, signer)
    const intent = await sign('jackstay-intent+jws', {}, signer)
    refuses(enrol)
    assert.throws(() => readUnverified(intent, 'jackstay-enrol+jws'), refusal(401))
    assert.equal(readUnverified(enrol, 'jackstay-enrol+jws').kid, kid)
    // the type relabelled: the form is right, the signature is not
    const relabelled = [intent.split('.')[0], ...enrol.split('.').slice(1)].join('.')
    assert.equal(readUnverified(relabelled, typ).kid, kid)
    await assert.rejects(verifySignature(relabelled, key), refusal(401))
  })
})

describe('the form of a JWS', () => {
  it('has three parts', () => {
    const jws = freely(right)
    const [head, body, signature] = jws.split('.')
    for (const bent of [
      '',
      '.',
      '..',
      `${head}.${body}`,
      `${head}..${signature}`,
      `.${body}.${signature}`,
      `${jws}.`,
      `${jws}.${signature}`,
      `${head}.${body}.${signature}..`,
    ]) {
      assert.throws(
        () => readUnverified(bent, typ),
        (error) => refusal(401)(error) || refusal(400)(error),
        bent,
      )
    }
  })

  it('carries a signature of exactly 64 bytes', () => {
    const jws = freely(right)
    const [head, body, signature = ''] = jws.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    for (const length of [0, 1, 32, 63, 65, 128]) {
      const other = Buffer.alloc(length, bytes).toString('base64url')
      refuses(`${head}.${body}.${other}`, `${length} bytes`)
    }
  })

  it('is base64url without padding, blanks, other alphabets or slack bits', () => {
    const jws = freely(right, '{"a":1}')
    const parts = jws.split('.')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const [i, part] of parts.entries()) {
      const variants = [`${part}=`, `${part}==`, ` ${part}`, `${part}\n`, `${part}+`]
      const last = part.at(-1) ?? ''
      const slack = { 2: 4, 3: 2 }[part.length % 4] ?? 0
      for (let bits = 1; bits < 2 ** slack; bits++) {
        variants.push(part.slice(0, -1) + alphabet[alphabet.indexOf(last) + bits])
      }
      for (const bent of variants) {
        const whole = parts.with(i, bent).join('.')
        assert.throws(() => readUnverified(whole, typ), refusal(401), whole)
      }
    }
    // at least one part has slack bits to try: 64 bytes leave four
    assert.equal((parts[2]?.length ?? 0) % 4, 2)
  })

  it('carries canonical UTF-8 JSON', () => {
    const bad: [string, number][] = [
      ['{"b":1,"a":1}', 400],
      ['{"a":1,"a":1}', 400],
      ['{"a":1e400}', 400],
      ['\ufeff{}', 400],
      ['', 400],
    ]
    for (const [payload, status] of bad) refuses(freely(right, payload), payload, status)
    const [head, , signature] = freely(right).split('.')
    refuses(`${head}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.${signature}`)
  })

  it('has a limit before anything is decoded (T13)', () => {
    refuses('.'.repeat(10 * 1024 * 1024), 'dots', 413)
  })

  it('brings nothing down, whatever it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.string().map(base64url), { maxLength: 4 }).map((parts) => parts.join('.')),
    )
    fc.assert(
      fc.property(text, (jws) => {
        assert.throws(
          () => readUnverified(jws, typ),
          (error) => error instanceof JackstayError && error.status < 500,
        )
      }),
    )
  })
})

describe('keys', () => {
  it('are named by their RFC 7638 thumbprint', async () => {
    // RFC 8037, appendix A.3
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const name = await thumbprintOf({ crv: 'Ed25519', kty: 'OKP', x })
    assert.equal(name, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    assert.ok(thumbprint.safeParse(name).success)
  })

  it('are public Ed25519 keys and nothing more', () => {
    assert.ok(publicKey.safeParse(key).success)
    for (const other of [
      { ...key, d: 'secret' },
      { ...key, kid },
      { ...key, alg: 'Ed25519' },
      { ...key, crv: 'X25519' },
      { ...key, crv: 'Ed448' },
      { ...key, kty: 'oct' },
      { ...key, x: key.x.slice(1) },
      { ...key, x: `${key.x.slice(1)}=` },
      { kty: 'OKP', crv: 'Ed25519' },
    ]) {
      assert.equal(publicKey.safeParse(other).success, false, JSON.stringify(other))
    }
  })
})
