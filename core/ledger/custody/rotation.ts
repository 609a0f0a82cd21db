import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint, signCheckpoint } from '../log/checkpoint.ts'
import { generateSkey, type LedgerKey } from '../log/key.ts'
import { verifierFromVkey } from '../log/note.ts'
import { rotationNote } from '../log/succession.ts'
import { lockDirectory, openDatabase } from '../sqlite/database.ts'
import { syncDirectory } from '../store/durable-file.ts'
import { text } from '../store/rows.ts'
import { type Clock, openStore } from '../store/store.ts'
import { keyName, loadKey, writeKey } from './key-file.ts'
import { lockRotation, nextKeyName, settle } from './rotation-file.ts'

export interface RotateOptions {
  readonly directory: string
  readonly reason: string
  /** Who does it, as it should stand in the log. */
  readonly by: string
  readonly clock: Clock
}

export interface Rotated {
  readonly origin: string
  readonly vkey: string
  /** The key it had before, which is destroyed. */
  readonly formerVkey: string
  /** Where the rotation stands in the log. */
  readonly leaf: number
  /** Signed by both keys. */
  readonly checkpoint: string
}

/**
 * Gives the log another key: a leaf in which the old key names the new one, then a checkpoint that
 * both have signed, from then on the new one alone. The old private key is gone afterwards. A crash
 * leaves one of the two in force, never none.
 * @throws JackstayError `not_ready` while another process writes, and what `openStore` throws
 */
export async function rotateKey(options: RotateOptions): Promise<Rotated> {
  const lock = await lockRotation(options.directory)
  try {
    return await rotate(options)
  } finally {
    lock.close()
  }
}

async function rotate(options: RotateOptions): Promise<Rotated> {
  const { directory, reason, by, clock } = options
  await settle(directory)
  const old = await loadKey(directory)
  const { name: origin } = old
  await writeKey(directory, nextKeyName, generateSkey(origin))
  await syncDirectory(directory)
  const next = await loadKey(directory, nextKeyName)
  const leaf = await appendRotation(options, old, {
    time: new Date(clock.now()).toISOString(),
    ...{ from: old.vkey, to: next.vkey, reason, by, note: rotationNote(old, next) },
  })
  const checkpoint = await handOver(directory, old, next)
  await rename(join(directory, nextKeyName), join(directory, keyName))
  await syncDirectory(directory)
  return { origin, vkey: next.vkey, formerVkey: old.vkey, leaf, checkpoint }
}

async function appendRotation(
  { directory, clock }: RotateOptions,
  key: LedgerKey,
  data: { readonly [key: string]: string },
): Promise<number> {
  const store = await openStore({ directory, origin: key.name, key, clock })
  try {
    const { leafIndexes } = await store.appendLeaves([{ kind: 'rotation', data }])
    return leafIndexes[0] ?? 0
  } finally {
    await store.close()
  }
}

/** Signs the newest checkpoint with both keys and makes the new one the store's, at once. */
async function handOver(directory: string, old: LedgerKey, next: LedgerKey): Promise<string> {
  const lock = await lockDirectory(directory)
  const db = await openDatabase(directory)
  try {
    db.exec('BEGIN IMMEDIATE')
    const note = text(db.prepare('SELECT note FROM checkpoint').get() ?? {}, 'note')
    const opened = openCheckpoint(note, verifierFromVkey(old.vkey))
    if (!opened.ok) throw new JackstayError('ledger_damaged', opened.problem)
    const both = signCheckpoint(opened.checkpoint, [old, next])
    db.prepare('UPDATE checkpoint SET note = ?').run(both)
    db.prepare("UPDATE meta SET value = ? WHERE name = 'vkey'").run(next.vkey)
    db.exec('COMMIT')
    return both
  } finally {
    db.close()
    lock.close()
  }
}
