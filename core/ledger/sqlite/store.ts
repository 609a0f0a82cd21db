import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import type { Json } from '@jackstay/contract/json'
import { assertNotSuperseded } from '../custody/superseded.ts'
import type { LedgerKey } from '../log/key.ts'
import { consistencyProof, frontierFrom, inclusionProof, rootOf } from '../log/tree.ts'
import type { PendingLeaf, PreparedAppend } from '../store/append-request.ts'
import {
  assertLimit,
  assertSize,
  assertTtl,
  defaultQueueLimit,
  servedWidth,
} from '../store/bounds.ts'
import {
  assertPrunable,
  checked,
  type LiftedHold,
  liftedHold,
  type NewHold,
  newHold,
  type PruneRequest,
  pruneReason,
  type Redaction,
  redaction,
} from '../store/erasure.ts'
import { parsePolicy, type RetentionPolicy } from '../store/retention.ts'
import { text } from '../store/rows.ts'
import { storedLeaf, withRedactions } from '../store/sealed.ts'
import type {
  Clock,
  IntentQuery,
  NewTrigger,
  StoreOptions,
  TriggerLease,
  TriggerQuery,
} from '../store/store.ts'
import type { StoreEngine } from '../store/store-calls.ts'
import { SqliteClaims } from './claims.ts'
import { lockDirectory, openDatabase, scrub, scrubIfOwed } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import { SqliteHolds } from './holds.ts'
import { SqliteIntents } from './intents.ts'
import { SqliteLog } from './log.ts'
import { SqliteNotes } from './notes.ts'
import { finishPrune, SqlitePruning } from './pruning.ts'
import { SqliteRedaction } from './redaction.ts'
import { SpaceReserve } from './space-reserve.ts'
import { StoreFiles } from './store-files.ts'
import { SqliteTriggers } from './triggers.ts'

export interface SqliteStoreOptions extends StoreOptions {
  /** Pages of the write-ahead log before they are moved into the database. */
  readonly walPages?: number
  /** Bytes; of a new database. */
  readonly pageSize?: number
  /** Space kept for undo, outcomes and suspensions; whole multiples of 64 kB. */
  readonly reserveBytes?: number
}

/** The store in this thread; `openStore` puts it into one of its own. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<StoreEngine> {
  const { directory, origin, key } = options
  if (key.name !== origin) {
    throw new JackstayError(
      'invalid_config',
      `the key \`${key.name}\` cannot sign for \`${origin}\`: load the key of that origin`,
    )
  }
  await assertNotSuperseded(directory)
  const lock = await lockDirectory(directory)
  const opened: { close(): void }[] = [lock]
  try {
    new SpaceReserve(directory).releaseWhenFull()
    const db = await openDatabase(directory, options.pageSize)
    opened.push(db)
    const log = new SqliteLog(db, origin, key)
    const known = identify(db, directory, origin, key, log)
    if (known) await log.load()
    const files = new StoreFiles(directory, options.reserveBytes)
    opened.push(files)
    const remembered = files.remembered()
    if (remembered !== undefined) await log.assertHolds(remembered)
    if (known) await finishPrune(db, log)
    scrubIfOwed(db)
    // Whoever held a claim wrote through this directory, and only this process does so now.
    db.exec('DELETE FROM claims')
    files.settle(log.note)
    return new SqliteStore({ db, lock, log, files }, options)
  } catch (error) {
    for (const part of opened.reverse()) part.close()
    throw error
  }
}

/** True when the store is this log's; a store that is nobody's becomes it, and needs no check. */
function identify(
  db: DatabaseSync,
  directory: string,
  origin: string,
  key: LedgerKey,
  log: SqliteLog,
): boolean {
  const read = db.prepare('SELECT value FROM meta WHERE name = ?')
  const stored = { origin: read.get('origin'), vkey: read.get('vkey') }
  if (stored.origin === undefined || stored.vkey === undefined) {
    // INVARIANT: only a store without a log becomes a new one; else losing two rows would erase it.
    if (log.tiles.checkpoint() !== undefined || log.tiles.leafCount() > 0) {
      throw new JackstayError(
        'ledger_damaged',
        `the ledger in \`${directory}\` does not say whose it is: keep a copy and restore a backup`,
      )
    }
    db.exec('BEGIN IMMEDIATE')
    const put = db.prepare('INSERT INTO meta VALUES (?, ?)')
    put.run('origin', origin)
    put.run('vkey', key.vkey)
    log.create()
    db.exec('COMMIT')
    return false
  }
  if (text(stored.origin, 'value') !== origin) {
    throw new JackstayError(
      'invalid_config',
      `the ledger in \`${directory}\` is that of \`${text(stored.origin, 'value')}\`, not of \`${origin}\`: use another data directory`,
    )
  }
  if (text(stored.vkey, 'value') !== key.vkey) {
    throw new JackstayError(
      'invalid_config',
      `the ledger in \`${directory}\` is signed with \`${text(stored.vkey, 'value')}\`, not with \`${key.vkey}\`: restore that key, or begin a new log in another data directory`,
    )
  }
  return true
}

interface StoreParts {
  readonly db: DatabaseSync
  readonly lock: DatabaseSync
  readonly log: SqliteLog
  readonly files: StoreFiles
}

class SqliteStore implements StoreEngine {
  readonly origin: string
  readonly #parts: StoreParts
  readonly #clock: Clock
  readonly #log: SqliteLog
  readonly #claims: SqliteClaims
  readonly #triggers: SqliteTriggers
  readonly #notes: SqliteNotes
  readonly #intents: SqliteIntents
  readonly #holds: SqliteHolds
  readonly #redaction: SqliteRedaction
  readonly #pruning: SqlitePruning
  readonly #writes: GroupCommit

  constructor(parts: StoreParts, options: SqliteStoreOptions) {
    const { db, log, files } = parts
    this.origin = options.origin
    this.#parts = parts
    this.#clock = options.clock
    this.#log = log
    this.#claims = new SqliteClaims(db)
    this.#triggers = new SqliteTriggers(db)
    this.#notes = new SqliteNotes(db)
    this.#intents = new SqliteIntents(db, log, this.#claims)
    this.#holds = new SqliteHolds(db, log)
    this.#redaction = new SqliteRedaction(db, log, this.#holds)
    this.#pruning = new SqlitePruning(db, log)
    const { queueLimit: limit = defaultQueueLimit, fatal = unheard, walPages } = options
    const now = () => performance.now()
    this.#writes = new GroupCommit({ db, log, files, limit, fatal, now, walPages })
  }

  async append(prepared: Omit<PreparedAppend, 'leaves'>, leaves: readonly PendingLeaf[]) {
    const now = this.#now()
    return this.#writes.submit(() => this.#intents.append({ ...prepared, leaves }, now), {
      reserved: prepared.reserved,
    })
  }

  async appendLeaves(reserved: boolean, leaves: readonly PendingLeaf[]) {
    return this.#writes.submit(() => ({ leafIndexes: this.#log.addOnce(leaves) }), {
      reserved,
      isolated: leaves.some(({ token }) => token !== undefined),
    })
  }

  async events(intentId: string) {
    this.#writes.assertUsable()
    return this.#intents.events(intentId)
  }

  async intent(intentId: string) {
    this.#writes.assertUsable()
    return this.#intents.intent(intentId)
  }

  async list(query: IntentQuery) {
    this.#writes.assertUsable()
    assertLimit(query.limit)
    return this.#intents.list(query)
  }

  async open() {
    this.#writes.assertUsable()
    return this.#intents.open()
  }

  async replay(kid: string, jti: string, jwsDigest: string) {
    this.#writes.assertUsable()
    return this.#intents.replay(kid, jti, jwsDigest)
  }

  async putTrigger(trigger: NewTrigger) {
    const now = this.#now()
    return this.#writes.submit(() => this.#triggers.put(trigger, now))
  }

  async trigger(id: string) {
    this.#writes.assertUsable()
    return this.#triggers.get(id)
  }

  async triggers(query: TriggerQuery) {
    this.#writes.assertUsable()
    assertLimit(query.limit)
    return this.#triggers.list(query)
  }

  async leaseTrigger(lease: TriggerLease) {
    return this.#writes.submit(() => this.#triggers.lease(lease))
  }

  async resolveTrigger(id: string) {
    return this.#writes.submit(() => this.#triggers.resolve(id))
  }

  async pruneTriggers(before: number) {
    return this.#writes.submit(() => this.#triggers.prune(before))
  }

  async putNote(name: string, value: Json | undefined) {
    return this.#writes.submit(() => this.#notes.put(name, value))
  }

  async notes(prefix: string) {
    this.#writes.assertUsable()
    return this.#notes.list(prefix)
  }

  async claim(intentId: string, holder: string, ttlMs: number) {
    assertTtl(ttlMs)
    const now = this.#now()
    return this.#writes.submit(() => this.#claims.claim(intentId, holder, now, now + ttlMs), {
      reserved: true,
    })
  }

  async renew(intentId: string, fence: number, ttlMs: number) {
    assertTtl(ttlMs)
    const now = this.#now()
    return this.#writes.submit(() => this.#claims.renew(intentId, fence, now, now + ttlMs), {
      reserved: true,
    })
  }

  async release(intentId: string, fence: number) {
    return this.#writes.submit(() => this.#claims.release(intentId, fence), { reserved: true })
  }

  async hindrance() {
    return this.#writes.hindrance()
  }

  async checkpoint() {
    this.#writes.assertUsable()
    return this.#log.note
  }

  async size() {
    this.#writes.assertUsable()
    return this.#log.size
  }

  async tile(level: number, index: number, width?: number) {
    const has = this.#width(level, index, width)
    return has === 0 ? undefined : this.#log.tiles.hashes(level, index, has)
  }

  async entries(index: number, width?: number) {
    const has = this.#width(0, index, width)
    return has === 0 ? undefined : this.#log.tiles.entries(index, has)
  }

  async leaf(index: number) {
    this.#writes.assertUsable()
    if (!Number.isSafeInteger(index) || index < 0) return undefined
    const bytes = this.#log.tiles.leaf(index)
    if (bytes === undefined) return undefined
    const leaf = storedLeaf(index, bytes, this.#log.sealed.of(index))
    return withRedactions(leaf, async (at) => this.#log.tiles.leaf(at))
  }

  async inclusionProof(index: number, size: number) {
    this.#assertSize(size)
    return inclusionProof(index, size, this.#log.readTile)
  }

  async consistencyProof(from: number, to: number) {
    this.#assertSize(to)
    return consistencyProof(from, to, this.#log.readTile)
  }

  async redact(request: Redaction) {
    const wanted = checked(redaction, request)
    const at = this.#at()
    const done = await this.#writes.submit(() => this.#redaction.redact(wanted, at))
    this.#writes.maintain(() => scrub(this.#parts.db))
    return done
  }

  async holds() {
    this.#writes.assertUsable()
    return this.#holds.list()
  }

  async putHold(hold: NewHold) {
    const put = checked(newHold, hold)
    const at = this.#at()
    return this.#writes.submit(() => this.#holds.put(put, at), { reserved: true })
  }

  async liftHold(lifted: LiftedHold) {
    const lift = checked(liftedHold, lifted)
    const at = this.#at()
    return this.#writes.submit(() => this.#holds.lift(lift, at))
  }

  async minimum() {
    this.#writes.assertUsable()
    return this.#pruning.minimum
  }

  async planPrune(policy: RetentionPolicy) {
    this.#writes.assertUsable()
    return this.#pruning.plan(parsePolicy(policy), this.#now())
  }

  async prune({ policy, reason, by }: PruneRequest) {
    this.#writes.assertUsable()
    const now = this.#now()
    const request = { policy: parsePolicy(policy), ...checked(pruneReason, { reason, by }) }
    const plan = this.#pruning.plan(request.policy, now)
    assertPrunable(plan)
    const root = rootOf(await frontierFrom(plan.to, this.#log.readTile))
    const leaf = await this.#writes.submit(() => this.#pruning.record(plan, root, request, now))
    await this.#writes.submit(() => this.#pruning.sweep())
    this.#writes.maintain(() => scrub(this.#parts.db))
    return { ...plan, leaf }
  }

  async close() {
    const { db, lock, files } = this.#parts
    // after a failure closing would sync again, and believe it
    if (!this.#writes.close() || !db.isOpen) return
    db.close()
    files.close()
    lock.close()
  }

  /** When the call was made. SQLite's integers take no fractions, and a clock may have them. */
  #now(): number {
    return Math.floor(this.#clock.now())
  }

  #at(): string {
    return new Date(this.#now()).toISOString()
  }

  #width(level: number, index: number, asked: number | undefined): number {
    this.#writes.assertUsable()
    return servedWidth(this.#log.size, level, index, asked)
  }

  #assertSize(size: number): void {
    this.#writes.assertUsable()
    assertSize(size, this.#log.size)
  }
}

/** Without anybody to end the program, every further call is refused with the same error. */
function unheard(): void {}
