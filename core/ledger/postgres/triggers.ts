import { canonical } from '@jackstay/contract/json'
import { text, triggerOf } from '../store/rows.ts'
import type { NewTrigger, StoredTrigger, TriggerLease, TriggerQuery } from '../store/store.ts'
import type { Batch } from './batch.ts'
import type { Run } from './tiles.ts'

const sql = {
  byKey: { name: 'trigger_by_key', text: 'SELECT id FROM triggers WHERE dedup_key = $1' },
  insert: {
    name: 'put_trigger',
    text: `INSERT INTO triggers
        (id, dedup_key, source, fingerprint, starts_at, group_key, status, data, received_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
  },
  resolveByKey: {
    name: 'resolve_by_key',
    // What was erased does not come back with the message that it is over.
    text: `UPDATE triggers SET status = 'resolved',
        data = CASE WHEN redacted_by IS NULL THEN $1 ELSE data END
      WHERE dedup_key = $2 AND status = 'firing'`,
  },
  byId: { name: 'trigger', text: 'SELECT * FROM triggers WHERE id = $1' },
  newest: {
    name: 'triggers',
    text: `SELECT * FROM triggers WHERE ($1::text IS NULL OR status = $1) AND ordinal < $2
      ORDER BY ordinal DESC LIMIT $3`,
  },
  lease: {
    name: 'lease_trigger',
    text: `UPDATE triggers SET lease_holder = $2, lease_until = $3
      WHERE id = $1 AND status = 'firing'
        AND (lease_holder IS NULL OR lease_holder IN ($2, $5) OR lease_until <= $4)`,
  },
  resolve: {
    name: 'resolve_trigger',
    text: `UPDATE triggers SET status = 'resolved' WHERE id = $1 AND status = 'firing'`,
  },
  hear: {
    name: 'hear_trigger',
    text: `UPDATE triggers SET received_at = $1 WHERE dedup_key = $2 AND status = 'firing'`,
  },
  prune: { name: 'prune_triggers', text: 'DELETE FROM triggers WHERE received_at < $1' },
}

/** What has happened in the cluster, read. */
export class PostgresTriggers {
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async get(id: string): Promise<StoredTrigger | undefined> {
    const [row] = (await this.#run(sql.byId, [id])).rows
    return row === undefined ? undefined : triggerOf(row)
  }

  async list({ status, limit, before }: TriggerQuery): Promise<readonly StoredTrigger[]> {
    const values = [status ?? null, before ?? Number.MAX_SAFE_INTEGER, limit]
    return (await this.#run(sql.newest, values)).rows.map(triggerOf)
  }
}

export async function putTrigger(batch: Batch, trigger: NewTrigger) {
  const { id, dedupKey, source, fingerprint, startsAt, groupKey, status } = trigger
  const data = canonical(trigger.data)
  const [known] = (await batch.run(sql.byKey, [dedupKey])).rows
  if (known !== undefined) {
    if (status === 'resolved') await batch.run(sql.resolveByKey, [data, dedupKey])
    else await batch.run(sql.hear, [batch.now, dedupKey])
    return { id: text(known, 'id'), created: false }
  }
  const place = [id, dedupKey, source, fingerprint, startsAt, groupKey]
  await batch.run(sql.insert, [...place, status, data, batch.now])
  return { id, created: true }
}

/** By the caller's clock, as the request says it: a lease is context and never authority. */
export async function leaseTrigger(
  batch: Batch,
  { id, holder, until, now, from = holder }: TriggerLease,
) {
  const times = [Math.floor(until), Math.floor(now)]
  return (await batch.run(sql.lease, [id, holder, ...times, from])).count === 1
}

export async function resolveTrigger(batch: Batch, id: string): Promise<boolean> {
  return (await batch.run(sql.resolve, [id])).count === 1
}

export async function pruneTriggers(batch: Batch, before: number): Promise<number> {
  return (await batch.run(sql.prune, [Math.floor(before)])).count
}
