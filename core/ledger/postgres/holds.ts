import { canonical } from '@jackstay/contract/json'
import { pendingLeaf } from '../store/append-request.ts'
import { type Hold, holdLeaf, type LiftedHold, type NewHold } from '../store/erasure.ts'
import { holdExists, holdOf, noHold } from '../store/erasure-rows.ts'
import type { Batch } from './batch.ts'
import type { Run } from './tiles.ts'

const sql = {
  all: { name: 'holds', text: 'SELECT * FROM holds ORDER BY leaf' },
  one: { name: 'hold', text: 'SELECT * FROM holds WHERE id = $1' },
  insert: {
    name: 'put_hold',
    text: `INSERT INTO holds (id, scope, reason, put_by, since, leaf)
      VALUES ($1, $2, $3, $4, $5, $6)`,
  },
  delete: { name: 'lift_hold', text: 'DELETE FROM holds WHERE id = $1' },
}

/** Legal holds in force, the oldest first. */
export async function listHolds(run: Run): Promise<readonly Hold[]> {
  return (await run(sql.all)).rows.map(holdOf)
}

export async function putHold(batch: Batch, hold: NewHold): Promise<Hold> {
  const { id, scope, reason, by } = hold
  if ((await batch.run(sql.one, [id])).count > 0) throw holdExists(id)
  const since = new Date(batch.now).toISOString()
  const leaf = batch.next
  await batch.run(sql.insert, [id, canonical(scope), reason, by, since, leaf])
  batch.addLeaves([pendingLeaf(holdLeaf('put', { id, scope, reason, by }, since))])
  return { ...hold, since, leaf }
}

/** Answers the index of the leaf that says so. */
export async function liftHold(batch: Batch, { id, reason, by }: LiftedHold): Promise<number> {
  const [row] = (await batch.run(sql.one, [id])).rows
  if (row === undefined) throw noHold(id)
  const { scope, leaf } = holdOf(row)
  await batch.run(sql.delete, [id])
  const index = batch.next
  const at = new Date(batch.now).toISOString()
  batch.addLeaves([pendingLeaf(holdLeaf('lift', { id, scope, put: leaf, reason, by }, at))])
  return index
}
