import type { Reason } from '@jackstay/contract/history'
import { digestOf } from '@jackstay/contract/json'
import type { IntentRecord } from '@jackstay/contract/record'
import type { EvidenceKind } from '@jackstay/judge/breaker'

/**
 * What a refusal or a failed write says about who asked. `other`: nothing, because people, the
 * cluster or a limit of everybody's brought it about. A new reason takes its place here.
 */
const told: Readonly<Record<Reason, EvidenceKind>> = {
  // what agents ask for
  outside_class: 'refused',
  target_not_found: 'refused',
  not_governed: 'refused',
  unknown_action: 'refused',
  no_change: 'refused',
  not_reversible: 'refused',
  hpa_owns_replicas: 'refused',
  gitops_owned: 'refused',
  denied: 'refused',
  unsuitable_target: 'refused',
  invalid_params: 'malformed',
  rate_limited: 'flood',
  oscillating: 'oscillation',
  // what becomes of it
  write_refused: 'failed',
  write_conflict: 'failed',
  overdue: 'failed',
  verification_failed: 'failed',
  undo_refused: 'failed',
  undo_held: 'failed',
  undone: 'undone',
  succeeded: 'good',
  // what others do
  suspended: 'other',
  not_fresh: 'other',
  budget_exhausted: 'other',
  breaker_open: 'other',
  class_not_granted: 'other',
  more_than_reads: 'other',
  rehearsal_failed: 'other',
  autonomy: 'other',
  rejected: 'other',
  approval_expired: 'other',
  deleted_by_owner: 'other',
  policy_changed: 'other',
  target_changed: 'other',
  class_changed: 'other',
  key_revoked: 'other',
  agent_gone: 'other',
  trigger_resolved: 'other',
  window_closed: 'other',
}

/** How an ended intent counts. */
export function evidenceOf({ ended, undoing }: IntentRecord): EvidenceKind {
  switch (ended?.phase) {
    case 'verified':
      return 'good'
    case 'rolled_back':
      // a plan that people stopped between its writes says nothing about who asked for it
      return undoing !== undefined && told[undoing.reason] === 'other' ? 'other' : 'undone'
    case 'rollback_failed':
      return 'failed'
    case 'refused':
      // the place for one more is the agent's own; budgets are its class's
      if (ended.reason === 'budget_exhausted' && ended.stage === 'admit') return 'flood'
      return told[ended.reason]
    case 'failed':
      return told[ended.reason] === 'other' ? 'other' : 'failed'
    default:
      return 'other'
  }
}

/** Equal for the same action on the same target with the same parameters. */
export function callOf({ authenticated: { claims } }: IntentRecord): string {
  const { action, target, params } = claims
  return digestOf({ action, target, params }).slice('sha256:'.length, 23)
}
