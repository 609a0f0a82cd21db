import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import type { SqliteLog } from './sqlite-log.ts'

/** Writes in one transaction: beyond this the gain is small and the wait of the first one grows. */
const batchLimit = 256

interface Job {
  /** Does the work inside its savepoint and returns what to do once it is durable. */
  readonly run: () => () => void
  readonly reject: (error: unknown) => void
  readonly isolated: boolean
}

export interface Work {
  /** May use the eighth of the queue that ordinary work may not. */
  readonly reserved?: boolean
  /** False for work that cannot fail by itself: then it needs no savepoint of its own. */
  readonly isolated?: boolean
}

/**
 * Puts writes that are asked for together into one transaction with one sync. Each stands in its
 * own savepoint, so one that fails takes only itself back; none is answered before the commit.
 */
export class GroupCommit {
  readonly #db: DatabaseSync
  readonly #log: SqliteLog
  readonly #limit: number
  readonly #sql
  #jobs: Job[] = []
  #scheduled = false
  #refusal: JackstayError | undefined

  constructor(db: DatabaseSync, log: SqliteLog, limit: number) {
    this.#db = db
    this.#log = log
    this.#limit = limit
    this.#sql = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      savepoint: db.prepare('SAVEPOINT job'),
      release: db.prepare('RELEASE job'),
      undo: db.prepare('ROLLBACK TO job'),
    }
  }

  /**
   * Queues `work`; the promise settles after its transaction is durable, or with what it threw.
   * @throws JackstayError `overloaded`, `draining`, `not_ready` when the commit failed
   */
  async submit<T>(work: () => T, { reserved = false, isolated = true }: Work = {}): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal
    const limit = reserved ? this.#limit + Math.ceil(this.#limit / 8) : this.#limit
    if (this.#jobs.length >= limit) {
      throw new JackstayError(
        'overloaded',
        `the ledger has ${this.#jobs.length} writes waiting: try again after a moment`,
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#jobs.push({
      run: () => {
        const value = work()
        return () => resolve(value)
      },
      reject,
      isolated,
    })
    this.#schedule()
    return promise
  }

  /** Throws what keeps the store from being used, if anything does. */
  assertUsable(): void {
    if (this.#refusal !== undefined) throw this.#refusal
  }

  /** Commits what waits and refuses everything after. */
  close(): void {
    this.#refusal ??= new JackstayError('draining', 'the ledger is closed: open it again')
    while (this.#jobs.length > 0) this.#commit()
  }

  /** After this turn of the event loop, so that all writes it asks for share the sync. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#jobs.length > 0) this.#commit()
      if (this.#jobs.length > 0) this.#schedule()
    })
  }

  #commit(): void {
    const jobs = this.#jobs.splice(0, batchLimit)
    const settle: (() => void)[] = []
    try {
      this.#sql.begin.run()
      for (const job of jobs) settle.push(job.isolated ? this.#isolate(job) : job.run())
      this.#log.store()
      this.#sql.commit.run()
      this.#log.committed()
    } catch (cause) {
      const error = this.#abandon(cause)
      for (const job of jobs) job.reject(error)
      return
    }
    for (const done of settle) done()
  }

  #isolate(job: Job): () => void {
    const mark = this.#log.mark()
    this.#sql.savepoint.run()
    try {
      const done = job.run()
      this.#sql.release.run()
      return done
    } catch (error) {
      // A full disk makes SQLite roll the whole transaction back: then nobody's work stands.
      if (!this.#db.isTransaction) throw error
      this.#sql.undo.run()
      this.#sql.release.run()
      this.#log.rewind(mark)
      return () => job.reject(error)
    }
  }

  /** Nothing of the batch may stand; where that is not certain, nothing more is written. */
  #abandon(cause: unknown): JackstayError {
    this.#log.rolledBack()
    const error = new JackstayError('not_ready', 'the ledger could not commit: see its disk', {
      cause,
    })
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      if (this.#log.inStep()) return error
    } catch {
      // Falls through: a database that cannot even roll back or answer is not written to again.
    }
    this.#refusal ??= new JackstayError(
      'ledger_damaged',
      'a commit of the ledger failed half-way: restart the program, which checks the log first',
      { cause },
    )
    return error
  }
}
