import { digestOf, type Json } from '@jackstay/contract/json'
import type { BudgetUnit } from '@jackstay/contract/kinds/agent-class'
import type { Plan } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Change } from '@jackstay/judge/oscillation'
import { hasWritten } from '../line/progress.ts'

/** A change that was dispatched, as far as limits ask about it. */
export interface RecentChange {
  readonly id: string
  readonly class: string
  readonly agent: string
  /** Of its dispatch, in milliseconds. */
  readonly at: number
  readonly amounts: Readonly<Record<BudgetUnit, number>>
  /** Dispatched and not ended. */
  readonly underWay: boolean
  readonly fields: readonly FieldChange[]
}

export interface FieldChange {
  /** Of one field of one object. */
  readonly key: string
  readonly before: Change['before']
  readonly after: Change['after']
}

/** Longest time that a budget or a rule on oscillation looks back: a `duration` is a week at most. */
export const lookBackMs = 7 * 24 * 3600_000

/** Longer values are told apart by their digests. */
const maxValue = 64

/** What a plan of this intent counts for from its dispatch on. */
export function changeOf(record: IntentRecord, plan: Plan, at: number): RecentChange {
  const { agent } = record.authenticated
  const { pods, readyReplicasLost } = plan.blastRadius
  return {
    id: record.id,
    class: agent.class,
    agent: agent.name,
    at,
    amounts: { changes: 1, pods, readyReplicasLost },
    underWay: true,
    fields: fieldsOf(plan),
  }
}

/** The same from an intent's history; undefined where nothing was dispatched, or nothing written. */
export function recordedChange(record: IntentRecord): RecentChange | undefined {
  const { dispatched, rehearsed, ended } = record
  if (dispatched === undefined || rehearsed === undefined) return undefined
  if (ended !== undefined && !hasWritten(record)) return undefined
  const change = changeOf(record, rehearsed.plan, Date.parse(dispatched.at))
  return { ...change, underWay: ended === undefined }
}

function fieldsOf(plan: Plan): FieldChange[] {
  return plan.writes
    .filter((write) => write.verb === 'patch')
    .flatMap(({ object, before, after }) =>
      after.map(({ path, value }) => ({
        key: `${object.uid} ${path}`,
        before: comparable(before.find((r) => r.path === path)?.value),
        after: comparable(value),
      })),
    )
}

function comparable(value: { readonly is: Json } | 'absent' | undefined): Change['before'] {
  if (value === undefined || value === 'absent') return null
  const { is } = value
  if (typeof is === 'number' || typeof is === 'boolean' || is === null) return is
  return typeof is === 'string' && is.length <= maxValue ? is : digestOf(is)
}
