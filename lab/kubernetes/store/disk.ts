import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import type { StoredObject } from '../objects.ts'
import type { Change, Place } from './change.ts'

/** Of what is written here; another version's data is refused, never guessed at. */
const format = 1

/** What a store found when it was opened. */
interface Kept {
  readonly revision: number
  readonly objects: readonly { readonly place: Place; readonly object: StoredObject }[]
}

/** Keeps objects over restarts. */
export interface Disk {
  load(): Kept
  write(change: Change): void
  close(): void
}

/**
 * The objects in one SQLite file of the folder, which is made where it is not there.
 * @throws JackstayError `invalid_config` for a folder of another version, in use, or damaged
 */
export function openDisk(directory: string): Disk {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'cluster.db')
  const db = opened(file)
  const put = db.prepare(
    `INSERT INTO objects VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET object = excluded.object`,
  )
  const remove = db.prepare(
    'DELETE FROM objects WHERE collection = ? AND namespace = ? AND name = ?',
  )
  const remember = db.prepare(`UPDATE meta SET value = ? WHERE name = 'revision'`)
  return {
    load() {
      try {
        return loaded(db)
      } catch (cause) {
        throw damaged(file, cause)
      }
    },
    write({ place: { collection, namespace, name }, after, revision }) {
      db.exec('BEGIN')
      if (after === undefined) remove.run(collection, namespace, name)
      else put.run(collection, namespace, name, JSON.stringify(after))
      remember.run(revision)
      db.exec('COMMIT')
    },
    close: () => db.close(),
  }
}

function opened(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    // a lab that is lost with the machine's power is no harm
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    db.exec(`CREATE TABLE IF NOT EXISTS meta (
      name TEXT PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID`)
    db.exec(`CREATE TABLE IF NOT EXISTS objects (
      collection TEXT, namespace TEXT, name TEXT, object TEXT,
      PRIMARY KEY (collection, namespace, name)) STRICT, WITHOUT ROWID`)
    db.exec(`INSERT OR IGNORE INTO meta VALUES ('format', ${format}), ('revision', 1)`)
  } catch (cause) {
    db?.close()
    throw damaged(file, cause)
  }
  const found = db.prepare(`SELECT value FROM meta WHERE name = 'format'`).get()?.value
  if (found === format) return db
  db.close()
  throw new JackstayError(
    'invalid_config',
    `\`${file}\` is of another version (${String(found)}, not ${format}): use that version, or another folder`,
  )
}

function loaded(db: DatabaseSync): Kept {
  const revision = db.prepare(`SELECT value FROM meta WHERE name = 'revision'`).get()?.value
  if (typeof revision !== 'number') throw new TypeError('no revision')
  const rows = db.prepare('SELECT collection, namespace, name, object FROM objects').all()
  const objects = rows.map(({ collection, namespace, name, object }) => ({
    place: { collection: String(collection), namespace: String(namespace), name: String(name) },
    object: JSON.parse(String(object)) as StoredObject,
  }))
  return { revision, objects }
}

function damaged(file: string, cause: unknown): JackstayError {
  const busy = cause instanceof Error && /locked|busy/i.test(cause.message)
  return new JackstayError(
    'invalid_config',
    busy
      ? `\`${file}\` is in use by another lab: stop it, or use another folder`
      : `\`${file}\` does not read: keep a copy and use another folder`,
    { cause },
  )
}
