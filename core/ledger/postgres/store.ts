import type { Json } from '@jackstay/contract/json'
import { consistencyProof, inclusionProof, type ReadTile } from '../log/tree.ts'
import {
  isReserved,
  type PreparedAppend,
  pendingLeaf,
  prepareAppend,
  replayOf,
} from '../store/append-request.ts'
import { assertLimit, assertSize, assertTtl, servedWidth } from '../store/bounds.ts'
import type { LiftedHold, NewHold, PruneRequest, Redaction } from '../store/erasure.ts'
import type { RetentionPolicy } from '../store/retention.ts'
import type {
  AppendLeavesOptions,
  AppendRequest,
  ErasableStore,
  IntentQuery,
  NewLeaf,
  NewTrigger,
  TriggerLease,
  TriggerQuery,
} from '../store/store.ts'
import { damaged, readTileOf } from '../store/stored-log.ts'
import type { Batch } from './batch.ts'
import { type CommitLimits, PostgresCommits } from './commits.ts'
import type { Connection } from './connection.ts'
import { PostgresErasure } from './erasure.ts'
import { appendIn, indexesOf, PostgresIntents } from './intents.ts'
import type { PostgresLog } from './log.ts'
import { notesOf, putNote } from './notes.ts'
import { PostgresReads } from './reads.ts'
import { PostgresTiles } from './tiles.ts'
import {
  leaseTrigger,
  PostgresTriggers,
  pruneTriggers,
  putTrigger,
  resolveTrigger,
} from './triggers.ts'

/** Written where nothing could be, until it can: nobody else may have anything to write. */
const triedNote = 'ledger/tried'
/** A program that has nothing to write finds out this often whether it still leads. */
const leadershipMs = 2_000

export class PostgresStore implements ErasableStore {
  readonly origin: string
  readonly #connection: Connection
  readonly #writes: PostgresCommits
  readonly #reads: PostgresReads
  readonly #tiles: PostgresTiles
  readonly #intents: PostgresIntents
  readonly #triggers: PostgresTriggers
  readonly #readTile: ReadTile
  readonly #erasure: PostgresErasure
  readonly #lookAfterLeadership: NodeJS.Timeout | undefined

  constructor(origin: string, connection: Connection, log: PostgresLog, limits: CommitLimits) {
    this.origin = origin
    this.#connection = connection
    this.#writes = new PostgresCommits(connection, log, limits)
    this.#reads = new PostgresReads(connection.where)
    const { run } = this.#reads
    this.#tiles = new PostgresTiles(run)
    this.#intents = new PostgresIntents(run)
    this.#triggers = new PostgresTriggers(run)
    this.#readTile = readTileOf(this.#tiles)
    this.#erasure = new PostgresErasure({
      ...{ writes: this.#writes, run, readTile: this.#readTile, where: connection.where },
    })
    if (limits.leadership === undefined) return
    this.#lookAfterLeadership = setInterval(() => {
      // every transaction looks; where this one fails, so do those that have something to write
      const hindered = this.#writes.hindrance !== undefined
      const run = (batch: Batch) => (hindered ? putNote(batch, triedNote, batch.now) : undefined)
      this.#writes.submit({ intents: [], run }).catch(() => undefined)
    }, leadershipMs).unref()
  }

  async hindrance() {
    return this.#writes.hindrance
  }

  async append(request: AppendRequest) {
    const prepared = prepareAppend(request)
    const { intentId } = request
    return this.#writes.submit(
      { intents: [intentId], run: (batch) => appendIn(batch, prepared) },
      { reserved: prepared.reserved, bytes: bytesOf(prepared) },
    )
  }

  async appendLeaves(leaves: readonly NewLeaf[], { token }: AppendLeavesOptions = {}) {
    const pending = leaves.map((leaf) => pendingLeaf(leaf, undefined, token))
    return this.#writes.submit(
      {
        intents: [],
        run: async (batch) => {
          const known = token === undefined ? [] : await indexesOf(batch, token)
          if (known.length > 0) return { leafIndexes: known }
          return { leafIndexes: batch.addLeaves(pending) }
        },
      },
      { reserved: isReserved(leaves), bytes: bytesOf({ leaves: pending }) },
    )
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
    return replayOf(await this.intent(jti), kid, jwsDigest)
  }

  async putTrigger(trigger: NewTrigger) {
    return this.#writes.submit({ intents: [], run: (batch) => putTrigger(batch, trigger) })
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
    return this.#writes.submit({ intents: [], run: (batch) => leaseTrigger(batch, lease) })
  }

  async resolveTrigger(id: string) {
    return this.#writes.submit({ intents: [], run: (batch) => resolveTrigger(batch, id) })
  }

  async pruneTriggers(before: number) {
    return this.#writes.submit({ intents: [], run: (batch) => pruneTriggers(batch, before) })
  }

  async putNote(name: string, value: Json | undefined) {
    return this.#writes.submit({ intents: [], run: (batch) => putNote(batch, name, value) })
  }

  async notes(prefix: string) {
    this.#writes.assertUsable()
    return notesOf(this.#reads.run, prefix)
  }

  async claim(intentId: string, holder: string, ttlMs: number) {
    assertTtl(ttlMs)
    const run = ({ claims, now }: Batch) => claims.claim(intentId, holder, now, now + ttlMs)
    return this.#writes.submit({ intents: [intentId], run }, { reserved: true })
  }

  async renew(intentId: string, fence: number, ttlMs: number) {
    assertTtl(ttlMs)
    const run = ({ claims, now }: Batch) => claims.renew(intentId, fence, now, now + ttlMs)
    return this.#writes.submit({ intents: [intentId], run }, { reserved: true })
  }

  async release(intentId: string, fence: number) {
    const run = ({ claims }: Batch) => claims.release(intentId, fence)
    return this.#writes.submit({ intents: [intentId], run }, { reserved: true })
  }

  async checkpoint() {
    this.#writes.assertUsable()
    const note = await this.#tiles.checkpoint()
    if (note === undefined) throw damaged('it has no checkpoint')
    return note
  }

  async size() {
    this.#writes.assertUsable()
    return this.#tiles.size()
  }

  async tile(level: number, index: number, width?: number) {
    const has = servedWidth(await this.size(), level, index, width)
    return has === 0 ? undefined : this.#tiles.hashes(level, index, has)
  }

  async entries(index: number, width?: number) {
    const has = servedWidth(await this.size(), 0, index, width)
    return has === 0 ? undefined : this.#tiles.entries(index, has)
  }

  async leaf(index: number) {
    this.#writes.assertUsable()
    if (!Number.isSafeInteger(index) || index < 0) return undefined
    return this.#tiles.storedLeaf(index)
  }

  async inclusionProof(index: number, size: number) {
    assertSize(size, await this.size())
    return inclusionProof(index, size, this.#readTile)
  }

  async consistencyProof(from: number, to: number) {
    assertSize(to, await this.size())
    return consistencyProof(from, to, this.#readTile)
  }

  async redact(request: Redaction) {
    return this.#erasure.redact(request)
  }

  async holds() {
    return this.#erasure.holds()
  }

  async putHold(hold: NewHold) {
    return this.#erasure.putHold(hold)
  }

  async liftHold(lifted: LiftedHold) {
    return this.#erasure.liftHold(lifted)
  }

  async minimum() {
    return this.#erasure.minimum()
  }

  async planPrune(policy: RetentionPolicy) {
    return this.#erasure.planPrune(policy)
  }

  async prune(request: PruneRequest) {
    return this.#erasure.prune(request)
  }

  async close() {
    clearInterval(this.#lookAfterLeadership)
    await this.#writes.close()
    await this.#reads.close()
    await this.#connection.close()
  }
}

/** About what a write weighs on its way to the server. */
function bytesOf({ data = [], leaves }: Partial<PreparedAppend>): number {
  const texts = data.reduce((sum, text) => sum + text.length, 0)
  return (leaves ?? []).reduce((sum, { bytes, sealed }) => {
    const values = sealed.reduce((all, { value }) => all + (value?.length ?? 0), 0)
    return sum + bytes.length + values
  }, texts)
}
