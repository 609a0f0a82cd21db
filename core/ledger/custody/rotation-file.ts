import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { formatVkey, signerFromSkey } from '../log/note.ts'
import { databaseName, lockDirectory } from '../sqlite/database.ts'
import type { LedgerPlace } from '../store/place.ts'
import { logHome } from './log-home.ts'

/** Where a rotation puts the new key until the store is signed with it. */
export const nextKeyName = 'ledger.key.next'

const lockName = 'rotation.lock'

/** Keeps rotations, and whoever ends one that was cut short, apart from each other. */
export function lockRotation(directory: string): Promise<DatabaseSync> {
  return lockDirectory(directory, lockName)
}

/**
 * Ends a rotation that a crash cut short, under its lock: the new key takes the old one's place where
 * the store is signed with it already, and is thrown away where it is not.
 * @throws JackstayError `not_ready` while a rotation is under way
 */
export async function settleRotation(place: LedgerPlace): Promise<void> {
  if (!existsSync(join(place.dataDir, nextKeyName))) return
  const lock = await lockRotation(place.dataDir)
  try {
    await settle(place)
  } finally {
    lock.close()
  }
}

/** The same for whoever holds the lock. */
export async function settle(place: LedgerPlace): Promise<void> {
  const { dataDir, ledgerUrlFile } = place
  const next = join(dataDir, nextKeyName)
  if (!existsSync(next)) return
  if (ledgerUrlFile === undefined && !existsSync(join(dataDir, databaseName))) {
    // thrown away, it would be missed by a database that is signed with it
    throw new JackstayError(
      'invalid_config',
      `a rotation of the key in \`${dataDir}\` was cut short, and no ledger is there that says which key is in force: name its database with --ledger-url-file`,
    )
  }
  const inForce = await (await logHome(place)).signedWith()
  if (inForce === (await vkeyIn(next))) return await rename(next, join(dataDir, 'ledger.key'))
  if (inForce === (await vkeyIn(join(dataDir, 'ledger.key')))) return await rm(next)
  throw new JackstayError(
    'ledger_damaged',
    `the ledger is signed with neither key in \`${dataDir}\`: keep both, and restore the database or a backup`,
  )
}

async function vkeyIn(path: string): Promise<string> {
  const { name, publicKey } = signerFromSkey((await readFile(path, 'utf8')).trim())
  return formatVkey(name, publicKey)
}
