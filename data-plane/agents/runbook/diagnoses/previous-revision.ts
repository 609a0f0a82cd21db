import {
  isReady,
  placeOf,
  podsOf,
  revisionOf,
  revisionsOf,
  wasRolledOut,
} from '../evidence/findings.ts'
import type { ReplicaSet } from '../evidence/objects.ts'
import type { Sick } from '../evidence/symptoms.ts'
import { type Case, type Escalation, escalate } from './diagnosis.ts'

/** What the revision before tells, once it is proved that only the current one is in trouble. */
export interface Comparison {
  readonly kind: 'compared'
  readonly current: ReplicaSet
  readonly previous: ReplicaSet
}

/** Both revisions, where every Pod in trouble belongs to the current one. */
export function compared(found: Case, trouble: readonly Sick[]): Comparison | Escalation {
  const place = placeOf(found.deployment)
  const { current, previous } = revisionsOf(found)
  if (current === undefined || previous === undefined) {
    const which = current ? 'a revision before the current one' : 'the ReplicaSet it is set to'
    return escalate('evidence_missing', `${place} has nothing to compare with`, [which])
  }
  const mine = new Set(podsOf(current, found.pods))
  const others = trouble.filter(({ pod }) => !mine.has(pod))
  if (others.length > 0) {
    const names = others.map(({ pod }) => pod.metadata.name).slice(0, 3)
    return escalate(
      'cause_outside',
      `${place}: Pods of other revisions are in the same trouble (${names.join(', ')}), so revision ${revisionOf(current)} did not bring it`,
    )
  }
  return { kind: 'compared', current, previous }
}

/**
 * The same, where besides a Pod of the revision before serves at this moment and none of the current
 * one ever did: only then is it known that going back helps.
 */
export function provenByOlderPods(
  found: Case,
  trouble: readonly Sick[],
): (Comparison & { readonly serving: number }) | Escalation {
  const both = compared(found, trouble)
  if (both.kind === 'escalate') return both
  const { current, previous } = both
  const place = placeOf(found.deployment)
  const number = revisionOf(current)
  if (wasRolledOut(found.deployment)) {
    return escalate(
      'cause_outside',
      `${place}: revision ${number} was rolled out completely before it failed, so something else changed since`,
      [`that revision ${number} never worked`],
    )
  }
  const wellHere = podsOf(current, found.pods).filter(isReady).length
  if (wellHere > 0) {
    return escalate(
      'evidence_contradicts',
      `${place}: ${wellHere} Pods of revision ${number} are ready and others of it are not`,
    )
  }
  const serving = podsOf(previous, found.pods).filter(isReady).length
  if (serving === 0) {
    return escalate(
      'evidence_missing',
      `${place}: every Pod of revision ${number} fails, and no Pod is left of revision ${revisionOf(previous)}`,
      [`a ready Pod of revision ${revisionOf(previous)}`],
    )
  }
  return { ...both, serving }
}
