import { generateKeyPairSync } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { settleRotation } from '../custody/rotation-file.ts'
import { formatSkey, formatVkey, type Signer, signerFromSkey } from './note.ts'
import { baseOf } from './origin.ts'

/** The key that signs checkpoints. Its name is the log's origin; the private half stays inside. */
export interface LedgerKey extends Signer {
  /** What verifiers are given: `name+hash+base64`. */
  readonly vkey: string
}

export const keyName = 'ledger.key'

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

/**
 * The key of the data directory, made on first use with mode 0600. Its name is `origin`, or
 * `<origin>/2`, `/3`, … where the log was begun anew by a recovery.
 * @throws JackstayError `invalid_config` for another origin, or a file that others can read.
 */
export async function loadOrCreateKey(directory: string, origin: string): Promise<LedgerKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await settleRotation(directory)
  if (await writeKey(directory, keyName, generateSkey(origin))) await syncDirectory(directory)
  const key = await loadKey(directory)
  if (baseOf(key.name) === baseOf(origin)) return key
  throw new JackstayError(
    'invalid_config',
    `the key in \`${join(directory, keyName)}\` belongs to \`${key.name}\`, not to \`${origin}\`: use that cluster's data directory, or another one`,
  )
}

/** Writes a key file with mode 0600, durably; false where there is one already. */
export async function writeKey(directory: string, name: string, skey: string): Promise<boolean> {
  try {
    await using file = await open(join(directory, name), 'wx', 0o600)
    await file.writeFile(`${skey}\n`)
    await file.sync()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Without this a power cut could take the new name away while the store it signed stays. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, constants.O_RDONLY)
  await handle.sync()
}

/**
 * A key file of the data directory.
 * @throws JackstayError `invalid_config` for a file that others can read or that holds no key.
 */
export async function loadKey(directory: string, name = keyName): Promise<LedgerKey> {
  const path = join(directory, name)
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  // Mode and content are read through one handle, so nobody can swap the file between the two.
  const { mode, size } = await file.stat()
  if ((mode & 0o077) !== 0) {
    throw new JackstayError(
      'invalid_config',
      `\`${path}\` has mode ${(mode & 0o777).toString(8)} and others may use it: run \`chmod 600\` on it, and make a new log if the key may have leaked`,
    )
  }
  if (size > 4096) throw new JackstayError('invalid_config', `\`${path}\` is no ledger key`)
  return ledgerKeyFrom((await file.readFile('utf8')).trim())
}
