import type { IntentRecord } from '@jackstay/contract/record'
import type { Ports } from '../ports.ts'
import { entryFor } from './judgement.ts'

/** How long the action, or the class where it is stricter, waits for an effect. */
export function verifyMs(record: IntentRecord, ports: Ports): number {
  return ceiled(entryFor(record.authenticated.claims.action, ports)?.verifySeconds, record, ports)
}

/**
 * When writes that have begun must have ended, in milliseconds since the epoch; undefined before the
 * first attempt. One approval thus lasts so long and no longer, however many writes its plan makes.
 */
export function executionEnds(record: IntentRecord, ports: Ports): number | undefined {
  const [first] = record.written
  if (first === undefined) return undefined
  const entry = entryFor(record.authenticated.claims.action, ports)
  const own = entry?.executeSeconds ?? entry?.verifySeconds
  return Date.parse(first.at) + ceiled(own, record, ports)
}

function ceiled(own = 120, record: IntentRecord, { cluster }: Ports): number {
  const ceiling = cluster.class(record.authenticated.agent.class)?.spec.verifySeconds ?? own
  return Math.min(own, ceiling) * 1000
}
