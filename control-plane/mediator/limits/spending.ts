import type { Refusal } from '@jackstay/actions/action'
import { durationSeconds } from '@jackstay/contract/duration'
import type { ClassBudget, ClassLimits } from '@jackstay/contract/kinds/agent-class'
import type { IntentRecord } from '@jackstay/contract/record'
import { spend } from '@jackstay/judge/budget'
import { acquire } from '@jackstay/judge/concurrency'
import { swings } from '@jackstay/judge/oscillation'
import type { Clock, Spending } from '../ports.ts'
import { changeOf, lookBackMs, type RecentChange, recordedChange } from './recent-changes.ts'

export interface SpendingLog extends Spending {
  /** Takes over what an intent's history says, whoever wrote it. */
  note(record: IntentRecord): void
}

/** Any: a place ends with its change, never by the clock. */
const placeMs = 1

/**
 * What the changes of the last week leave for the next one. It is told twice, by a spending before
 * the dispatch and by the history after it, and counts by intent, so nothing counts twice; what
 * never wrote anything counts no more. After a restart the histories alone tell it again.
 */
export function spendingLog(clock: Clock): SpendingLog {
  const changes = new Map<string, RecentChange>()
  /** Of the newest change: a clock that goes back makes nothing old. */
  let latest = Number.NEGATIVE_INFINITY
  const now = () => {
    latest = Math.max(latest, clock.now())
    return latest
  }
  const put = (change: RecentChange) => {
    changes.delete(change.id)
    changes.set(change.id, change)
    const oldest = now() - lookBackMs
    for (const [id, { at, underWay }] of changes) {
      if (at < oldest && !underWay) changes.delete(id)
    }
  }
  const refusal = (wanted: RecentChange, limits: ClassLimits): Refusal | undefined => {
    const others = [...changes.values()].filter(({ id }) => id !== wanted.id)
    return overBudget(wanted, others, limits) ?? swinging(wanted, others, limits)
  }
  return {
    refusal: (record, plan, limits) => refusal(changeOf(record, plan, now()), limits),
    place({ id, authenticated: { agent } }, { concurrent }) {
      const at = now()
      const leases = [...changes.values()]
        .filter((c) => c.underWay && c.class === agent.class)
        .map((c) => ({ holder: c.id, until: at + placeMs }))
      const question = { holder: id, now: at, max: concurrent, lastsMs: placeMs }
      return acquire({ leases, at }, question).ok
    },
    spend(record, plan, limits) {
      const wanted = changeOf(record, plan, now())
      const no = refusal(wanted, limits)
      if (no === undefined) put(wanted)
      return no
    },
    note(record) {
      const told = recordedChange(record)
      const known = changes.get(record.id)
      if (told === undefined) {
        // spent and not on record yet: it stays, unless the intent ended without a write
        if (record.ended !== undefined) changes.delete(record.id)
        return
      }
      const at = known?.at ?? told.at
      if (at >= now() - lookBackMs || told.underWay) put({ ...told, at })
    },
  }
}

function overBudget(
  wanted: RecentChange,
  others: readonly RecentChange[],
  { budgets }: ClassLimits,
): Refusal | undefined {
  const same = others.filter((c) => c.class === wanted.class)
  for (const budget of budgets) {
    const { ok, left } = spendOne(wanted, same, budget)
    if (ok) continue
    const { of, most, per } = budget
    const message = `the class may reach ${most} ${words[of]} in ${per} and has ${left} left; this change takes ${wanted.amounts[of]}`
    return { refused: 'budget_exhausted', message }
  }
  return undefined
}

const words = { changes: 'changes', pods: 'Pods', readyReplicasLost: 'ready replicas lost' }

function spendOne(wanted: RecentChange, same: readonly RecentChange[], budget: ClassBudget) {
  const { of, most, per } = budget
  const spent = same
    .filter((c) => c.amounts[of] > 0)
    .map(({ id, amounts, at }) => ({ id, amount: amounts[of], at }))
  const limit = {
    limit: most,
    period: { kind: 'sliding', ms: durationSeconds(per) * 1000 },
  } as const
  const { id, amounts, at } = wanted
  return spend({ spent, at }, limit, { id, amount: amounts[of], now: at })
}

function swinging(
  wanted: RecentChange,
  others: readonly RecentChange[],
  { oscillation: { turns, within } }: ClassLimits,
): Refusal | undefined {
  const rule = { turns, withinMs: durationSeconds(within) * 1000 }
  for (const { key, before, after } of wanted.fields) {
    const earlier = others.flatMap((c) =>
      c.fields
        .filter((f) => f.key === key)
        .map((f) => ({ at: c.at, by: c.agent, before: f.before, after: f.after })),
    )
    const changes = earlier.sort((a, b) => a.at - b.at)
    const next = { at: wanted.at, by: wanted.agent, before, after }
    const swing = swings({ changes }, next, rule)
    if (!swing.tripped) continue
    const [, path = ''] = key.split(' ')
    const message = `\`${path}\` of this object was turned ${swing.turns - 1} times within ${within} by ${swing.by.join(', ')}; find out why before it is turned again`
    return { refused: 'oscillating', message }
  }
  return undefined
}

/** Phases of intents that may have been dispatched: refusals by the thousand are not read. */
const dispatchedPhases = ['verified', 'failed', 'rolled_back', 'rollback_failed'] as const
/** An approval is waited for a week at most, so what arrived before cannot count any more. */
const arrivedMs = 2 * lookBackMs + 3600_000
const page = 500

export interface Histories {
  list(query: {
    readonly phase?: string
    readonly terminal?: boolean
    readonly limit: number
    readonly before?: number
  }): Promise<readonly { id: string; ordinal: number; startedAt: string }[]>
  open(): Promise<readonly string[]>
}

/** Tells the log what happened before this program started. Nothing is dispatched before. */
export async function recall(
  log: Pick<SpendingLog, 'note'>,
  store: Histories,
  read: (id: string) => Promise<IntentRecord>,
  now: number,
): Promise<void> {
  for (const id of await store.open()) log.note(await read(id))
  for (const phase of dispatchedPhases) {
    for (let before: number | undefined; ; ) {
      const rows = await store.list({ phase, limit: page, ...(before !== undefined && { before }) })
      const recent = rows.filter((row) => !(Date.parse(row.startedAt) < now - arrivedMs))
      for (const { id } of recent) log.note(await read(id))
      before = rows.at(-1)?.ordinal
      if (recent.length < page) break
    }
  }
}
