import type { CatalogueEntry } from '@jackstay/actions/action'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Ports } from '../ports.ts'
import { entryFor } from './judgement.ts'

/** How long the action, or the class where it is stricter, waits for an effect once all is written. */
export function verifyMs(record: IntentRecord, ports: Ports): number {
  const own = entryOf(record, ports)?.verifySeconds ?? usualSeconds
  const ceiling = ports.cluster.class(record.authenticated.agent.class)?.spec.verifySeconds ?? own
  return Math.min(own, ceiling) * 1000
}

/**
 * When writes that have begun must have ended, in milliseconds since the epoch; undefined before the
 * first one left. One approval thus lasts so long and no longer, however many writes its plan makes and
 * disruption budgets hold back. The action's own: a class that waits shortly for effects drains no faster.
 */
export function executionEnds(record: IntentRecord, ports: Ports): number | undefined {
  const first = record.written.find(({ outcome }) => outcome !== 'unsent')
  if (first === undefined) return undefined
  const entry = entryOf(record, ports)
  const own = entry?.executeSeconds ?? entry?.verifySeconds ?? usualSeconds
  return Date.parse(first.at) + own * 1000
}

const usualSeconds = 120

function entryOf(record: IntentRecord, ports: Ports): CatalogueEntry | undefined {
  return entryFor(record.authenticated.claims.action, ports)
}
