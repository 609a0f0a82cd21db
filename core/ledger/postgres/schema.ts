import { JackstayError } from '@jackstay/contract/errors'
import pg from 'pg'
import { integer } from '../store/rows.ts'
import type { Session, Statement } from './session.ts'

/**
 * The tables, as steps from each version to the next. A step once released is never edited; an
 * older program refuses a newer store.
 */
const steps: readonly string[] = [
  `
CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);

-- The one row every writer locks: where the log ends, its right edge, the newest fence.
CREATE TABLE head (
  only_row smallint PRIMARY KEY CHECK (only_row = 1),
  note text NOT NULL,
  size bigint NOT NULL,
  peaks bytea NOT NULL,
  fence bigint NOT NULL
);

-- The newest batch of each program: whether a commit without an answer happened stands here.
CREATE TABLE writers (id text PRIMARY KEY, batch bigint NOT NULL, at bigint NOT NULL);

CREATE TABLE intents (
  ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  seq bigint NOT NULL,
  phase text NOT NULL,
  terminal smallint NOT NULL CHECK (terminal IN (0, 1)),
  agent text, namespace text, action text, kid text, jws_digest text,
  started_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE INDEX intents_by_agent ON intents (agent, ordinal);
CREATE INDEX intents_by_namespace ON intents (namespace, ordinal);
CREATE INDEX intents_by_phase ON intents (phase, ordinal);
CREATE INDEX intents_open ON intents (ordinal) WHERE terminal = 0;

CREATE TABLE events (
  intent text NOT NULL,
  seq bigint NOT NULL,
  type text NOT NULL,
  at text NOT NULL,
  data text NOT NULL,
  PRIMARY KEY (intent, seq)
);

CREATE TABLE leaves (
  position bigint PRIMARY KEY,
  intent text,
  seq bigint,
  token text,
  bytes bytea NOT NULL
) WITH (toast_tuple_target = 8160);
CREATE INDEX leaves_by_intent ON leaves (intent, seq) WHERE intent IS NOT NULL;
CREATE INDEX leaves_by_token ON leaves (token, position) WHERE token IS NOT NULL;

CREATE TABLE tiles (
  level smallint NOT NULL,
  position bigint NOT NULL,
  hashes bytea NOT NULL,
  PRIMARY KEY (level, position)
) WITH (toast_tuple_target = 8160);
-- Hashes do not compress, and trying costs time.
ALTER TABLE tiles ALTER hashes SET STORAGE EXTERNAL;

-- Values that leaves commit to; salt and value are null once erased.
CREATE TABLE sealed (
  position bigint NOT NULL,
  name text NOT NULL,
  salt text,
  value text,
  redacted_by bigint,
  PRIMARY KEY (position, name)
);

CREATE TABLE holds (
  id text PRIMARY KEY,
  scope text NOT NULL,
  reason text NOT NULL,
  put_by text NOT NULL,
  since text NOT NULL,
  leaf bigint NOT NULL
);

-- How far the log was pruned, and the leaf that says so.
CREATE TABLE pruned (
  only_row smallint PRIMARY KEY CHECK (only_row = 1),
  minimum bigint NOT NULL,
  leaf bigint
);
INSERT INTO pruned VALUES (1, 0, NULL);

CREATE TABLE claims (
  intent text PRIMARY KEY,
  holder text NOT NULL,
  fence bigint NOT NULL,
  expires bigint NOT NULL
);

CREATE TABLE triggers (
  ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  dedup_key text NOT NULL UNIQUE,
  source text NOT NULL,
  fingerprint text NOT NULL,
  starts_at text NOT NULL,
  group_key text NOT NULL,
  status text NOT NULL CHECK (status IN ('firing', 'resolved')),
  data text NOT NULL,
  received_at bigint NOT NULL,
  lease_holder text,
  lease_until bigint,
  redacted_by bigint
);
CREATE INDEX triggers_by_status ON triggers (status, ordinal);
CREATE INDEX triggers_by_age ON triggers (received_at);

-- One clock for every replica, in milliseconds: claims expire by it.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;
`,
  `
-- State of the programs beside the log, which has to outlive them.
CREATE TABLE notes (name text PRIMARY KEY, value text NOT NULL);
`,
  `
-- Who leads has a term; a program that led in an earlier one finds out in each of its transactions.
ALTER TABLE head ADD COLUMN term bigint NOT NULL DEFAULT 0;
`,
  `
-- The one key that may sign, in the row that every writer locks, so that none misses another one;
-- nobody's once another log has followed this one.
ALTER TABLE head ADD COLUMN vkey text;
UPDATE head SET vkey = (SELECT value FROM meta WHERE name = 'vkey');
DELETE FROM meta WHERE name = 'vkey';
`,
]

export const schemaVersion = steps.length

const lock = {
  name: 'lock_schema',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('jackstay ledger ' || $1, 0))`,
}
const exists = {
  name: 'schema_exists',
  text: `SELECT count(*) AS n FROM pg_namespace WHERE nspname = $1`,
}
const hasMeta = {
  name: 'has_meta',
  text: `SELECT count(*) AS n FROM pg_tables WHERE schemaname = $1 AND tablename = 'meta'`,
}
const readVersion = {
  name: 'read_version',
  text: `SELECT value::bigint AS version FROM meta WHERE name = 'schema'`,
}

/**
 * Brings the tables to this program's version; one program at a time, the others wait.
 * @throws JackstayError `invalid_config` for a store of a newer version.
 */
export async function migrate(session: Session, schema: string): Promise<void> {
  await inSchemaLock(session, schema, async () => {
    if ((await count(session, exists, schema)) === 0) {
      await session.script(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`)
    }
    const version = (await count(session, hasMeta, schema)) === 0 ? 0 : await versionOf(session)
    assertVersion(version, schema)
    if (version === schemaVersion) return
    for (const step of steps.slice(version)) await session.script(step)
    await session.script(
      `INSERT INTO meta VALUES ('schema', '${schemaVersion}')
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    )
  })
}

/** For those who only look. @throws JackstayError `invalid_config`, `not_found` */
export async function assertKnownSchema(session: Session, schema: string): Promise<void> {
  if ((await count(session, hasMeta, schema)) === 0) {
    throw new JackstayError('not_found', `there is no ledger in schema \`${schema}\``)
  }
  assertVersion(await versionOf(session), schema)
}

async function count(session: Session, statement: Statement, schema: string): Promise<number> {
  return integer((await session.run(statement, [schema])).rows[0] ?? {}, 'n')
}

/** Runs `work` in a transaction that no other program's opening of this log overlaps. */
export async function inSchemaLock<T>(
  session: Session,
  schema: string,
  work: () => Promise<T>,
): Promise<T> {
  await session.script('BEGIN')
  try {
    await session.run(lock, [schema])
    const value = await work()
    await session.script('COMMIT')
    return value
  } catch (error) {
    if (!session.lost) await session.script('ROLLBACK')
    throw error
  }
}

async function versionOf(session: Session): Promise<number> {
  const [row] = (await session.run(readVersion)).rows
  return row === undefined ? 0 : integer(row, 'version')
}

function assertVersion(version: number, schema: string): void {
  if (version <= schemaVersion) return
  throw new JackstayError(
    'invalid_config',
    `the ledger in schema \`${schema}\` has version ${version} and this program knows up to ${schemaVersion}: run the newer program`,
  )
}
