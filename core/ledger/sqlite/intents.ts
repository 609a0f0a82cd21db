import type { DatabaseSync } from 'node:sqlite'
import { assertNext, type PreparedAppend, replayOf } from '../store/append-request.ts'
import { eventsOf, summaryOf, text } from '../store/rows.ts'
import type { Appended, IntentQuery, IntentSummary, Replay, StoredEvent } from '../store/store.ts'
import type { SqliteClaims } from './claims.ts'
import type { SqliteLog } from './log.ts'

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
    const { request, events, seq, leaves } = prepared
    const { intentId, expectedSeq, fence, claim } = request
    const row = this.#sql.intent.get(intentId)
    assertNext(request, row === undefined ? undefined : summaryOf(row))
    if (fence !== undefined) this.#claims.assertHeld(intentId, fence, now)
    for (const [i, { type, at }] of events.entries()) {
      this.#sql.event.run(intentId, expectedSeq + i + 1, type, at, prepared.data[i] ?? null)
    }
    this.#putIntent(prepared, row === undefined)
    if (fence !== undefined && request.release) this.#claims.release(intentId, fence)
    const held = claim && this.#claims.claim(intentId, claim.holder, now, now + claim.ttlMs)
    const leafIndexes = leaves.map((leaf) => this.#log.add(leaf))
    return { seq, leafIndexes, ...(held && { claim: held }) }
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
    return eventsOf(this.#sql.events.all(intentId), this.#sql.leaves.all(intentId))
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
    return replayOf(this.intent(jti), kid, jwsDigest)
  }
}
