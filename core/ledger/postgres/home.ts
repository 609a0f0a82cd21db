import { JackstayError } from '@jackstay/contract/errors'
import type { LogHome } from '../custody/log-home.ts'
import { readSuccessor, type Successor } from '../custody/superseded.ts'
import { openCheckpoint, signCheckpoint } from '../log/checkpoint.ts'
import type { LedgerKey } from '../log/key.ts'
import { verifierFromVkey } from '../log/note.ts'
import { text } from '../store/rows.ts'
import { Leadership } from './leadership.ts'
import { openPostgresReader, type PostgresReaderOptions } from './reader.ts'
import { DatabaseFault, Session, told, type Where } from './session.ts'
import { one } from './tiles.ts'
import { postgresTarget, schemaName } from './url.ts'

const sql = {
  there: {
    name: 'there',
    text: `SELECT to_regclass('meta')::text AS meta, to_regclass('head')::text AS head`,
  },
  vkey: { name: 'head_vkey', text: 'SELECT vkey FROM head' },
  begin: { name: 'begin', text: 'BEGIN' },
  note: { name: 'locked_note', text: 'SELECT note FROM head FOR UPDATE' },
  handOver: { name: 'hand_over', text: 'UPDATE head SET note = $1, vkey = $2' },
  commit: { name: 'commit', text: 'COMMIT' },
  open: {
    name: 'under_way',
    text: 'SELECT id FROM intents WHERE terminal = 0 ORDER BY ordinal',
  },
  successor: { name: 'successor', text: `SELECT value FROM meta WHERE name = 'successor'` },
  follow: {
    name: 'follow',
    text: `INSERT INTO meta VALUES ('successor', $1)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  },
  // Whoever still has the log open signs no more of it.
  retire: { name: 'retire', text: 'UPDATE head SET vkey = NULL' },
}

/** A log in a schema of PostgreSQL. */
export function postgresHome({ url, schema: named }: PostgresReaderOptions): LogHome {
  const schema = schemaName(named)
  const using = async <T>(use: (session: Session) => Promise<T>): Promise<T> => {
    const where: Where = { target: await postgresTarget(url), schema }
    try {
      const session = await Session.open(where)
      try {
        return await use(session)
      } finally {
        await session.close()
      }
    } catch (error) {
      throw told(error, where.target)
    }
  }
  return {
    async lock() {
      const session = await Session.open({ target: await postgresTarget(url), schema })
      try {
        const there = one(await session.run(sql.there)).meta !== null
        if (!there) {
          const message = `there is no ledger in schema \`${schema}\`: correct --ledger-schema`
          throw new JackstayError('not_found', message)
        }
        await Leadership.claim(session, schema)
      } catch (error) {
        await session.close()
        throw error
      }
      return { [Symbol.asyncDispose]: () => session.close() }
    },
    signedWith: () =>
      unlessDamaged(() =>
        using(async (session) => {
          const [row] = (await session.run(sql.vkey)).rows
          return typeof row?.vkey === 'string' ? row.vkey : undefined
        }),
      ),
    handOver: (old, next) => using((session) => handOver(session, old, next)),
    read: (use) =>
      unlessDamaged(async () => {
        const read = await openPostgresReader({ url, schema })
        try {
          return await use(read)
        } finally {
          await read.close()
        }
      }),
    async underWay() {
      const found = await unlessDamaged(() => using((session) => session.run(sql.open)))
      return (found?.rows ?? []).map((row) => text(row, 'id'))
    },
    successor: () =>
      unlessDamaged(() =>
        using(async (session) => {
          const [row] = (await session.run(sql.successor)).rows
          return row && readSuccessor(text(row, 'value'))
        }),
      ),
    giveUp: (to, seen) => using((session) => giveUp(session, to, seen)),
  }
}

async function handOver(session: Session, old: LedgerKey, next: LedgerKey): Promise<string> {
  await session.run(sql.begin)
  const note = text(one(await session.run(sql.note)), 'note')
  const opened = openCheckpoint(note, verifierFromVkey(old.vkey))
  if (!opened.ok) throw new JackstayError('ledger_damaged', opened.problem)
  const both = signCheckpoint(opened.checkpoint, [old, next])
  await session.run(sql.handOver, [both, next.vkey])
  await session.run(sql.commit)
  return both
}

async function giveUp(session: Session, to: Successor, seen: string | undefined): Promise<void> {
  await session.run(sql.begin)
  // without that table nobody can write anyway
  const isThere = one(await session.run(sql.there)).head !== null
  if (isThere) {
    const [row] = (await session.run(sql.note)).rows
    if (row !== undefined && row.note !== seen) {
      throw new JackstayError(
        'not_ready',
        'somebody wrote to the ledger meanwhile: nothing was given up, run the same again',
      )
    }
    await session.run(sql.retire)
  }
  await session.run(sql.follow, [JSON.stringify(to)])
  await session.run(sql.commit)
}

/** Tables or rows that are missing are a finding about the log; a server that is away is none. */
async function unlessDamaged<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof JackstayError && isDamage(error)) return undefined
    throw error
  }
}

function isDamage({ code, cause }: JackstayError): boolean {
  if (code === 'ledger_damaged' || code === 'not_found') return true
  // 42: no such table or column; XX: a page that cannot be read
  return cause instanceof Error && /^(42[PS7]|XX)/.test(new DatabaseFault(cause).state ?? '')
}
