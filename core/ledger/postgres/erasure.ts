import { frontierFrom, type ReadTile, rootOf } from '../log/tree.ts'
import {
  assertPrunable,
  checked,
  type Hold,
  type LiftedHold,
  liftedHold,
  type NewHold,
  newHold,
  type Pruned,
  type PrunePlan,
  type PruneRequest,
  pruneReason,
  type Redacted,
  type Redaction,
  redaction,
} from '../store/erasure.ts'
import { parsePolicy, type RetentionPolicy } from '../store/retention.ts'
import type { Erasure } from '../store/store.ts'
import type { PostgresCommits } from './commits.ts'
import { liftHold, listHolds, putHold } from './holds.ts'
import { planPrune, recordPrune, scrub, sweep, withLongSession } from './pruning.ts'
import { redactIn } from './redaction.ts'
import { told, type Where } from './session.ts'
import { PostgresTiles, type Run } from './tiles.ts'

interface Parts {
  readonly writes: PostgresCommits
  readonly run: Run
  readonly readTile: ReadTile
  readonly where: Where
}

/** What the store can take away again; each write is a batch of its own. */
export class PostgresErasure implements Erasure {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async redact(request: Redaction): Promise<Redacted> {
    const wanted = checked(redaction, request)
    const done = await this.#parts.writes.submit({
      ...{ intents: [], alone: true, run: (batch) => redactIn(batch, wanted) },
    })
    await this.#long((session) => scrub(session, ['sealed', 'events', 'triggers']))
    return done
  }

  async holds(): Promise<readonly Hold[]> {
    this.#parts.writes.assertUsable()
    return listHolds(this.#parts.run)
  }

  async putHold(hold: NewHold): Promise<Hold> {
    const put = checked(newHold, hold)
    return this.#parts.writes.submit(
      { intents: [], alone: true, run: (batch) => putHold(batch, put) },
      { reserved: true },
    )
  }

  async liftHold(lifted: LiftedHold): Promise<number> {
    const lift = checked(liftedHold, lifted)
    return this.#parts.writes.submit({
      ...{ intents: [], alone: true, run: (batch) => liftHold(batch, lift) },
    })
  }

  async minimum(): Promise<number> {
    this.#parts.writes.assertUsable()
    return new PostgresTiles(this.#parts.run).pruned()
  }

  async planPrune(policy: RetentionPolicy): Promise<PrunePlan> {
    this.#parts.writes.assertUsable()
    const { from, to, keeper } = await planPrune(this.#parts.run, parsePolicy(policy))
    return { from, to, ...(keeper !== undefined && { keeper }) }
  }

  async prune({ policy, reason, by }: PruneRequest): Promise<Pruned> {
    const { writes, run, readTile } = this.#parts
    writes.assertUsable()
    const request = { policy: parsePolicy(policy), ...checked(pruneReason, { reason, by }) }
    const plan = await planPrune(run, request.policy)
    assertPrunable(plan)
    const root = rootOf(await frontierFrom(plan.to, readTile))
    const leaf = await writes.submit({
      ...{ intents: [], alone: true, run: (batch) => recordPrune(batch, plan, root, request) },
    })
    await this.#long(async (session) => {
      await sweep(session)
      await scrub(session, ['sealed', 'events', 'intents', 'leaves'])
    })
    const { from, to, keeper } = plan
    return { from, to, ...(keeper !== undefined && { keeper }), leaf }
  }

  async #long(work: Parameters<typeof withLongSession>[1]): Promise<void> {
    const { where } = this.#parts
    try {
      await withLongSession(where, work)
    } catch (error) {
      throw told(error, where.target)
    }
  }
}
