import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import type { LogHome } from '../custody/log-home.ts'
import { markSuperseded, successorOf } from '../custody/superseded.ts'
import { openCheckpoint, signCheckpoint } from '../log/checkpoint.ts'
import type { LedgerKey } from '../log/key.ts'
import { verifierFromVkey } from '../log/note.ts'
import { text } from '../store/rows.ts'
import { databaseName, lockDirectory, openDatabase, openReadOnly } from './database.ts'
import { storeReader } from './reader.ts'

/** A log in its data directory. */
export function sqliteHome(directory: string): LogHome {
  const isThere = () => existsSync(join(directory, databaseName))
  return {
    async lock() {
      const lock = await lockDirectory(directory)
      return { [Symbol.asyncDispose]: async () => lock.close() }
    },
    async signedWith() {
      if (!isThere()) return undefined
      const db = openReadOnly(directory)
      try {
        const row = db.prepare("SELECT value FROM meta WHERE name = 'vkey'").get()
        return row && text(row, 'value')
      } finally {
        db.close()
      }
    },
    handOver: (old, next) => handOver(directory, old, next),
    async read(use) {
      if (!isThere()) return undefined
      return unlessDamaged(async () => {
        const read = storeReader(directory)
        try {
          return await use(read)
        } finally {
          read.close()
        }
      })
    },
    async underWay() {
      if (!isThere()) return []
      const ids = await unlessDamaged(async () => {
        const db = openReadOnly(directory)
        try {
          return db.prepare('SELECT id FROM intents WHERE terminal = 0 ORDER BY ordinal').all()
        } finally {
          db.close()
        }
      })
      return (ids ?? []).map((row) => text(row, 'id'))
    },
    successor: () => successorOf(directory),
    giveUp: (to) => markSuperseded(directory, to),
  }
}

async function handOver(directory: string, old: LedgerKey, next: LedgerKey): Promise<string> {
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
  }
}

/** A store so damaged that SQLite gives up on it says nothing more, and that is the finding. */
async function unlessDamaged<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    // a disk or a mode that keeps us from reading is no finding about the log
    const { code } = error instanceof Error && 'code' in error ? error : { code: undefined }
    if (code === 'ledger_damaged' || code === 'ERR_SQLITE_ERROR') return undefined
    throw error
  }
}
