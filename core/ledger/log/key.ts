import { generateKeyPairSync } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import { formatSkey, formatVkey, type Signer, signerFromSkey } from './note.ts'

/** The key that signs checkpoints. Its name is the log's origin; the private half stays inside. */
export interface LedgerKey extends Signer {
  /** What verifiers are given: `name+hash+base64`. */
  readonly vkey: string
}

/** @throws JackstayError `invalid_config` when the text is no key. */
export function ledgerKeyFrom(skey: string): LedgerKey {
  const signer = signerFromSkey(skey)
  const key = { ...signer, vkey: formatVkey(signer.name, signer.publicKey) }
  texts.set(key, skey)
  return key
}

/** Beside the keys, not in them: a key that is logged or spread shows nothing. */
const texts = new WeakMap<LedgerKey, string>()

/** The key's text, to make it again in another thread of this process; never write it anywhere. */
export function skeyOf(key: LedgerKey): string {
  const text = texts.get(key)
  if (text !== undefined) return text
  throw new JackstayError('internal', 'the ledger key was copied: pass the one that was loaded')
}

/** A new random key, in the form of golang.org/x/mod/sumdb/note. */
export function generateSkey(origin: string): string {
  const { d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  if (d === undefined) throw new JackstayError('internal', 'the new key has no private part')
  return formatSkey(origin, Buffer.from(d, 'base64url'))
}
