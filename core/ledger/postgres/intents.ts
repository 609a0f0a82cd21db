import { assertNext, type PreparedAppend } from '../store/append-request.ts'
import { eventsOf, integer, summaryOf, text } from '../store/rows.ts'
import type { Appended, IntentQuery, IntentSummary, StoredEvent } from '../store/store.ts'
import type { Batch } from './batch.ts'
import type { Value } from './session.ts'
import type { Run } from './tiles.ts'

const sql = {
  intent: { name: 'intent', text: 'SELECT * FROM intents WHERE id = $1' },
  // One statement sees one moment: no leaf without its event.
  events: {
    name: 'events',
    text: `SELECT e.seq, e.type, e.at, e.data, l.position FROM events e
      LEFT JOIN leaves l ON l.intent = e.intent AND l.seq = e.seq
      WHERE e.intent = $1 ORDER BY e.seq, l.position`,
  },
  open: { name: 'open', text: 'SELECT id FROM intents WHERE terminal = 0 ORDER BY ordinal' },
}

/** @throws JackstayError `intent_conflict` */
export function appendIn(batch: Batch, prepared: PreparedAppend): Appended {
  const { intentId, fence, claim, release } = prepared.request
  const { claims, now } = batch
  assertNext(prepared.request, batch.intent(intentId))
  if (fence !== undefined) claims.assertHeld(intentId, fence, now)
  const leafIndexes = batch.append(prepared)
  if (fence !== undefined && release) claims.release(intentId, fence)
  const held = claim && claims.claim(intentId, claim.holder, now, now + claim.ttlMs)
  return { seq: prepared.seq, leafIndexes, ...(held && { claim: held }) }
}

/** Intents and their events, read. */
export class PostgresIntents {
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async events(intentId: string): Promise<readonly StoredEvent[]> {
    const { rows } = await this.#run(sql.events, [intentId])
    const first = rows.filter((row, i) => row.seq !== rows[i - 1]?.seq)
    return eventsOf(
      first,
      rows.filter(({ position }) => position !== null),
    )
  }

  async intent(intentId: string): Promise<IntentSummary | undefined> {
    const [row] = (await this.#run(sql.intent, [intentId])).rows
    return row === undefined ? undefined : summaryOf(row)
  }

  async list(asked: IntentQuery): Promise<readonly IntentSummary[]> {
    const { agent, namespace, phase, terminal, before, limit } = asked
    const conditions = [
      { name: 'agent', sql: 'agent =', value: agent },
      { name: 'namespace', sql: 'namespace =', value: namespace },
      { name: 'phase', sql: 'phase =', value: phase },
      {
        name: 'terminal',
        sql: 'terminal =',
        value: terminal === undefined ? undefined : Number(terminal),
      },
      { name: 'before', sql: 'ordinal <', value: before },
    ].filter(({ value }) => value !== undefined)
    const where = conditions.map(({ sql }, i) => `${sql} $${i + 2}`).join(' AND ')
    const statement = {
      name: ['list', ...conditions.map(({ name }) => name)].join('_'),
      text: `SELECT * FROM intents ${where === '' ? '' : `WHERE ${where}`}
        ORDER BY ordinal DESC LIMIT $1`,
    }
    const values: Value[] = [limit, ...conditions.map(({ value }) => value ?? null)]
    return (await this.#run(statement, values)).rows.map(summaryOf)
  }

  async open(): Promise<readonly string[]> {
    return (await this.#run(sql.open)).rows.map((row) => text(row, 'id'))
  }
}

const byToken = {
  name: 'by_token',
  text: 'SELECT position FROM leaves WHERE token = $1 ORDER BY position',
}

/** Where the leaves of an earlier `appendLeaves` with this token stand; empty when there was none. */
export async function indexesOf(batch: Batch, token: string): Promise<readonly number[]> {
  const now = batch.indexesOf(token)
  if (now.length > 0) return now
  return (await batch.run(byToken, [token])).rows.map((row) => integer(row, 'position'))
}
