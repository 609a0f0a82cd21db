import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'

// DER heads of RFC 8410, so that raw keys need no JWK detour.
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

export interface SigningHalf {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** The signing half of a raw 32-byte seed (RFC 8032). */
export function signingHalf(seed: Uint8Array): SigningHalf {
  const der = Buffer.concat([pkcs8Head, seed])
  const handle: KeyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(handle).export({ format: 'der', type: 'spki' })
  return {
    publicKey: spki.subarray(spkiHead.length),
    sign: (message) => signBytes(null, message, handle),
  }
}

/** Checks signatures of a raw 32-byte public key. */
export function checkingHalf(
  publicKey: Uint8Array,
): (message: Uint8Array, signature: Uint8Array) => boolean {
  const der = Buffer.concat([spkiHead, publicKey])
  const handle = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return (message, signature) =>
    signature.length === 64 && verifyBytes(null, message, handle, signature)
}
