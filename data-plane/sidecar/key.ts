import { generateKeyPairSync, type webcrypto } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import { type PublicKey, publicKey, thumbprintOf } from '@jackstay/contract/signing'
import { z } from 'zod'
import type { Volume } from './volume.ts'

/** The Pod's Ed25519 key. The private half never leaves the process and its volume. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly publicKey: PublicKey
  readonly privateKey: webcrypto.CryptoKey
}

const fileName = 'key.jwk'
const privateJwk = publicKey.extend({ d: z.string().regex(/^[A-Za-z0-9_-]{43}$/) })

/**
 * The key in the volume, made there first if there is none. Two processes that start at once end up
 * with the same one.
 * @throws JackstayError `invalid_config`
 */
export async function loadKey(volume: Volume): Promise<SigningKey> {
  const found = await volume.read(fileName)
  if (found !== undefined) return await readKey(found, volume)
  await volume.create(fileName, newJwk())
  const made = await volume.read(fileName)
  if (made === undefined) throw damaged(volume)
  return await readKey(made, volume)
}

function newJwk(): string {
  const { crv, d, kty, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return JSON.stringify({ crv, d, kty, x })
}

async function readKey(text: string, volume: Volume): Promise<SigningKey> {
  try {
    const { d, ...open } = privateJwk.parse(JSON.parse(text))
    // the import refuses a private half that does not belong to the public one
    const privateKey = await crypto.subtle.importKey('jwk', { ...open, d }, 'Ed25519', false, [
      'sign',
    ])
    return { kid: await thumbprintOf(open), publicKey: open, privateKey }
  } catch (cause) {
    throw damaged(volume, cause)
  }
}

function damaged(volume: Volume, cause?: unknown): JackstayError {
  return new JackstayError(
    'invalid_config',
    `\`${volume.path}/${fileName}\` is no Ed25519 key; replace the Pod, so that it starts with an empty volume`,
    { cause },
  )
}
