import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { integer } from '../store/rows.ts'
import { failureKind, isDatabaseFailure } from './failure.ts'
import type { SqliteLog } from './log.ts'
import type { StoreFiles } from './store-files.ts'

/** Writes in one transaction: beyond this the gain is small and the wait of the first one grows. */
const batchLimit = 256
/** 16 MB. */
const defaultWalPages = 1000
/** How often a full disk is looked at again. */
const spaceCheckMs = 1000

interface Job {
  /** Does the work inside its savepoint and returns what to do once it is durable. */
  readonly run: () => () => void
  readonly reject: (error: unknown) => void
  readonly reserved: boolean
  readonly isolated: boolean
}

export interface Work {
  /** For undo, outcome and suspension: has an eighth of the queue more, and the reserved space. */
  readonly reserved?: boolean
  /** False for work that cannot fail by itself: then it needs no savepoint of its own. */
  readonly isolated?: boolean
}

export interface GroupCommitOptions {
  readonly db: DatabaseSync
  readonly log: SqliteLog
  readonly files: StoreFiles
  /** Writes that may wait. */
  readonly limit: number
  /** Pages of the write-ahead log before they are moved into the database. */
  readonly walPages?: number | undefined
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
  /** Called once, when nothing may be written any more. */
  readonly fatal: (error: JackstayError) => void
}

/**
 * Puts writes that are asked for together into one transaction with one sync. Each stands in its
 * own savepoint, so one that fails takes only itself back; none is answered before the commit. A
 * failure whose outcome is not known is the end: nothing is tried again.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #sql
  readonly #walPages: number
  /** Changes when another connection has written, which none may. */
  readonly #version: number
  #jobs: Job[] = []
  #scheduled = false
  #refusal: JackstayError | undefined
  #full: { readonly since: number } | undefined

  constructor(options: GroupCommitOptions) {
    const { db } = options
    this.#options = options
    this.#walPages = options.walPages ?? defaultWalPages
    this.#sql = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      savepoint: db.prepare('SAVEPOINT job'),
      release: db.prepare('RELEASE job'),
      undo: db.prepare('ROLLBACK TO job'),
      version: db.prepare('PRAGMA data_version'),
      walSize: db.prepare('PRAGMA wal_checkpoint(NOOP)'),
      moveWal: db.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
    }
    this.#version = this.#dataVersion()
    if (!options.files.keepSpace()) this.#full = { since: this.#options.now() }
  }

  /**
   * Queues `work`; the promise settles after its transaction is durable, or with what it threw.
   * @throws JackstayError `overloaded`, `draining`, `not_ready` when the disk is full or the
   * program has to end
   */
  async submit<T>(work: () => T, { reserved = false, isolated = true }: Work = {}): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal
    if (!reserved && this.#isFull()) throw diskFull()
    const { limit } = this.#options
    if (this.#jobs.length >= (reserved ? limit + Math.ceil(limit / 8) : limit)) {
      throw new JackstayError(
        'overloaded',
        `the ledger has ${this.#jobs.length} writes waiting: try again after a moment`,
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run = () => {
      const value = work()
      return () => resolve(value)
    }
    this.#jobs.push({ run, reject, reserved, isolated })
    this.#schedule()
    return promise
  }

  /** Work on the database outside a batch, such as vacuuming; what fails in it has the same end. */
  maintain(work: () => void): void {
    this.assertUsable()
    try {
      work()
    } catch (cause) {
      throw isDatabaseFailure(cause) && failureKind(cause) === 'unknown' ? this.#end(cause) : cause
    }
  }

  /** Throws what keeps the store from being used, if anything does. */
  assertUsable(): void {
    if (this.#refusal !== undefined) throw this.#refusal
  }

  /** Why ordinary work is refused, if it is; looks at a full disk again. */
  hindrance(): string | undefined {
    return (this.#refusal ?? (this.#isFull() ? diskFull() : undefined))?.message
  }

  /** Commits what waits and refuses everything after. False when the database must stay untouched. */
  close(): boolean {
    if (this.#refusal?.code === 'draining') return true
    if (this.#refusal !== undefined) return false
    while (this.#jobs.length > 0 && this.#refusal === undefined) this.#takeBatch()
    if (this.#refusal === undefined) this.#moveWal(1)
    if (this.#refusal !== undefined) return false
    this.#refusal = new JackstayError('draining', 'the ledger is closed: open it again')
    return true
  }

  /** After this turn of the event loop, so that all writes it asks for share the sync. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#jobs.length > 0) this.#takeBatch()
      if (this.#jobs.length > 0) this.#schedule()
    })
  }

  #takeBatch(): void {
    const jobs = this.#jobs.splice(0, batchLimit)
    if (this.#commit(jobs) !== 'full') return
    // Nothing was synced, so this is no second try: what may use the reserved space gets it.
    this.#giveSpace()
    const reserved = jobs.filter((job) => job.reserved)
    for (const job of jobs) if (!job.reserved) job.reject(diskFull())
    if (reserved.length > 0 && this.#commit(reserved) === 'full') {
      for (const job of reserved) job.reject(diskFull())
    }
  }

  /** Settles all jobs, except where the disk is full. */
  #commit(jobs: readonly Job[]): 'settled' | 'full' {
    const { log } = this.#options
    const settle: (() => void)[] = []
    try {
      this.#sql.begin.run()
      this.#assertAlone()
      for (const job of jobs) settle.push(job.isolated ? this.#isolate(job) : job.run())
      log.store()
      this.#sql.commit.run()
    } catch (cause) {
      return this.#abandon(jobs, cause)
    }
    log.committed()
    if (!this.#remember()) {
      for (const job of jobs) job.reject(this.#refusal)
      return 'settled'
    }
    for (const done of settle) done()
    this.#moveWal()
    return 'settled'
  }

  /** After the commit, which cannot be taken back any more: false when the program has to end. */
  #remember(): boolean {
    const { log, files } = this.#options
    try {
      files.assertInPlace()
      files.remember(log.note)
      return true
    } catch (cause) {
      // what is remembered may lag behind, it is only never ahead
      if (failureKind(cause) === 'full') this.#giveSpace()
      else this.#end(cause)
      return this.#refusal === undefined
    }
  }

  #isolate(job: Job): () => void {
    const { db, log } = this.#options
    const mark = log.mark()
    this.#sql.savepoint.run()
    try {
      const done = job.run()
      this.#sql.release.run()
      return done
    } catch (error) {
      // A full disk makes SQLite roll the whole transaction back: then nobody's work stands.
      if (!db.isTransaction || isDatabaseFailure(error)) throw error
      this.#sql.undo.run()
      this.#sql.release.run()
      log.rewind(mark)
      return () => job.reject(error)
    }
  }

  /** Nothing of the batch may stand; where that is not certain, the program has to end. */
  #abandon(jobs: readonly Job[], cause: unknown): 'settled' | 'full' {
    const { db, log } = this.#options
    log.rolledBack()
    const kind = failureKind(cause)
    try {
      if (kind === 'unknown') throw cause
      if (db.isTransaction) db.exec('ROLLBACK')
      if (!log.inStep()) throw cause
    } catch {
      const error = this.#end(cause)
      for (const job of jobs) job.reject(error)
      return 'settled'
    }
    if (kind === 'full') return 'full'
    const error = new JackstayError('not_ready', 'the ledger could not commit: see its disk', {
      cause,
    })
    for (const job of jobs) job.reject(error)
    return 'settled'
  }

  /**
   * Moves the write-ahead log into the database. SQLite would do so by itself inside a commit, and
   * would swallow a failed sync there, as it would when it is closed.
   */
  #moveWal(most = this.#full === undefined ? this.#walPages : 1): void {
    try {
      if (integer(this.#sql.walSize.get() ?? {}, 'log') < most) return
      this.#sql.moveWal.get()
      this.#options.files.settle(this.#options.log.note)
    } catch (cause) {
      if (failureKind(cause) === 'full') this.#giveSpace()
      else this.#end(cause)
    }
  }

  #giveSpace(): void {
    this.#options.files.releaseSpace()
    this.#full = { since: this.#options.now() }
  }

  /** Two writers have one view each of where the log ends; the one that comes second must stop. */
  #assertAlone(): void {
    if (this.#dataVersion() === this.#version) return
    throw new JackstayError(
      'ledger_damaged',
      'another process has written to the ledger of this one: stop the other and start this one again, it then reads what is there',
    )
  }

  #dataVersion(): number {
    return integer(this.#sql.version.get() ?? {}, 'data_version')
  }

  /** Whether ordinary work has to wait for room on the disk. */
  #isFull(): boolean {
    if (this.#full === undefined) return false
    if (this.#options.now() - this.#full.since < spaceCheckMs) return true
    this.#full = this.#options.files.keepSpace() ? undefined : { since: this.#options.now() }
    return this.#full !== undefined
  }

  #end(cause: unknown): JackstayError {
    if (this.#refusal !== undefined) return this.#refusal
    this.#refusal =
      cause instanceof JackstayError
        ? cause
        : new JackstayError(
            'not_ready',
            'the ledger could not make a commit durable, and nobody knows how much of it is: see the disk, then start the program again, which checks the log first',
            { cause },
          )
    for (const job of this.#jobs.splice(0)) job.reject(this.#refusal)
    this.#options.fatal(this.#refusal)
    return this.#refusal
  }
}

function diskFull(): JackstayError {
  return new JackstayError(
    'not_ready',
    'the disk of the ledger is full: make room; until then only undo, outcomes and suspensions are written',
  )
}
