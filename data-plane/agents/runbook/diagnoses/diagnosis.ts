import type { Target } from '@jackstay/contract/intent'
import type { Json } from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import { type Findings, placeOf } from '../evidence/findings.ts'
import type { Sick } from '../evidence/symptoms.ts'

/** Everything that was read, and what is wrong with each Pod of it. */
export interface Case extends Findings {
  readonly sick: readonly Sick[]
}

export type ActionName =
  | 'workload.scale'
  | 'workload.rollback'
  | 'workload.setResources'
  | 'node.uncordon'

/** What the agent asks the control plane to do. */
export interface Proposal {
  readonly kind: 'propose'
  readonly action: ActionName
  readonly target: Target
  readonly params: { readonly [key: string]: Json }
  /** What was seen and why this follows; people read it before they approve. At most 1000 letters. */
  readonly summary: string
}

const escalationReasons = [
  // nothing to judge
  'no_deployment_named',
  'deployment_missing',
  'unreadable',
  // not for this runbook
  'being_deleted',
  'paused',
  'autoscaled',
  'autoscaler_at_limit',
  'owned_by_git',
  'quota_exhausted',
  'service_selects_nothing',
  'service_of_several',
  'scaled_on_purpose',
  'several_incidents',
  'unexplained',
  'unsettled',
  // known, and what would have to hold does not
  'cause_outside',
  'evidence_missing',
  'evidence_contradicts',
] as const
export type EscalationReason = (typeof escalationReasons)[number]

/** This runbook does not know what to do: a person has to look. */
export interface Escalation {
  readonly kind: 'escalate'
  readonly reason: EscalationReason
  /** What was seen. */
  readonly message: string
  /** What would have had to be seen before anything is asked for. */
  readonly missing: readonly string[]
}

export interface Nothing {
  readonly kind: 'nothing'
  readonly message: string
}

export type Diagnosis = Proposal | Escalation | Nothing

/** One kind of incident: how to tell it, and what to do about it. Both are pure. */
export interface Incident {
  readonly name: string
  readonly shows: (found: Case) => boolean
  /** Asked only where it shows, and no other incident does. */
  readonly judge: (found: Case) => Diagnosis
}

/** The longest summary: an intent takes 1 kB in UTF-16 units, and some room is left for the sidecar. */
const longest = 1000

export function escalate(
  reason: EscalationReason,
  message: string,
  missing: readonly string[] = [],
): Escalation {
  return {
    kind: 'escalate',
    reason,
    message: visible(message, longest),
    missing: missing.map((one) => visible(one, 256)),
  }
}

export function nothing(message: string): Nothing {
  return { kind: 'nothing', message: visible(message, longest) }
}

/** A proposal about the Deployment that was looked at: no other can be asked for. */
export function proposeFor(
  found: Findings,
  action: Exclude<ActionName, 'node.uncordon'>,
  params: Proposal['params'],
  because: string,
): Proposal {
  const { metadata } = found.deployment
  const { namespace, name, uid } = metadata
  return {
    kind: 'propose',
    action,
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name, uid },
    params,
    summary: visible(`${placeOf(found.deployment)}: ${because}`, longest),
  }
}

/** `3 Pods`, `1 Pod` */
export function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
