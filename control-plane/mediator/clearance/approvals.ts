import type { ApprovalRequirement } from '@jackstay/contract/decision'
import type { CountedApproval } from '@jackstay/contract/history'
import type { Digest } from '@jackstay/contract/json'
import type { IntentRecord } from '@jackstay/contract/record'
import { type QuorumOutcome, quorum } from '@jackstay/judge/quorum'
import { latest } from '../limits/latest.ts'
import type { ApprovalView, Ports } from '../ports.ts'

/**
 * Approvals of the intent that count at all: about this very Intent object, in its namespace. The
 * rest (digest, groups, distinct people, expiry) is the quorum's business.
 */
export function approvalsFor(record: IntentRecord, ports: Ports): readonly ApprovalView[] {
  const object = ports.cluster.intentObject(record.id)
  if (object === undefined) return []
  return ports.cluster
    .approvalsOf('Intent', record.id)
    .filter((a) => a.subject.uid === object.uid && a.namespace === object.namespace)
}

export function count(
  record: IntentRecord,
  requirements: readonly ApprovalRequirement[],
  digest: Digest,
  ports: Ports,
): QuorumOutcome<ApprovalView> {
  return quorum({
    requirements,
    approvals: approvalsFor(record, ports),
    digest,
    excluded: [`system:serviceaccount:${record.authenticated.agent.name.replace('/', ':')}`],
    decidedAt: Date.parse(record.rehearsed?.at ?? ''),
    now: latest(ports),
  })
}

/** An Approval as the log keeps it: of the approver's groups only those that count. */
export function counted(
  { name, uid, approver, groups, verdict, reason, at }: ApprovalView,
  requirements: readonly ApprovalRequirement[],
): CountedApproval {
  const wanted = new Set(requirements.flatMap((r) => r.groups))
  return { name, uid, approver, groups: groups.filter((g) => wanted.has(g)), verdict, reason, at }
}
