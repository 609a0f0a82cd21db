import { z } from 'zod'
import { digest, dnsName, uuid } from '../text.ts'
import { groupName } from './agent-class.ts'
import { defineKind, ruled } from './kind.ts'

export const approvalSpec = z.strictObject({
  subject: z.strictObject({
    kind: z.enum(['Intent', 'AgentClass', 'ChangeWindow']),
    name: dnsName,
    uid: uuid,
  }),
  digest,
  verdict: z.enum(['approve', 'reject']),
  /** The API server demands that this is the caller. */
  approver: ruled(z.string().min(1).max(253), {
    rule: "!self.startsWith('system:')",
    message: 'an approver is a person, not a `system:` identity',
    test: (name) => !name.startsWith('system:'),
  }),
  /** The API server demands that the caller is in every one of them. */
  groups: z.array(groupName).max(64),
  reason: z.string().min(1).max(1024),
})
export type ApprovalSpec = z.infer<typeof approvalSpec>
export type ApprovalSubject = ApprovalSpec['subject']['kind']

export const approval = defineKind({
  kind: 'Approval',
  plural: 'approvals',
  singular: 'approval',
  shortName: 'apv',
  scope: 'Namespaced',
  summary:
    "One person's yes or no to one digest. Immutable; counted once per approver; one rejection is final.",
  spec: approvalSpec,
  status: undefined,
  immutable: true,
  columns: [
    { name: 'Verdict', type: 'string', jsonPath: '.spec.verdict' },
    { name: 'Subject', type: 'string', jsonPath: '.spec.subject.name' },
    { name: 'Approver', type: 'string', jsonPath: '.spec.approver' },
    { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
