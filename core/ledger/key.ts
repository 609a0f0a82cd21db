import { generateKeyPairSync } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { formatSkey, formatVkey, type Signer, signerFromSkey } from './note.ts'

/** The key that signs checkpoints. Its name is the log's origin; the private half stays inside. */
export interface LedgerKey extends Signer {
  /** What verifiers are given: `name+hash+base64`. */
  readonly vkey: string
}

const fileName = 'ledger.key'

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
 * The key of the data directory, made on first use with mode 0600.
 * @throws JackstayError `invalid_config` for another origin, or a file that others can read.
 */
export async function loadOrCreateKey(directory: string, origin: string): Promise<LedgerKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, fileName)
  if (!(await create(path, origin))) return load(path, origin)
  await syncDirectory(directory)
  return load(path, origin)
}

async function create(path: string, origin: string): Promise<boolean> {
  const text = `${generateSkey(origin)}\n`
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Without this a power cut could take the new name away while the store it signed stays. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, constants.O_RDONLY)
  await handle.sync()
}

async function load(path: string, origin: string): Promise<LedgerKey> {
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
  const key = ledgerKeyFrom((await file.readFile('utf8')).trim())
  if (key.name !== origin) {
    throw new JackstayError(
      'invalid_config',
      `the key in \`${path}\` belongs to \`${key.name}\`, not to \`${origin}\`: use that cluster's data directory, or another one`,
    )
  }
  return key
}
