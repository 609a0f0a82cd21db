import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { backup } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { skeyOf } from '../log/key.ts'
import { type LedgerVerdict, verifyLedger } from '../log/verify.ts'
import { databaseName, openReadOnly } from '../sqlite/database.ts'
import { storeReader } from '../sqlite/reader.ts'
import { syncDirectory } from '../store/durable-file.ts'
import { keyName, loadKey, writeKey } from './key-file.ts'

export interface BackupOptions {
  readonly directory: string
  /** Must be empty or not exist; becomes a data directory. */
  readonly to: string
  /** The log's verifier key: the copy is checked with it. */
  readonly vkey: string
  /** Copies the signing key as well. Whoever has the copy can then write in the log's name. */
  readonly withKey: boolean
  /** Pages copied, and all there are. */
  readonly onProgress?: (done: number, all: number) => void
}

/** Pages copied between two turns of the event loop. */
const pagesAtOnce = 1024

/**
 * Copies a data directory, also while its owner writes, and verifies the whole copy: what it
 * returns is the verdict on the copy. To restore, start the mediator on the copy; should the log
 * have gone on meanwhile, that is a rollback and has to be told by `recoverLog`.
 * @throws JackstayError `invalid_request` for a folder in use
 */
export async function backupStore(options: BackupOptions): Promise<LedgerVerdict> {
  const { directory, to, vkey, withKey, onProgress } = options
  await mkdir(to, { recursive: true, mode: 0o700 })
  if ((await readdir(to)).length > 0) {
    throw new JackstayError(
      'invalid_request',
      `\`${to}\` is not empty; name a new folder for the backup`,
    )
  }
  const path = join(to, databaseName)
  // made beforehand, so that it never has another mode
  await (await open(path, 'wx', 0o600)).close()
  const db = openReadOnly(directory)
  try {
    // one snapshot for the whole copy: without it every commit of the owner starts it anew
    db.exec('BEGIN; SELECT count(*) FROM meta')
    await backup(db, path, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) =>
        onProgress?.(totalPages - remainingPages, totalPages),
    })
  } finally {
    db.close()
  }
  await sync(path)
  if (withKey) await writeKey(to, keyName, skeyOf(await loadKey(directory)))
  await syncDirectory(to)
  const read = storeReader(to)
  try {
    return await verifyLedger({ read, vkey })
  } finally {
    read.close()
  }
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r+')
  await file.sync()
}
