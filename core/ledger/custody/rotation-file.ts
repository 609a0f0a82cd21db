import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { formatVkey, signerFromSkey } from '../log/note.ts'
import { databaseName, lockDirectory, openReadOnly } from '../sqlite/database.ts'
import { text } from '../store/rows.ts'

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
export async function settleRotation(directory: string): Promise<void> {
  if (!existsSync(join(directory, nextKeyName))) return
  const lock = await lockRotation(directory)
  try {
    await settle(directory)
  } finally {
    lock.close()
  }
}

/** The same for whoever holds the lock. */
export async function settle(directory: string): Promise<void> {
  const next = join(directory, nextKeyName)
  if (!existsSync(next)) return
  if (await isTaken(directory, next)) await rename(next, join(directory, 'ledger.key'))
  else await rm(next)
}

async function isTaken(directory: string, next: string): Promise<boolean> {
  if (!existsSync(join(directory, databaseName))) return false
  const { name, publicKey } = signerFromSkey((await readFile(next, 'utf8')).trim())
  const db = openReadOnly(directory)
  try {
    const row = db.prepare("SELECT value FROM meta WHERE name = 'vkey'").get()
    return row !== undefined && text(row, 'value') === formatVkey(name, publicKey)
  } finally {
    db.close()
  }
}
