import { JackstayError } from '@jackstay/contract/errors'
import pg from 'pg'
import type { Row } from '../store/rows.ts'
import type { PostgresTarget } from './url.ts'

/** A statement the server prepares once per connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}

export interface Result {
  readonly rows: readonly Row[]
  /** Rows written or read. */
  readonly count: number
  /** The tag the server answered with: `COMMIT`, `ROLLBACK`, … */
  readonly command: string
}

export type Value = string | number | null | Uint8Array | readonly (string | number | null)[]

/** What went wrong between us and the database, and whether the connection still lives. */
export class DatabaseFault extends Error {
  readonly lost: boolean
  /** Five characters of the server, or undefined when it said nothing. */
  readonly state: string | undefined

  constructor(cause: unknown) {
    const state = stateOf(cause)
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'DatabaseFault'
    this.state = state
    // 08: connection, 57P: shutdown, crash, start-up; 25P03 and 25P04 end the session as well.
    this.lost = state === undefined || /^(08|57P|25P03|25P04)/.test(state)
  }

  /** A deadlock, or another transaction that came first: the same may succeed at once. */
  get isOfTiming(): boolean {
    return this.state?.startsWith('40') === true
  }

  /** The data, and not the moment, made the statement fail: it would fail again. */
  get isOfData(): boolean {
    return this.state !== undefined && /^2[123]/.test(this.state)
  }
}

const lockNotAvailable = '55P03'

function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Wrong credentials, no such database, no right to it: waiting does not help. */
const refusals = /^(28|3D|42501)/

/** A standby may be promoted and a server come back; a wrong password stays wrong. */
export function mayPass(error: unknown): boolean {
  if (error instanceof DatabaseFault) return !refusals.test(error.state ?? '')
  return error instanceof JackstayError && error.code === 'not_ready'
}

/** A fault in the words of our callers; everything else as it is. */
export function told(error: unknown, { name }: PostgresTarget): unknown {
  if (!(error instanceof DatabaseFault)) return error
  const { cause, message } = error
  if (!mayPass(error)) {
    const text = `the ledger's database \`${name}\` refuses: ${message}`
    return new JackstayError('invalid_config', text, { cause })
  }
  if (error.state === lockNotAvailable) {
    const text = `other writers keep the ledger in \`${name}\` busy: try again after a moment`
    return new JackstayError('overloaded', text, { cause })
  }
  const text = `the ledger's database \`${name}\` does not do what it should: ${message}`
  return new JackstayError('not_ready', text, { cause })
}

/** How long anything may take before the connection counts as lost or the statement as failed. */
const limits = {
  connectMs: 5_000,
  lockMs: 10_000,
  statementMs: 20_000,
  /** A writer that stops in the middle gives the log's lock back after this. */
  idleInTransactionMs: 10_000,
  /** Longer than all the others, for a server or network that says nothing. */
  answerMs: 30_000,
} as const

export function clientConfig({ target, takesLong = false }: Where): pg.ClientConfig {
  const { host, port, database, user, password, ssl } = target
  return {
    ...{ host, port, database, user, ssl },
    // Without this, `pg` would look for a password in the environment and in `~/.pgpass`.
    password: password ?? '',
    types: { getTypeParser: parserOf },
    // The pipeline cuts the connection when an answer is late, which leaves no half-read answers.
    pipeline: true,
    keepAlive: true,
    application_name: 'jackstay-ledger',
    connectionTimeoutMillis: limits.connectMs,
    ...(takesLong ? {} : { query_timeout: limits.answerMs, statement_timeout: limits.statementMs }),
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
  }
}

const int8 = 20

/** Sizes and positions are `bigint` there and numbers here; none comes near 2^53. */
const parserOf: pg.CustomTypesConfig['getTypeParser'] = (
  oid: number,
  format?: 'text' | 'binary',
) => (oid === int8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format))

/** The keepalives: what the session of a machine that died has locked is free in half a minute. */
const settings = `
  SET synchronous_commit = on;
  SET default_transaction_isolation = 'read committed';
  SET client_min_messages = warning;
  SET tcp_keepalives_idle = 10;
  SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3;
`

const check = `
  SELECT pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only') = 'on' AS read_only,
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
      AND current_setting('synchronous_commit') = 'on' AS durable`

/**
 * Prepares a fresh connection for one log.
 * @throws JackstayError `not_ready` on a standby, `invalid_config` where a commit is not durable
 */
export async function prepareSession(
  client: pg.ClientBase,
  { target, schema, forReading = false }: Where,
): Promise<void> {
  await client.query(`${settings} SET search_path = ${pg.escapeIdentifier(schema)}`)
  if (forReading) return
  const [row] = (await client.query<Row>(check)).rows
  if (row?.standby !== false || row.read_only !== false) {
    throw new JackstayError(
      'not_ready',
      `\`${target.name}\` is a standby or read only and takes no leaves: name the primary`,
    )
  }
  if (row.durable !== true) throw notDurable(target)
}

export function notDurable(target: PostgresTarget): JackstayError {
  return new JackstayError(
    'invalid_config',
    `\`${target.name}\` does not sync what it commits: set \`fsync\`, \`full_page_writes\` and \`synchronous_commit\` to \`on\``,
  )
}

/** Which log, and what is meant to be done with it. */
export interface Where {
  readonly target: PostgresTarget
  readonly schema: string
  /** A standby will do. */
  readonly forReading?: boolean
  /** Statements that go through whole tables, and may take as long as they need. */
  readonly takesLong?: boolean
}

/** One connection of its own, for what needs a transaction. */
export class Session {
  readonly #client: pg.Client
  #lost: DatabaseFault | undefined

  constructor(client: pg.Client) {
    this.#client = client
    client.on('error', (cause) => {
      this.#lost ??= new DatabaseFault(cause)
    })
    client.once('end', () => {
      this.#lost ??= new DatabaseFault(new Error('the connection ended'))
    })
  }

  /** @throws DatabaseFault; JackstayError of `prepareSession` */
  static async open(where: Where): Promise<Session> {
    const client = new pg.Client(clientConfig(where))
    const session = new Session(client)
    try {
      await client.connect()
      await prepareSession(client, where)
      return session
    } catch (error) {
      await session.close()
      throw error instanceof JackstayError ? error : new DatabaseFault(error)
    }
  }

  get lost(): boolean {
    return this.#lost !== undefined
  }

  /**
   * Statements asked for without waiting are sent without waiting, and run in this order.
   * @throws DatabaseFault; JackstayError `invalid_request` for text PostgreSQL cannot hold
   */
  async run(statement: Statement, values: readonly Value[] = []): Promise<Result> {
    return query(this.#client, statement, values)
  }

  /** Several statements in one text, without values. */
  async script(text: string): Promise<void> {
    try {
      await this.#client.query(text)
    } catch (cause) {
      throw new DatabaseFault(cause)
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {
      // A connection that cannot say goodbye is closed by its server.
    })
  }
}

export async function query(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly Value[],
): Promise<Result> {
  for (const value of values) assertText(value)
  try {
    const result = await client.query<Row>({ ...statement, values: [...values] })
    return { rows: result.rows, count: result.rowCount ?? 0, command: result.command }
  } catch (cause) {
    throw new DatabaseFault(cause)
  }
}

function assertText(value: Value): void {
  if (value instanceof Uint8Array) return
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== 'string' || (text.isWellFormed() && !text.includes('\0'))) continue
    throw new JackstayError(
      'invalid_request',
      'a text with U+0000 or half a surrogate pair cannot be stored: leave it out',
    )
  }
}
