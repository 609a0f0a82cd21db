import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { tileWidth } from '../log/tiles.ts'
import type { ReadTile } from '../log/tree.ts'
import { pendingLeaf } from '../store/append-request.ts'
import { type Hold, type PrunePlan, type PruneRequest, pruneLeaf } from '../store/erasure.ts'
import { candidateOf } from '../store/erasure-rows.ts'
import { assertPruneCovered } from '../store/prune-state.ts'
import { keeperOf, policyDigest, type RetentionPolicy } from '../store/retention.ts'
import { integer } from '../store/rows.ts'
import type { Batch } from './batch.ts'
import { listHolds } from './holds.ts'
import { Session, type Where } from './session.ts'
import { one, PostgresTiles, type Run } from './tiles.ts'

const sql = {
  state: { name: 'pruned', text: 'SELECT minimum, leaf FROM pruned' },
  clock: { name: 'clock', text: 'SELECT now_ms() AS now' },
  oldest: { name: 'oldest', text: 'SELECT min(position) AS oldest FROM leaves' },
  bundle: {
    name: 'prune_bundle',
    text: `SELECT position, bytes, intent, terminal, agent, namespace
      FROM leaves LEFT JOIN intents ON intents.id = leaves.intent
      WHERE position >= $1 AND position < $2 ORDER BY position`,
  },
  record: { name: 'prune', text: 'UPDATE pruned SET minimum = $1, leaf = $2' },
}

const gone = (intent: string) => `${intent} IN (SELECT intent FROM leaves WHERE position < $1)
  AND NOT EXISTS (SELECT 1 FROM leaves WHERE leaves.intent = ${intent} AND position >= $1)`

/** In this order: the leaves that say which intents are meant go last. */
const sweeps = [
  `DELETE FROM events WHERE ${gone('events.intent')}
    AND EXISTS (SELECT 1 FROM intents WHERE intents.id = events.intent AND terminal = 1)`,
  `DELETE FROM intents WHERE terminal = 1 AND ${gone('intents.id')}`,
  'DELETE FROM sealed WHERE position < $1',
  'DELETE FROM leaves WHERE position < $1',
].map((text, i) => ({ name: `sweep_${i}`, text }))

/** What a plan rests on besides leaves, which never change. */
export interface PlannedPrune extends PrunePlan {
  readonly holds: readonly Hold[]
  readonly now: number
}

/** What may go now, by the database's clock. Only looks. */
export async function planPrune(run: Run, policy: RetentionPolicy): Promise<PlannedPrune> {
  const tiles = new PostgresTiles(run)
  const from = await tiles.pruned()
  const holds = await listHolds(run)
  const now = integer(one(await run(sql.clock)), 'now')
  const size = await tiles.size()
  for (let to = from; ; to += tileWidth) {
    if (to + tileWidth > size) return { from, to, holds, now }
    const { rows } = await run(sql.bundle, [to, to + tileWidth])
    for (const row of rows) {
      const keeper = keeperOf(candidateOf(row), { policy, holds, now })
      if (keeper !== undefined) return { from, to, keeper, holds, now }
    }
  }
}

/** Puts a prune on record, in a batch of its own; answers its leaf. */
export async function recordPrune(
  batch: Batch,
  plan: PlannedPrune,
  root: Uint8Array,
  request: PruneRequest,
): Promise<number> {
  const run: Run = (...args) => batch.run(...args)
  // Leaves do not change and ended intents stay ended: a new hold or another prune is all there is.
  const same = canonical(heldBy(await listHolds(run))) === canonical(heldBy(plan.holds))
  if (!same || (await new PostgresTiles(run).pruned()) !== plan.from) {
    throw new JackstayError('not_ready', 'the log moved meanwhile: nothing was pruned, try again')
  }
  const at = new Date(batch.now).toISOString()
  const leaf = batch.next
  await batch.run(sql.record, [plan.to, leaf])
  const digest = policyDigest(request.policy)
  batch.addLeaves([pendingLeaf(pruneLeaf(plan, root, digest, request, at))])
  return leaf
}

function heldBy(holds: readonly Hold[]): string[] {
  return holds.map(({ id, leaf }) => `${id} ${leaf}`)
}

/**
 * Whether an interrupted removal has to be finished.
 * @throws JackstayError `ledger_damaged` where leaves are missing that no prune leaf covers
 */
export async function checkPruned(run: Run, read: ReadTile): Promise<boolean> {
  const tiles = new PostgresTiles(run)
  if ((await tiles.size()) === 0) return false
  const pruned = one(await run(sql.state))
  const oldest = integer(one(await run(sql.oldest)), 'oldest')
  return assertPruneCovered({ pruned, oldest }, (at) => tiles.leaf(at), read)
}

/** Removes what the newest prune leaf says is gone; safe to repeat, by several programs at once. */
export async function sweep(session: Session): Promise<void> {
  const to = await new PostgresTiles((...args) => session.run(...args)).pruned()
  await session.script('BEGIN')
  for (const statement of sweeps) await session.run(statement, [to])
  await session.script('COMMIT')
}

/**
 * Writes tables anew, so that no row of them keeps what was erased. What the server keeps besides,
 * its write-ahead log, its standbys and backups, is for whoever runs it.
 * @throws JackstayError `not_ready`
 */
export async function scrub(session: Session, tables: readonly string[]): Promise<void> {
  try {
    for (const table of tables) await session.script(`VACUUM (FULL) ${table}`)
  } catch (cause) {
    throw new JackstayError(
      'not_ready',
      'it is erased, but the tables could not be written anew, so old bytes may remain: run the same again',
      { cause },
    )
  }
}

/** A session for statements that go through whole tables. */
export async function withLongSession(
  where: Where,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await Session.open({ ...where, takesLong: true })
  try {
    await work(session)
  } finally {
    await session.close()
  }
}
