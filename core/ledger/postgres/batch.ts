import { hashSize } from '../log/tiles.ts'
import type { Frontier } from '../log/tree.ts'
import type { PendingLeaf, PreparedAppend } from '../store/append-request.ts'
import { integer, type Row, text } from '../store/rows.ts'
import { damaged } from '../store/stored-log.ts'
import { PostgresClaims } from './claims.ts'
import type { PostgresLog } from './log.ts'
import type { Result, Session, Statement, Value } from './session.ts'
import { one } from './tiles.ts'

/** One write on its way in. */
export interface Work<T> {
  /** The intents whose rows and claims it looks at. */
  readonly intents: readonly string[]
  /** Reads with statements of its own, so nothing of others may wait beside it in memory. */
  readonly alone?: boolean
  /** Decides, and only then changes the batch: what throws must have changed nothing. */
  run(batch: Batch): T | Promise<T>
}

/** An intent as the batch leaves it. */
interface IntentState {
  readonly seq: number
  readonly phase: string
  readonly terminal: boolean
}

const sql = {
  begin: { name: 'begin', text: 'BEGIN' },
  rollback: { name: 'rollback', text: 'ROLLBACK' },
  lock: {
    name: 'lock',
    text: `SELECT note, size, peaks, vkey, fence, term, now_ms() AS now,
        current_setting('fsync') = 'on' AND current_setting('synchronous_commit') = 'on' AS durable
      FROM head FOR UPDATE`,
  },
  intents: {
    name: 'batch_intents',
    text: 'SELECT id, seq, phase, terminal FROM intents WHERE id = ANY($1::text[])',
  },
  events: {
    name: 'put_events',
    text: `INSERT INTO events (intent, seq, type, at, data)
      SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])`,
  },
  insert: {
    name: 'put_intents',
    text: `INSERT INTO intents (id, seq, phase, terminal, agent, namespace, action, kid, jws_digest,
        started_at, updated_at)
      SELECT id, seq, phase, terminal, agent, namespace, action, kid, jws_digest, started, updated
      FROM unnest($1::text[], $2::bigint[], $3::text[], $4::smallint[], $5::text[], $6::text[],
          $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY
        AS t (id, seq, phase, terminal, agent, namespace, action, kid, jws_digest, started,
          updated, n) ORDER BY n`,
  },
  update: {
    name: 'update_intents',
    text: `UPDATE intents i SET seq = t.seq, phase = t.phase, terminal = t.terminal,
        agent = coalesce(i.agent, t.agent), namespace = coalesce(i.namespace, t.namespace),
        action = coalesce(i.action, t.action), kid = coalesce(i.kid, t.kid),
        jws_digest = coalesce(i.jws_digest, t.jws_digest), updated_at = t.updated
      FROM unnest($1::text[], $2::bigint[], $3::text[], $4::smallint[], $5::text[], $6::text[],
          $7::text[], $8::text[], $9::text[], $10::text[])
        AS t (id, seq, phase, terminal, agent, namespace, action, kid, jws_digest, updated)
      WHERE i.id = t.id`,
  },
  // One parameter holds all bytes: an array of them would travel as hex, at twice the size.
  leaves: {
    name: 'put_leaves',
    text: `INSERT INTO leaves (position, intent, seq, token, bytes)
      SELECT position, intent, seq, token, substring($7::bytea FROM start::int FOR length::int)
      FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
        AS t (position, intent, seq, token, start, length)`,
  },
  sealed: {
    name: 'put_sealed',
    text: `INSERT INTO sealed (position, name, salt, value)
      SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])`,
  },
  tiles: {
    name: 'grow_tiles',
    text: `INSERT INTO tiles AS had (level, position, hashes)
      SELECT level, position, substring($5::bytea FROM start::int FOR length::int)
      FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS t (level, position, start, length)
      ON CONFLICT (level, position) DO UPDATE SET hashes = had.hashes || excluded.hashes
      RETURNING level, position, octet_length(hashes) AS bytes`,
  },
  head: {
    name: 'put_head',
    text: 'UPDATE head SET note = $1, size = $2, peaks = $3, fence = $4',
  },
  fence: { name: 'put_fence', text: 'UPDATE head SET fence = $1' },
  writer: {
    name: 'put_writer',
    text: `INSERT INTO writers (id, batch, at) VALUES ($1, $2, $3)
      ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at`,
  },
}

/**
 * One transaction for the writes of one program. It locks the head of the log first, so all
 * programs take turns; then reads what the writes look at, lets each decide in memory, and stores
 * the outcome of all with a handful of statements.
 */
export class Batch {
  /** The database's clock, in milliseconds: one truth for every replica. */
  readonly now: number
  /** Of whoever leads on the log. */
  readonly term: number
  readonly claims: PostgresClaims
  readonly #session: Session
  readonly #log: PostgresLog
  readonly #frontier: Frontier
  readonly #intents: Map<string, IntentState>
  readonly #new = new Map<string, PreparedAppend[]>()
  readonly #known = new Map<string, PreparedAppend[]>()
  readonly #appends: PreparedAppend[] = []
  readonly #leaves: PendingLeaf[] = []
  #writesElsewhere = false

  private constructor(session: Session, log: PostgresLog, head: Row, rows: readonly Row[]) {
    this.#session = session
    this.#log = log
    this.now = integer(head, 'now')
    this.term = integer(head, 'term')
    this.#frontier = log.adopt(head)
    this.claims = new PostgresClaims(integer(head, 'fence'))
    this.#intents = new Map(
      rows.map((row) => [
        text(row, 'id'),
        {
          seq: integer(row, 'seq'),
          phase: text(row, 'phase'),
          terminal: integer(row, 'terminal') === 1,
        },
      ]),
    )
  }

  /** @throws DatabaseFault; JackstayError `ledger_damaged`; undefined when commits are not durable */
  static async open(
    session: Session,
    log: PostgresLog,
    intents: readonly string[],
  ): Promise<Batch | undefined> {
    const [, head, rows, claims] = await Promise.all([
      session.run(sql.begin),
      session.run(sql.lock),
      session.run(sql.intents, [intents]),
      session.run(PostgresClaims.read, [intents]),
    ])
    const row = one(head)
    if (row.durable !== true) return undefined
    const batch = new Batch(session, log, row, rows.rows)
    batch.claims.load(claims.rows)
    return batch
  }

  intent(id: string): IntentState | undefined {
    return this.#intents.get(id)
  }

  append(prepared: PreparedAppend): readonly number[] {
    const { request, seq, leaves } = prepared
    const { intentId, phase, terminal } = request
    const isNew = !this.#intents.has(intentId) || this.#new.has(intentId)
    const staged = isNew ? this.#new : this.#known
    staged.set(intentId, [...(staged.get(intentId) ?? []), prepared])
    this.#intents.set(intentId, { seq, phase, terminal })
    this.#appends.push(prepared)
    return this.addLeaves(leaves)
  }

  /** Where the next leaf will stand. */
  get next(): number {
    return this.#frontier.size + this.#leaves.length
  }

  addLeaves(leaves: readonly PendingLeaf[]): readonly number[] {
    const first = this.next
    this.#leaves.push(...leaves)
    return leaves.map((_, i) => first + i)
  }

  /** Leaves already written with this token, in this batch. */
  indexesOf(token: string): readonly number[] {
    return this.#leaves.flatMap((added, i) =>
      added.token === token ? [this.#frontier.size + i] : [],
    )
  }

  /** A statement of the write's own, which runs now and stands or falls with the batch. */
  async run(statement: Statement, values: readonly Value[] = []): Promise<Result> {
    const result = await this.#session.run(statement, values)
    if (result.command !== 'SELECT' && result.count > 0) this.#writesElsewhere = true
    return result
  }

  get isEmpty(): boolean {
    const none = this.#appends.length === 0 && this.#leaves.length === 0
    return none && !this.claims.changed && !this.#writesElsewhere
  }

  /** Sends everything but the commit, and looks whether it arrived as meant. */
  async store(writer: string, batch: number): Promise<() => void> {
    const sent: Promise<unknown>[] = []
    const send = (statement: Statement, values: readonly Value[]) => {
      sent.push(this.#session.run(statement, values))
    }
    if (this.#appends.length > 0) this.#sendAppends(send)
    for (const { statement, values } of this.claims.writes()) send(statement, values)
    send(sql.writer, [writer, batch, this.now])
    const committed = this.#leaves.length > 0 ? this.#sendLeaves(send, sent) : () => {}
    if (this.#leaves.length === 0 && this.claims.changed) send(sql.fence, [this.claims.fence])
    await Promise.all(sent)
    return committed
  }

  async rollback(): Promise<void> {
    await this.#session.run(sql.rollback)
  }

  #sendAppends(send: (statement: Statement, values: readonly Value[]) => void): void {
    const events = this.#appends.flatMap(({ request, events, data }) =>
      events.map(({ type, at }, i) => ({
        ...{ intent: request.intentId, seq: request.expectedSeq + i + 1, type, at },
        data: data[i] ?? 'null',
      })),
    )
    send(sql.events, [
      events.map(({ intent }) => intent),
      events.map(({ seq }) => seq),
      events.map(({ type }) => type),
      events.map(({ at }) => at),
      events.map(({ data }) => data),
    ])
    const added = [...this.#new.values()].map(intentRow)
    if (added.length > 0) send(sql.insert, transpose(added))
    // What is known keeps its beginning, so that column is left out.
    const changed = [...this.#known.values()].map((appends) => intentRow(appends).toSpliced(9, 1))
    if (changed.length > 0) send(sql.update, transpose(changed))
  }

  #sendLeaves(
    send: (statement: Statement, values: readonly Value[]) => void,
    sent: Promise<unknown>[],
  ): () => void {
    const first = this.#frontier.size
    const leaves = this.#leaves
    const blob = blobOf(leaves.map(({ bytes }) => bytes))
    send(sql.leaves, [
      leaves.map((_, i) => first + i),
      leaves.map(({ intent }) => intent),
      leaves.map(({ seq }) => seq),
      leaves.map(({ token }) => token ?? null),
      blob.starts,
      blob.lengths,
      blob.bytes,
    ])
    const sealed = leaves.flatMap((leaf, i) =>
      leaf.sealed.map(({ name, salt, value }) => [first + i, name, salt, value]),
    )
    if (sealed.length > 0) send(sql.sealed, transpose(sealed))
    const { tiles, frontier, head } = this.#log.grow(this.#frontier, leaves)
    const hashes = blobOf(tiles.map(({ added }) => added))
    const grown = this.#session.run(sql.tiles, [
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      hashes.starts,
      hashes.lengths,
      hashes.bytes,
    ])
    const widths = new Map(
      tiles.map(({ level, index, had, added }) => [
        `${level}/${index}`,
        had * hashSize + added.length,
      ]),
    )
    sent.push(grown.then(({ rows }) => assertWidths(rows, widths)))
    send(sql.head, [head.note, head.size, head.peaks, this.claims.fence])
    return () => this.#log.committed(head.note, frontier)
  }
}

/** A tile that had other than the expected hashes is damage, and must not be signed over. */
function assertWidths(rows: readonly Row[], widths: ReadonlyMap<string, number>): void {
  for (const row of rows) {
    const tile = `${integer(row, 'level')}/${integer(row, 'position')}`
    if (widths.get(tile) !== integer(row, 'bytes')) throw damaged(`tile ${tile} is not whole`)
  }
}

type Cell = string | number | null

/** Columns of `intents` after these appends, which are all the batch has for one intent. */
function intentRow(appends: readonly PreparedAppend[]): Cell[] {
  const first = appends[0]
  const last = appends.at(-1)
  const index = (field: 'agent' | 'namespace' | 'action' | 'kid' | 'jwsDigest') =>
    appends.find(({ request }) => request.index?.[field] !== undefined)?.request.index?.[field] ??
    null
  return [
    last?.request.intentId ?? null,
    last?.seq ?? null,
    last?.request.phase ?? null,
    last?.request.terminal === true ? 1 : 0,
    index('agent'),
    index('namespace'),
    index('action'),
    index('kid'),
    index('jwsDigest'),
    first?.firstAt ?? null,
    last?.lastAt ?? null,
  ]
}

function transpose(rows: readonly (readonly Cell[])[]): Cell[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? null))
}

/** Parts one after the other, and where each starts, counted from 1 as SQL does. */
function blobOf(parts: readonly Uint8Array[]) {
  let next = 1
  const starts = parts.map(({ length }) => {
    next += length
    return next - length
  })
  return { starts, lengths: parts.map(({ length }) => length), bytes: Buffer.concat(parts) }
}
