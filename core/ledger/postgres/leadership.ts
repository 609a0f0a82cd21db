import { JackstayError } from '@jackstay/contract/errors'
import { integer } from '../store/rows.ts'
import type { Session } from './session.ts'
import { one } from './tiles.ts'

const sql = {
  // Held by the session: it ends with the connection, however the program ended.
  lock: {
    name: 'lead',
    text: `SELECT pg_try_advisory_lock(hashtextextended('jackstay leader ' || $1, 0)) AS got`,
  },
  begin: { name: 'begin', text: 'BEGIN' },
  next: { name: 'next_term', text: 'UPDATE head SET term = term + 1 RETURNING term' },
  // Whoever claimed something led before, and does not any more.
  free: { name: 'free_claims', text: 'DELETE FROM claims' },
  commit: { name: 'commit', text: 'COMMIT' },
  read: { name: 'read_term', text: 'SELECT term FROM head' },
}

/**
 * Makes one program of many the one that acts on a log. A lock of the session decides who; the number
 * of its term stands in the row that every batch locks, so each transaction finds out in itself
 * whether another one leads by now. Programs that only write, without leading, are not kept away.
 */
export class Leadership {
  readonly #schema: string
  readonly #onLost: (error: JackstayError) => void
  #term: number | undefined

  constructor(schema: string, onLost: (error: JackstayError) => void) {
    this.#schema = schema
    this.#onLost = onLost
  }

  /**
   * Keeps everybody from leading for as long as the session lives.
   * @throws JackstayError `not_ready` while another program leads
   */
  static async claim(session: Session, schema: string): Promise<void> {
    if (await lock(session, schema)) return
    throw new JackstayError(
      'not_ready',
      `another mediator leads on the ledger in schema \`${schema}\`: stop it first, or give this one a schema of its own`,
    )
  }

  /**
   * Begins a term, on the first session; what was claimed in earlier ones is free.
   * @throws JackstayError `not_ready` while another program leads
   */
  async begin(session: Session): Promise<void> {
    await Leadership.claim(session, this.#schema)
    const [, next] = await Promise.all([
      session.run(sql.begin),
      session.run(sql.next),
      session.run(sql.free),
      session.run(sql.commit),
    ])
    this.#term = integer(one(next), 'term')
  }

  /**
   * Takes the lock again, on a session that follows a lost one.
   * @throws JackstayError `draining` when another one led meanwhile, `not_ready` while the server
   * still keeps the session before
   */
  async resume(session: Session): Promise<void> {
    const got = await lock(session, this.#schema)
    this.assertTerm(integer(one(await session.run(sql.read)), 'term'))
    if (got) return
    throw new JackstayError(
      'not_ready',
      'the database still keeps the connection that was lost: try again after a moment',
    )
  }

  /** @throws JackstayError `draining` unless this is the term in which this program leads */
  assertTerm(term: number): void {
    if (term === this.#term) return
    const error = new JackstayError(
      'draining',
      `another mediator leads on the ledger in schema \`${this.#schema}\` by now, so this one ends: see that only one is started`,
    )
    this.#onLost(error)
    throw error
  }
}

async function lock(session: Session, schema: string): Promise<boolean> {
  return one(await session.run(sql.lock, [schema])).got === true
}
