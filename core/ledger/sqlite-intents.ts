import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import type { SqliteClaims } from './sqlite-claims.ts'
import { type PendingLeaf, pendingLeaf, type SqliteLog } from './sqlite-log.ts'
import { integer, json, optionalText, type Row, text } from './sqlite-rows.ts'
import type {
  Appended,
  AppendRequest,
  IntentQuery,
  IntentSummary,
  Replay,
  StoredEvent,
} from './store.ts'

/** Bytes of one event: a plan with its pre-images and inverses fits many times over. */
const eventLimit = 1024 * 1024

/** An append whose texts are made and measured before a transaction waits for them. */
export interface PreparedAppend {
  readonly request: AppendRequest
  readonly seq: number
  readonly data: readonly string[]
  readonly leaves: readonly PendingLeaf[]
  readonly firstAt: string
  readonly lastAt: string
}

/** @throws JackstayError `invalid_request`, `too_large`, `not_canonical` */
export function prepareAppend(request: AppendRequest): PreparedAppend {
  const { intentId, expectedSeq, events, leaves } = request
  const first = events.at(0)
  const last = events.at(-1)
  if (first === undefined || last === undefined) {
    throw new JackstayError('invalid_request', 'an append needs at least one event')
  }
  if (intentId === '' || !Number.isSafeInteger(expectedSeq) || expectedSeq < 0) {
    throw new JackstayError('invalid_request', 'an append needs an intent id and a sequence number')
  }
  const seq = expectedSeq + events.length
  return {
    request,
    seq,
    data: events.map(({ type, data }) => eventText(type, canonical(data))),
    leaves: leaves.map(({ kind, data }) => pendingLeaf({ kind, intent: intentId, seq, data })),
    firstAt: first.at,
    lastAt: last.at,
  }
}

function eventText(type: string, data: string): string {
  if (Buffer.byteLength(data) <= eventLimit) return data
  throw new JackstayError('too_large', `the event \`${type}\` exceeds ${eventLimit} bytes`)
}

/** Intents and their events. `append` runs inside a transaction of the caller. */
export class SqliteIntents {
  readonly #db: DatabaseSync
  readonly #log: SqliteLog
  readonly #claims: SqliteClaims
  readonly #sql

  constructor(db: DatabaseSync, log: SqliteLog, claims: SqliteClaims) {
    this.#db = db
    this.#log = log
    this.#claims = claims
    this.#sql = {
      intent: db.prepare('SELECT * FROM intents WHERE id = ?'),
      event: db.prepare('INSERT INTO events (intent, seq, type, at, data) VALUES (?, ?, ?, ?, ?)'),
      insert: db.prepare(
        `INSERT INTO intents (id, seq, phase, terminal, agent, namespace, action, kid, jws_digest,
           started_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      update: db.prepare(
        `UPDATE intents SET seq = ?, phase = ?, terminal = ?, agent = coalesce(agent, ?),
           namespace = coalesce(namespace, ?), action = coalesce(action, ?),
           kid = coalesce(kid, ?), jws_digest = coalesce(jws_digest, ?), updated_at = ?
         WHERE id = ?`,
      ),
      events: db.prepare('SELECT seq, type, at, data FROM events WHERE intent = ? ORDER BY seq'),
      leaves: db.prepare('SELECT seq, position FROM leaves WHERE intent = ? ORDER BY position'),
      open: db.prepare('SELECT id FROM intents WHERE terminal = 0 ORDER BY ordinal'),
    }
  }

  append(prepared: PreparedAppend, now: number): Appended {
    const { request, seq, leaves } = prepared
    const { intentId, expectedSeq, events, fence } = request
    const row = this.#sql.intent.get(intentId)
    assertNext(request, row)
    if (fence !== undefined) this.#claims.assertHeld(intentId, fence, now)
    for (const [i, { type, at }] of events.entries()) {
      this.#sql.event.run(intentId, expectedSeq + i + 1, type, at, prepared.data[i] ?? null)
    }
    this.#putIntent(prepared, row === undefined)
    return { seq, leafIndexes: leaves.map((leaf) => this.#log.add(leaf)) }
  }

  #putIntent({ request, seq, firstAt, lastAt }: PreparedAppend, isNew: boolean): void {
    const { intentId, phase, terminal, index = {} } = request
    const found = [index.agent, index.namespace, index.action, index.kid, index.jwsDigest]
    const fields = found.map((field) => field ?? null)
    if (isNew) {
      this.#sql.insert.run(intentId, seq, phase, Number(terminal), ...fields, firstAt, lastAt)
    } else {
      this.#sql.update.run(seq, phase, Number(terminal), ...fields, lastAt, intentId)
    }
  }

  events(intentId: string): readonly StoredEvent[] {
    const leafIndexes = new Map<number, number[]>()
    for (const row of this.#sql.leaves.all(intentId)) {
      const seq = integer(row, 'seq')
      leafIndexes.set(seq, [...(leafIndexes.get(seq) ?? []), integer(row, 'position')])
    }
    return this.#sql.events.all(intentId).map((row) => ({
      seq: integer(row, 'seq'),
      type: text(row, 'type'),
      at: text(row, 'at'),
      data: json(row, 'data'),
      leafIndexes: leafIndexes.get(integer(row, 'seq')) ?? [],
    }))
  }

  intent(intentId: string): IntentSummary | undefined {
    const row = this.#sql.intent.get(intentId)
    return row === undefined ? undefined : summaryOf(row)
  }

  list({
    agent,
    namespace,
    phase,
    terminal,
    before,
    limit,
  }: IntentQuery): readonly IntentSummary[] {
    const conditions = [
      { sql: 'agent = ?', value: agent },
      { sql: 'namespace = ?', value: namespace },
      { sql: 'phase = ?', value: phase },
      { sql: 'terminal = ?', value: terminal === undefined ? undefined : Number(terminal) },
      { sql: 'ordinal < ?', value: before },
    ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]))
    const where = conditions.map(({ sql }) => sql).join(' AND ')
    const statement = this.#db.prepare(
      `SELECT * FROM intents ${where === '' ? '' : `WHERE ${where}`} ORDER BY ordinal DESC LIMIT ?`,
    )
    return statement.all(...conditions.map(({ value }) => value), limit).map(summaryOf)
  }

  open(): readonly string[] {
    return this.#sql.open.all().map((row) => text(row, 'id'))
  }

  replay(kid: string, jti: string, jwsDigest: string): Replay {
    const known = this.intent(jti)
    if (known === undefined) return { kind: 'new' }
    if (known.kid !== kid) return { kind: 'other_key' }
    return known.jwsDigest === jwsDigest ? { kind: 'same', intentId: jti } : { kind: 'other_bytes' }
  }
}

function assertNext({ intentId, expectedSeq }: AppendRequest, row: Row | undefined): void {
  const seq = row === undefined ? 0 : integer(row, 'seq')
  if (seq !== expectedSeq) {
    throw new JackstayError(
      'intent_conflict',
      `\`${intentId}\` has ${seq} events, not ${expectedSeq}: read them again and go on from there`,
    )
  }
  if (row !== undefined && integer(row, 'terminal') === 1) {
    throw new JackstayError(
      'intent_conflict',
      `\`${intentId}\` has ended as ${text(row, 'phase')}: submit a new intent instead`,
    )
  }
}

function summaryOf(row: Row): IntentSummary {
  return {
    id: text(row, 'id'),
    ordinal: integer(row, 'ordinal'),
    seq: integer(row, 'seq'),
    phase: text(row, 'phase'),
    terminal: integer(row, 'terminal') === 1,
    ...optionalText(row, 'agent', 'agent'),
    ...optionalText(row, 'namespace', 'namespace'),
    ...optionalText(row, 'action', 'action'),
    ...optionalText(row, 'kid', 'kid'),
    ...optionalText(row, 'jws_digest', 'jwsDigest'),
    startedAt: text(row, 'started_at'),
    updatedAt: text(row, 'updated_at'),
  }
}
