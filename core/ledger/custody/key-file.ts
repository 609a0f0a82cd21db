import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { generateSkey, type LedgerKey, ledgerKeyFrom } from '../log/key.ts'
import { baseOf } from '../log/origin.ts'
import { defaultSchema } from '../postgres/url.ts'
import { syncDirectory } from '../store/durable-file.ts'
import type { LedgerPlace } from '../store/place.ts'
import { settleRotation } from './rotation-file.ts'

export const keyName = 'ledger.key'

/**
 * The key of the data directory, made on first use with mode 0600. Its name is `origin`, or
 * `<origin>/2`, `/3`, … where the log was begun anew by a recovery. `database` says where the log
 * lies, if not in the directory: it knows how a rotation that was cut short ended.
 * @throws JackstayError `invalid_config` for another origin, or a file that others can read.
 */
export async function loadOrCreateKey(
  directory: string,
  origin: string,
  database: Partial<Omit<LedgerPlace, 'dataDir'>> = {},
): Promise<LedgerKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await settleRotation({ ledgerSchema: defaultSchema, ...database, dataDir: directory })
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
