import { setTimeout as pause } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'
import pg from 'pg'
import {
  clientConfig,
  DatabaseFault,
  prepareSession,
  query,
  type Result,
  type Statement,
  told,
  type Value,
  type Where,
} from './session.ts'
import type { PostgresTarget } from './url.ts'

const connections = 4
const waitingLimit = 1024
const patienceMs = 10_000

/** Reads, each on a connection of a small pool, and again where the server was away. */
export class PostgresReads {
  readonly #pool: pg.Pool
  readonly #target: PostgresTarget

  constructor(where: Where) {
    this.#target = where.target
    this.#pool = new pg.Pool({
      ...clientConfig(where),
      max: connections,
      onConnect: (client) => {
        // The pool listens to idle connections only. One that breaks during a read fails that read as
        // well, which is done again; without a listener of ours it would end the process.
        client.on('error', () => {})
        return prepareSession(client, where)
      },
    })
    // An idle connection that breaks is replaced when the next read asks for one.
    this.#pool.on('error', () => {})
  }

  /** @throws JackstayError `overloaded`, `not_ready`, `invalid_request` */
  readonly run = async (statement: Statement, values: readonly Value[] = []): Promise<Result> => {
    if (this.#pool.waitingCount >= waitingLimit) {
      throw new JackstayError(
        'overloaded',
        `the ledger has ${waitingLimit} reads waiting: try again after a moment`,
      )
    }
    const deadline = performance.now() + patienceMs
    for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
      try {
        return await this.#once(statement, values)
      } catch (error) {
        if (!(error instanceof DatabaseFault)) throw error
        if (!error.lost || performance.now() >= deadline || this.#pool.ending) {
          throw told(error, this.#target)
        }
      }
      await pause(wait)
    }
  }

  async #once(statement: Statement, values: readonly Value[]): Promise<Result> {
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch (error) {
      throw error instanceof JackstayError ? error : new DatabaseFault(error)
    }
    let lost = false
    try {
      return await query(client, statement, values)
    } catch (error) {
      lost = error instanceof DatabaseFault && error.lost
      throw error
    } finally {
      client.release(lost)
    }
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end()
  }
}
