import { JackstayError } from '@jackstay/contract/errors'
import { readSuccessor } from '../custody/superseded.ts'
import { openCheckpoint } from '../log/checkpoint.ts'
import { verifierFromVkey } from '../log/note.ts'
import { defaultQueueLimit } from '../store/bounds.ts'
import { endProcess } from '../store/end-process.ts'
import { text } from '../store/rows.ts'
import type { ErasableStore, PostgresStoreOptions } from '../store/store.ts'
import { assertExtends, checkStoredLog, damaged, readTileOf } from '../store/stored-log.ts'
import { Connection } from './connection.ts'
import { Leadership } from './leadership.ts'
import { PostgresLog } from './log.ts'
import { checkPruned, sweep, withLongSession } from './pruning.ts'
import { inSchemaLock, migrate } from './schema.ts'
import { DatabaseFault, type Session, told, type Where } from './session.ts'
import { PostgresStore } from './store.ts'
import { one, PostgresTiles } from './tiles.ts'
import { type PostgresTarget, postgresTarget, schemaName } from './url.ts'

const defaultPatienceMs = 20_000

const sql = {
  meta: { name: 'meta', text: 'SELECT value FROM meta WHERE name = $1' },
  putMeta: { name: 'put_meta', text: 'INSERT INTO meta VALUES ($1, $2)' },
  create: {
    name: 'create',
    text: 'INSERT INTO head (only_row, note, size, peaks, vkey, fence) VALUES (1, $1, $2, $3, $4, 0)',
  },
  headRow: { name: 'head_row', text: 'SELECT note, size, peaks, vkey FROM head' },
  // Whoever left these is gone: a claim that ran out, a program not heard of for a week.
  dropClaims: { name: 'drop_expired', text: 'DELETE FROM claims WHERE expires <= now_ms()' },
  dropWriters: {
    name: 'drop_writers',
    text: 'DELETE FROM writers WHERE at < now_ms() - 7 * 86400000::bigint',
  },
}

export async function openPostgresStore(options: PostgresStoreOptions): Promise<ErasableStore> {
  const { origin, key, queueLimit = defaultQueueLimit, patienceMs = defaultPatienceMs } = options
  const { leads = false, fatal = endProcess } = options
  if (key.name !== origin) {
    throw new JackstayError(
      'invalid_config',
      `the key \`${key.name}\` cannot sign for \`${origin}\`: load the key of that origin`,
    )
  }
  const target = await postgresTarget(options.url)
  const schema = schemaName(options.schema)
  const log = new PostgresLog(origin, key)
  const leadership = leads ? new Leadership(schema, fatal) : undefined
  let opened = false
  const connection = new Connection({ target, schema }, async (session) => {
    if (!opened) return
    await leadership?.resume(session)
    const head = one(await session.run(sql.headRow))
    await log.adoptAnew(head, tilesOf(session))
  })
  const deadline = performance.now() + patienceMs
  try {
    await persist(target, deadline, async () => {
      const session = await connection.session(deadline)
      await prepareLog(session, connection.where, options, log)
      await leadership?.begin(session)
    })
    opened = true
    return new PostgresStore(origin, connection, log, {
      ...{ queue: queueLimit, patienceMs, leadership },
    })
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Does `work` again when the connection was lost meanwhile; all of it may be done twice. */
async function persist(target: PostgresTarget, deadline: number, work: () => Promise<void>) {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const lost = error instanceof DatabaseFault && error.lost
      if (!lost || performance.now() >= deadline) throw told(error, target)
    }
  }
}

async function prepareLog(
  session: Session,
  where: Where,
  options: PostgresStoreOptions,
  log: PostgresLog,
): Promise<void> {
  const { schema } = where
  await migrate(session, schema)
  const created = await inSchemaLock(session, schema, () => identify(session, schema, options, log))
  if (!created && (await load(session, options, log))) {
    await withLongSession(where, sweep)
  }
  await session.run(sql.dropClaims)
  await session.run(sql.dropWriters)
}

/** True when there was no log and this is a new one; a log that stands is checked by `load`. */
async function identify(
  session: Session,
  schema: string,
  { origin, key }: PostgresStoreOptions,
  log: PostgresLog,
): Promise<boolean> {
  const stored = await metaOf(session, 'origin')
  const tiles = tilesOf(session)
  if (stored === undefined) {
    // INVARIANT: only a store without a log becomes a new one; else losing a row would erase it.
    if ((await tiles.checkpoint()) !== undefined || (await tiles.leafCount()) > 0) {
      throw damaged(`schema \`${schema}\` does not say whose log it holds`)
    }
    const { note, size, peaks } = log.empty()
    await session.run(sql.putMeta, ['origin', origin])
    await session.run(sql.create, [note, size, peaks, key.vkey])
    return true
  }
  assertSuccession(await metaOf(session, 'successor'), schema)
  if (stored !== origin) {
    throw new JackstayError(
      'invalid_config',
      `the ledger in schema \`${schema}\` is that of \`${stored}\`, not of \`${origin}\`: name another schema`,
    )
  }
  const [head] = (await session.run(sql.headRow)).rows
  if (head !== undefined && head.vkey !== key.vkey) {
    throw new JackstayError(
      'invalid_config',
      `the ledger in schema \`${schema}\` is signed with \`${head.vkey}\`, not with \`${key.vkey}\`: restore that key, or begin a new log in another schema`,
    )
  }
  return false
}

/** @throws JackstayError `ledger_damaged` where another log has followed this one */
function assertSuccession(successor: string | undefined, schema: string): void {
  if (successor === undefined) return
  const { origin, by } = readSuccessor(successor)
  throw new JackstayError(
    'ledger_damaged',
    `the ledger in schema \`${schema}\` was given up: \`${origin}\`, whose key is in \`${by}\`, has followed it, use that one`,
  )
}

async function metaOf(session: Session, name: string): Promise<string | undefined> {
  const [row] = (await session.run(sql.meta, [name])).rows
  return row === undefined ? undefined : text(row, 'value')
}

/**
 * Others may be writing: everything is read as it stood at one moment. True when a prune was
 * interrupted after it was put on record.
 */
async function load(
  session: Session,
  options: PostgresStoreOptions,
  log: PostgresLog,
): Promise<boolean> {
  await session.script('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  const tiles = tilesOf(session)
  const { frontier } = await checkStoredLog(tiles, options.key.vkey)
  log.adopt(one(await session.run(sql.headRow)))
  if (options.knownCheckpoint !== undefined) {
    const known = openCheckpoint(options.knownCheckpoint, verifierFromVkey(options.key.vkey))
    if (!known.ok) {
      throw new JackstayError(
        'invalid_config',
        `the checkpoint kept elsewhere is none of this log: ${known.problem}`,
      )
    }
    await assertExtends(tiles, frontier, known.checkpoint)
  }
  const unfinished = await checkPruned((...args) => session.run(...args), readTileOf(tiles))
  await session.script('COMMIT')
  return unfinished
}

function tilesOf(session: Session): PostgresTiles {
  return new PostgresTiles((statement, values) => session.run(statement, values))
}
