import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { CompactSign, type CryptoKey, calculateJwkThumbprint } from 'jose'
import { z } from 'zod'
import { JackstayError } from './errors.ts'
import { canonical, type Json, parseCanonical, wireLimits } from './json.ts'

/** The kinds of thing a workload signs. One can never pass for the other (T04). */
export type SignedType = 'jackstay-intent+jws' | 'jackstay-enrol+jws'

/** An Ed25519 public key as RFC 8037 JWK, only the members that count. */
export const publicKey = z.strictObject({
  crv: z.literal('Ed25519').describe('the curve'),
  kty: z.literal('OKP').describe('the type of the key'),
  x: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .describe('the public key, base64url'),
})
export type PublicKey = z.infer<typeof publicKey>

/** RFC 7638 thumbprint, base64url: the key's name everywhere. */
export const thumbprint = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

export async function thumbprintOf(key: PublicKey): Promise<string> {
  return await calculateJwkThumbprint({ crv: key.crv, kty: key.kty, x: key.x }, 'sha256')
}

const header = z.strictObject({
  alg: z.literal('Ed25519'),
  kid: thumbprint,
  typ: z.enum(['jackstay-intent+jws', 'jackstay-enrol+jws']),
})

/** A JWS whose form is right and whose signature nobody has checked yet. */
export interface Unverified {
  readonly kid: string
  readonly payload: Json
}

/**
 * Reads a compact JWS without trusting it: exactly `alg`, `kid`, `typ` in the header (so `none`,
 * HS256, `crit`, `b64`, `jku`, `jwk`, `x5u` are refused before anything is fetched or looked up),
 * base64url without slack bits, header and payload in canonical JSON.
 * @throws JackstayError `invalid_signature`, `too_large`, and what {@link parseCanonical} throws
 */
export function readUnverified(jws: string, typ: SignedType): Unverified {
  if (jws.length > wireLimits.bytes) throw new JackstayError('too_large', 'the JWS is too large')
  const parts = jws.split('.')
  const [head, body, signature] = parts
  if (parts.length !== 3 || head === undefined || body === undefined || signature === undefined) {
    throw refused('a compact JWS has three parts')
  }
  if (decode(signature).length !== 64) throw refused('an Ed25519 signature has 64 bytes')
  const read = readHeader(head)
  if (read.typ !== typ) throw refused(`the type must be \`${typ}\``)
  return { kid: read.kid, payload: parseCanonical(text(body)) }
}

function readHeader(head: string): z.infer<typeof header> {
  const parsed = header.safeParse(parseCanonical(text(head)))
  if (parsed.success) return parsed.data
  throw refused('the header must hold exactly `alg: Ed25519`, `kid` and `typ`')
}

/**
 * Checks header and signature of a compact JWS, the signature on another thread than the caller's: it
 * takes longer than all the rest of reading an intent. OpenSSL is asked as jose would ask it, without
 * WebCrypto's import of the key, which is a third on top.
 * @throws JackstayError `invalid_signature`, and what {@link parseCanonical} throws
 */
export async function verifySignature(jws: string, key: PublicKey): Promise<void> {
  const dot = jws.lastIndexOf('.')
  // whoever comes here without `readUnverified` gets no other algorithm either
  readHeader(jws.slice(0, Math.max(0, jws.indexOf('.'))))
  const signed = Buffer.from(jws.slice(0, dot), 'ascii')
  const signature = Buffer.from(jws.slice(dot + 1), 'base64url')
  let holds: boolean
  try {
    const holder = keyObject(key)
    holds = await new Promise((resolve, reject) => {
      verify(null, signed, holder, signature, (error, ok) => (error ? reject(error) : resolve(ok)))
    })
  } catch (cause) {
    throw new JackstayError('invalid_signature', 'the signature does not verify', { cause })
  }
  if (!holds) throw new JackstayError('invalid_signature', 'the signature does not verify')
}

/** Made once for each key that somebody holds on to: importing one takes as long as half a check. */
const imported = new WeakMap<PublicKey, KeyObject>()

function keyObject(key: PublicKey): KeyObject {
  const known = imported.get(key)
  if (known !== undefined) return known
  const made = createPublicKey({ key, format: 'jwk' })
  imported.set(key, made)
  return made
}

/** Signs a payload in canonical form. */
export async function sign(
  typ: SignedType,
  payload: unknown,
  signer: { readonly kid: string; readonly privateKey: CryptoKey },
): Promise<string> {
  const protectedHeader = { alg: 'Ed25519', kid: signer.kid, typ }
  return await new CompactSign(new TextEncoder().encode(canonical(payload)))
    .setProtectedHeader(protectedHeader)
    .sign(signer.privateKey)
}

function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw refused('a part is not exact base64url')
  return bytes
}

function text(part: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decode(part))
  } catch (cause) {
    if (cause instanceof JackstayError) throw cause
    throw refused('a part is not UTF-8', cause)
  }
}

function refused(message: string, cause?: unknown): JackstayError {
  return new JackstayError('invalid_signature', message, { cause })
}
