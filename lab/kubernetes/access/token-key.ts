import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

/** What service account tokens are signed with and known by. */
export interface TokenKey {
  /** Of the public half, as the API server makes it. */
  readonly id: string
  readonly signing: KeyObject
  readonly verifying: KeyObject
}

/** A fresh private key as PEM, to be kept with the lab's data: with another one, no token is known. */
export function createTokenKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** @throws when the text is no private key on P-256 */
export function tokenKey(privateKeyPem: string): TokenKey {
  const signing = createPrivateKey(privateKeyPem)
  if (signing.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error(
      'the key of service account tokens is not on P-256; remove it to have a new one',
    )
  }
  const verifying = createPublicKey(signing)
  const der = verifying.export({ type: 'spki', format: 'der' })
  return { id: createHash('sha256').update(der).digest('base64url'), signing, verifying }
}
