import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { integer } from '../store/rows.ts'
import { failureKind } from './failure.ts'

export const databaseName = 'ledger.sqlite'
const lockName = 'writer.lock'

const firstSchema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE intents (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  seq INTEGER NOT NULL,
  phase TEXT NOT NULL,
  terminal INTEGER NOT NULL CHECK (terminal IN (0, 1)),
  agent TEXT, namespace TEXT, action TEXT, kid TEXT, jws_digest TEXT,
  started_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX intents_by_agent ON intents (agent, ordinal);
CREATE INDEX intents_by_namespace ON intents (namespace, ordinal);
CREATE INDEX intents_by_phase ON intents (phase, ordinal);
CREATE INDEX intents_open ON intents (ordinal) WHERE terminal = 0;

CREATE TABLE events (
  intent TEXT NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  at TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (intent, seq)
) STRICT;

CREATE TABLE leaves (
  position INTEGER PRIMARY KEY,
  intent TEXT,
  seq INTEGER,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX leaves_by_intent ON leaves (intent, seq) WHERE intent IS NOT NULL;

CREATE TABLE tiles (
  level INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (level, position)
) STRICT;

CREATE TABLE checkpoint (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), note TEXT NOT NULL) STRICT;

CREATE TABLE claims (
  intent TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  fence INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE TABLE fences (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), newest INTEGER NOT NULL) STRICT;
INSERT INTO fences VALUES (1, 0);

CREATE TABLE triggers (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  dedup_key TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  starts_at TEXT NOT NULL,
  group_key TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('firing', 'resolved')),
  data TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  lease_holder TEXT,
  lease_until INTEGER
) STRICT;
CREATE INDEX triggers_by_status ON triggers (status, ordinal);
CREATE INDEX triggers_by_age ON triggers (received_at);
`

/** Values that leaves commit to; `salt` and `value` are null once erased. */
const sealedValues = `
CREATE TABLE sealed (
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  salt TEXT,
  value TEXT,
  redacted_by INTEGER,
  PRIMARY KEY (position, name)
) STRICT;
`

/** Leaves that must be written once, however often they are asked for. */
const leafTokens = `
CREATE TABLE leaf_tokens (
  token TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (token, position)
) STRICT, WITHOUT ROWID;
`

/** Holds in force, how far the log was pruned and by which leaf, alerts that were emptied. */
const erasure = `
CREATE TABLE holds (
  id TEXT PRIMARY KEY,
  scope TEXT NOT NULL,
  reason TEXT NOT NULL,
  put_by TEXT NOT NULL,
  since TEXT NOT NULL,
  leaf INTEGER NOT NULL
) STRICT;
CREATE TABLE pruned (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  minimum INTEGER NOT NULL,
  leaf INTEGER
) STRICT;
INSERT INTO pruned VALUES (1, 0, NULL);
ALTER TABLE triggers ADD COLUMN redacted_by INTEGER;
`

/** State of the program beside the log, which has to outlive it. */
const notes = `
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/** In the order they were made; a step that was released is never changed. */
const migrations: readonly string[] = [firstSchema, sealedValues, leafTokens, erasure, notes]

/** A store that a newer program has migrated is refused by an older one. */
export const schemaVersion = migrations.length

/**
 * For new databases. A page costs two copies and four calls of the kernel on its way through the
 * write-ahead log; with the 4 kB that SQLite starts with, leaves of 2 kB cost three times as much.
 */
const defaultPageSize = 16_384

/**
 * Takes the directory for this process alone. The lock is one of the operating system's, held by
 * an open transaction on a file of its own: it ends with the process, however that dies, and
 * leaves readers of the ledger alone.
 * @throws JackstayError `not_ready` while somebody else writes.
 */
export async function lockDirectory(directory: string, name = lockName): Promise<DatabaseSync> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, name)
  await makePrivate(path)
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock.close()
    throw new JackstayError(
      'not_ready',
      `another process writes to the ledger in \`${directory}\`: stop it first, or give this one its own data directory`,
      { cause },
    )
  }
}

/**
 * Opens the database durably (WAL, every commit synced) and brings its tables up to date.
 * @throws JackstayError `invalid_config` for a store of a newer version.
 */
export async function openDatabase(
  directory: string,
  pageSize = defaultPageSize,
): Promise<DatabaseSync> {
  const path = join(directory, databaseName)
  await makePrivate(path)
  const db = new DatabaseSync(path)
  try {
    assertVersion(db, directory)
    db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL`)
    // `GroupCommit` moves the write-ahead log itself, and looks at what comes of it
    db.exec('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0')
    for (const [i, step] of migrations.entries()) {
      if (versionOf(db) !== i) continue
      db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${i + 1}; COMMIT`)
    }
    assertOwnTables(db, directory)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the database of a directory to look only, also while another process writes to it. */
export function openReadOnly(directory: string): DatabaseSync {
  const db = new DatabaseSync(join(directory, databaseName), { readOnly: true, timeout: 5000 })
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    assertVersion(db, directory)
    assertOwnTables(db, directory)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * The same, for what a store has only since this version.
 * @throws JackstayError `invalid_config` for one that was not brought up to date yet
 */
export function openCurrent(directory: string): DatabaseSync {
  const db = openReadOnly(directory)
  if (versionOf(db) === schemaVersion) return db
  db.close()
  throw new JackstayError(
    'invalid_config',
    `the ledger in \`${directory}\` was last written by an older program: start the mediator once, which brings it up to date`,
  )
}

function assertVersion(db: DatabaseSync, directory: string): void {
  const version = versionOf(db)
  if (version <= schemaVersion) return
  throw new JackstayError(
    'invalid_config',
    `the ledger in \`${directory}\` has schema ${version} and this program knows up to ${schemaVersion}: run the newer program`,
  )
}

/**
 * A trigger that somebody added could keep what is erased, and a view in a table's place could
 * reckon for ever: only the tables of a version of ours are read and written.
 * @throws JackstayError `ledger_damaged`
 */
function assertOwnTables(db: DatabaseSync, directory: string): void {
  const ours = new DatabaseSync(':memory:')
  try {
    for (const step of migrations.slice(0, versionOf(db))) ours.exec(step)
    const expected = new Set(tablesOf(ours))
    const other = tablesOf(db).find((one) => !expected.delete(one))
    if (other === undefined && expected.size === 0) return
  } finally {
    ours.close()
  }
  throw new JackstayError(
    'ledger_damaged',
    `the ledger in \`${directory}\` has other tables, views or triggers than this program makes: keep a copy and find out who added or removed some, then restore a backup`,
  )
}

function tablesOf(db: DatabaseSync): readonly string[] {
  return db
    .prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    )
    .all()
    .map((row) => JSON.stringify(row))
}

function versionOf(db: DatabaseSync): number {
  return integer(db.prepare('PRAGMA user_version').get() ?? {}, 'user_version')
}

/** SQLite makes files with the process's umask and gives WAL and index the database's mode. */
async function makePrivate(path: string): Promise<void> {
  await using file = await open(path, 'a', 0o600)
  await file.chmod(0o600)
}

/** In `meta`, from the transaction that erases until no byte of it is left: the files of a crash. */
const owed = "name = 'scrub'"

/** Has the next start scrub, should this program not come to it. For a transaction that erases. */
export function oweScrub(db: DatabaseSync): void {
  db.exec("INSERT OR REPLACE INTO meta VALUES ('scrub', 'owed')")
}

/**
 * Leaves no byte of what was deleted in the database's files: pages are written anew without it,
 * and the write-ahead log that had them is cut.
 * @throws JackstayError `not_ready` while a reader keeps the write-ahead log from being cut
 */
export function scrub(db: DatabaseSync): void {
  db.exec('VACUUM')
  const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {}
  if (integer(row, 'busy') === 0) {
    db.exec(`DELETE FROM meta WHERE ${owed}`)
    return
  }
  throw new JackstayError(
    'not_ready',
    'somebody reads the ledger, so its write-ahead log still holds what was erased: end the reader and run the same again',
  )
}

/** Scrubs what an erasure before a crash left; a reader or a full disk puts it off to the next. */
export function scrubIfOwed(db: DatabaseSync): void {
  if (db.prepare(`SELECT 1 FROM meta WHERE ${owed}`).get() === undefined) return
  try {
    scrub(db)
  } catch (error) {
    if (!(error instanceof JackstayError) && failureKind(error) !== 'full') throw error
  }
}
