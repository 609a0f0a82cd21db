import type { Decision } from '@jackstay/contract/decision'
import type { Reason } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { wasJudged } from '@jackstay/judge/decide'
import { isStop, type Judgement, judgeNow, type Stop } from '../line/judgement.ts'
import type { Ports } from '../ports.ts'
import { suspended } from './suspended.ts'

export interface Obsolete {
  readonly reason: Reason
  readonly message: string
}

/** Why nobody can approve or dispatch the recorded digest any more, or undefined. */
export async function obsolescence(
  record: IntentRecord,
  ports: Ports,
): Promise<Obsolete | undefined> {
  if (await alertResolved(record, ports)) {
    return { reason: 'trigger_resolved', message: 'the alert resolved before anybody approved' }
  }
  // while suspended the API server refuses dry-runs too; nothing can be said about the digest then
  if (suspended(record, ports) !== undefined) return undefined
  return changed(record, await judgeNow(record, ports), ports)
}

/** Whether the alert that the intent answers is over; one that answers none never is. */
export async function alertResolved(record: IntentRecord, ports: Ports): Promise<boolean> {
  const { trigger } = record.authenticated
  if (trigger === undefined) return false
  return (await ports.triggers.get(trigger.id))?.status === 'resolved'
}

/** How a fresh judgement differs from the one that was recorded. */
export function changed(
  record: IntentRecord,
  judged: Judgement | Stop,
  ports: Ports,
): Obsolete | undefined {
  const { rehearsed, admitted } = record
  if (rehearsed === undefined) throw new TypeError('nothing rehearsed to compare with')
  if (isStop(judged)) {
    // a dry-run that could not be made says nothing about the fields
    if (judged.stop === 'rehearsal_failed') return undefined
    return { reason: 'target_changed', message: judged.message }
  }
  if (ports.cluster.class(record.authenticated.agent.class)?.hash !== admitted?.classHash) {
    return { reason: 'class_changed', message: 'the agent class was edited meanwhile' }
  }
  // nor does a judgement that could not be made: it denies a dispatch, and is no edit of the rules
  if (!wasJudged(judged.decision)) return undefined
  if (judged.digest === rehearsed.digest) return lowered(rehearsed.decision, ports)
  if (judged.decision.rulesHash !== rehearsed.decision.rulesHash) {
    return { reason: 'policy_changed', message: 'the rules for this action were edited meanwhile' }
  }
  return {
    reason: 'target_changed',
    message: `a field the approval covers changed: the digest is now ${judged.digest}`,
  }
}

/** What people were asked for while one of them sufficed is asked for in full once none does. */
function lowered({ waived = [] }: Decision, { oneOperator }: Ports): Obsolete | undefined {
  if (waived.length === 0 || oneOperator) return undefined
  const message =
    'one-operator mode was turned off meanwhile: asked again, it needs every approval that was waived'
  return { reason: 'policy_changed', message }
}
