import { randomUUID } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import { integer } from '../store/rows.ts'
import { Batch, type Work } from './batch.ts'
import type { Connection } from './connection.ts'
import type { Leadership } from './leadership.ts'
import type { PostgresLog } from './log.ts'
import { DatabaseFault, notDurable, type Session, told } from './session.ts'

/** Writes in one transaction: beyond this the gain is small and the wait of the first one grows. */
const batchLimit = 256
/** Bytes in one transaction, which the server holds in memory several times over. */
const bytesLimit = 8 * 1024 * 1024

export interface CommitLimits {
  /** Waiting writes before `overloaded`. */
  readonly queue: number
  /** How long a write waits for a server that went away before it is refused. */
  readonly patienceMs: number
  /** Where this program must be the one that leads. */
  readonly leadership?: Leadership | undefined
}

interface Job {
  readonly intents: readonly string[]
  readonly bytes: number
  readonly alone: boolean
  /** Does the work in the transaction and returns what to do once it is durable. */
  readonly run: (batch: Batch) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

const sql = {
  commit: { name: 'commit', text: 'COMMIT' },
  rollback: { name: 'rollback', text: 'ROLLBACK' },
  begin: { name: 'begin', text: 'BEGIN' },
  lock: { name: 'settle_lock', text: 'SELECT 1 FROM head FOR UPDATE' },
  batch: { name: 'settle', text: 'SELECT batch FROM writers WHERE id = $1' },
}

/** The transaction is certainly not committed, and another attempt may succeed. */
class NotCommitted extends Error {
  constructor(cause: DatabaseFault) {
    super(cause.message, { cause })
  }
}

/**
 * Puts writes that are asked for together into one transaction with one sync, and finds out what
 * became of a commit that was not answered: each batch leaves its number in the row of its writer,
 * and whoever then holds the lock of the head reads either that number or an older one.
 */
export class PostgresCommits {
  readonly #connection: Connection
  readonly #log: PostgresLog
  readonly #limits: CommitLimits
  /** Names this program's row; no other program has the same. */
  readonly #writer = randomUUID()
  #jobs: Job[] = []
  #batch = 0
  #running: Promise<void> | undefined
  #refusal: JackstayError | undefined
  /** What the last transaction failed by, where that was no fault of what it wrote. */
  #failed: JackstayError | undefined

  constructor(connection: Connection, log: PostgresLog, limits: CommitLimits) {
    this.#connection = connection
    this.#log = log
    this.#limits = limits
  }

  /**
   * Queues `work`; the promise settles after its transaction is durable, or with what it threw.
   * `reserved` work may use the eighth of the queue that ordinary work may not.
   * @throws JackstayError `overloaded`, `draining`; `not_ready` when nothing was written;
   * `outcome_unknown` when nobody can tell
   */
  async submit<T>(work: Work<T>, { reserved = false, bytes = 0 } = {}): Promise<T> {
    this.assertUsable()
    const { queue } = this.#limits
    const limit = reserved ? queue + Math.ceil(queue / 8) : queue
    if (this.#jobs.length >= limit) {
      throw new JackstayError(
        'overloaded',
        `the ledger has ${this.#jobs.length} writes waiting: try again after a moment`,
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#jobs.push({
      intents: work.intents,
      bytes,
      alone: work.alone === true,
      run: async (batch) => {
        const value = await work.run(batch)
        return () => resolve(value)
      },
      reject,
    })
    this.#running ??= this.#drain()
    return promise
  }

  /** Why nothing is written, if so: the next transaction that wrote something ends it. */
  get hindrance(): string | undefined {
    return (this.#refusal ?? this.#failed)?.message
  }

  /** Throws what keeps the store from being used, if anything does. */
  assertUsable(): void {
    if (this.#refusal !== undefined) throw this.#refusal
  }

  /** Commits what waits and refuses everything after. */
  async close(): Promise<void> {
    this.#refusal ??= new JackstayError('draining', 'the ledger is closed: open it again')
    await this.#running
  }

  async #drain(): Promise<void> {
    // After this turn of the event loop, so that all writes it asks for share the transaction.
    await new Promise(setImmediate)
    while (this.#jobs.length > 0) await this.#commit(this.#take())
    this.#running = undefined
  }

  #take(): Job[] {
    let bytes = 0
    const count = this.#jobs.findIndex((job, i) => {
      bytes += job.bytes
      const full = i >= batchLimit || bytes > bytesLimit
      return i > 0 && (full || job.alone || this.#jobs[0]?.alone === true)
    })
    return this.#jobs.splice(0, count === -1 ? this.#jobs.length : count)
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const deadline = performance.now() + this.#limits.patienceMs
    for (;;) {
      try {
        for (const done of await this.#attempt(jobs, deadline)) done()
        return
      } catch (error) {
        if (error instanceof NotCommitted && performance.now() < deadline) continue
        // One write that the database cannot store must not take its neighbours with it.
        if (isOfData(error) && jobs.length > 1) {
          for (const job of jobs) await this.#commit([job])
          return
        }
        const told = this.#told(error)
        for (const { reject } of jobs) reject(told)
        return
      }
    }
  }

  /** Runs the transaction once; what to tell each job, now that it is durable. */
  async #attempt(jobs: readonly Job[], deadline: number): Promise<(() => void)[]> {
    const session = await this.#connection.session(deadline)
    const number = ++this.#batch
    const staged = await this.#stage(session, jobs, number)
    if (staged.committed === undefined) return staged.answers
    if (await this.#sendCommit(session, number, deadline)) {
      staged.committed()
      this.#failed = undefined
      return staged.answers
    }
    throw new NotCommitted(new DatabaseFault(new Error('the connection was lost')))
  }

  async #stage(session: Session, jobs: readonly Job[], number: number): Promise<Staged> {
    try {
      const intents = [...new Set(jobs.flatMap((job) => job.intents))]
      const batch = await Batch.open(session, this.#log, intents)
      if (batch === undefined) throw notDurable(this.#connection.where.target)
      this.#limits.leadership?.assertTerm(batch.term)
      const answers: (() => void)[] = []
      for (const job of jobs) answers.push(await decide(job, batch))
      if (batch.isEmpty) {
        await batch.rollback()
        return { answers, committed: undefined }
      }
      return { answers, committed: await batch.store(this.#writer, number) }
    } catch (error) {
      if (error instanceof DatabaseFault && error.lost) throw new NotCommitted(error)
      // A statement that failed leaves a transaction that can only be rolled back.
      await session.run(sql.rollback).catch((fault: unknown) => {
        if (!session.lost) throw fault
      })
      throw error instanceof DatabaseFault && error.isOfTiming ? new NotCommitted(error) : error
    }
  }

  /** Whether the commit happened, also where its answer got lost. */
  async #sendCommit(session: Session, number: number, deadline: number): Promise<boolean> {
    try {
      const { command } = await session.run(sql.commit)
      // A transaction that has failed answers COMMIT with a rollback, and without an error.
      if (command === 'COMMIT') return true
      throw new JackstayError('not_ready', 'the ledger could not commit: see the database server')
    } catch (error) {
      if (error instanceof DatabaseFault && error.lost) return this.#settle(number, deadline)
      throw error
    }
  }

  async #settle(number: number, deadline: number): Promise<boolean> {
    for (;;) {
      let session: Session
      try {
        session = await this.#connection.session(deadline)
      } catch (cause) {
        if (cause instanceof JackstayError && cause.code === 'ledger_damaged') throw cause
        throw new JackstayError(
          'outcome_unknown',
          'the database went away during a commit: read what stands before writing it again',
          { cause },
        )
      }
      try {
        return (await this.#newestBatch(session)) === number
      } catch (error) {
        if (!(error instanceof DatabaseFault && error.lost)) throw error
      }
    }
  }

  /** Behind the lock, so that a commit still under way has ended first, one way or the other. */
  async #newestBatch(session: Session): Promise<number> {
    const [, , found] = await Promise.all([
      session.run(sql.begin),
      session.run(sql.lock),
      session.run(sql.batch, [this.#writer]),
      session.run(sql.rollback),
    ])
    const [row] = found.rows
    return row === undefined ? 0 : integer(row, 'batch')
  }

  /** What the caller hears; a log that is not what it was is never written to again. */
  #told(error: unknown): unknown {
    const fault = error instanceof NotCommitted ? error.cause : error
    const answer = told(fault, this.#connection.where.target)
    if (answer instanceof JackstayError && answer.code === 'ledger_damaged') {
      this.#refusal ??= answer
    }
    if (answer instanceof JackstayError && !isOfData(answer)) this.#failed = answer
    return answer
  }
}

interface Staged {
  readonly answers: (() => void)[]
  /** Undefined where there was nothing to commit. */
  readonly committed: (() => void) | undefined
}

/** A write that fails by its own decision is told so; the others go on. */
async function decide(job: Job, batch: Batch): Promise<() => void> {
  try {
    return await job.run(batch)
  } catch (error) {
    if (error instanceof DatabaseFault) throw error
    return () => job.reject(error)
  }
}

function isOfData(error: unknown): boolean {
  if (error instanceof DatabaseFault) return error.isOfData
  return error instanceof JackstayError && error.code === 'invalid_request'
}
