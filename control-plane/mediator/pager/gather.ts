import type { ApprovalRequirement } from '@jackstay/contract/decision'
import type { IntentRecord } from '@jackstay/contract/record'
import type { LedgerStatus } from '@jackstay/ledger/ledger-status'
import type { IntentSummary, Store } from '@jackstay/ledger/store'
import { readRecord } from '../memory/histories.ts'
import type { Clock } from '../ports.ts'
import type { Concern } from './concerns.ts'

/** What is asked for; the pager counts what is beyond its own bound. */
const limit = 1000
/** How long an undo that needs a person is told, without a way to say that somebody looked. */
const heldMs = 24 * 3600_000

export interface Sources {
  readonly store: Pick<Store, 'list' | 'events'>
  readonly ledger: () => Promise<LedgerStatus>
  /** Suspensions and open breakers, as others know them. */
  readonly others: () => readonly Concern[]
  readonly clock: Clock
}

/** Everything that waits for a person, read anew each time; an intent's history once a phase. */
export function gatherConcerns({ store, ledger, others, clock }: Sources) {
  let read = new Map<string, IntentRecord>()
  const withRecords = async (phase: string, since: number) => {
    const found = await store.list({ phase, limit })
    const young = found.filter(({ updatedAt }) => Date.parse(updatedAt) >= since)
    return Promise.all(young.map(async (one) => ({ one, record: await recordOf(one) })))
  }
  const recordOf = async ({ id, seq }: IntentSummary): Promise<IntentRecord> => {
    const known = read.get(id)
    return known?.seq === seq ? known : readRecord(store, id)
  }
  return async (): Promise<readonly Concern[]> => {
    const waiting = await withRecords('approve', 0)
    const held = await withRecords('rollback_failed', clock.now() - heldMs)
    read = new Map([...waiting, ...held].map(({ record }) => [record.id, record]))
    return [
      ...waiting.flatMap(({ record }) => approvalOf(record)),
      ...held.map(({ record }) => undoOf(record)),
      ...others(),
      ...ledgerProblems(await ledger()),
    ]
  }
}

function named(record: IntentRecord) {
  const { claims, agent } = record.authenticated
  return {
    id: record.id,
    action: claims.action,
    namespace: claims.target.namespace ?? '',
    class: agent.class,
  }
}

function approvalOf(record: IntentRecord): readonly Concern[] {
  const { rehearsed } = record
  if (rehearsed?.approveBefore === undefined) return []
  const needs = rehearsed.decision.requirements.map(needOf).join(', ')
  const { summary } = rehearsed.plan
  return [{ kind: 'approval', ...named(record), summary, needs, expires: rehearsed.approveBefore }]
}

function needOf({ count, groups }: ApprovalRequirement): string {
  return `${count} of ${groups.join(' or ')}`
}

function undoOf(record: IntentRecord): Concern {
  return { kind: 'undo', ...named(record), why: record.ended?.message ?? 'the undo did not land' }
}

/** Only what a policy asks for is missing: a log that nobody configured to be kept is no alarm. */
function ledgerProblems({ tail, anchored, anchors, witnessed }: LedgerStatus): readonly Concern[] {
  const problems = [
    ...(tail.ok ? [] : [{ problem: 'tail', detail: tail.reason }]),
    ...(anchored.ok || anchors.length === 0
      ? []
      : [{ problem: 'unanchored', detail: anchored.reason }]),
    ...(witnessed === undefined || witnessed.ok
      ? []
      : [{ problem: 'unwitnessed', detail: witnessed.reason }]),
  ]
  return problems.map((problem) => ({ kind: 'ledger', ...problem }))
}
