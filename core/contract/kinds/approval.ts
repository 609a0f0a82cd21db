import { z } from 'zod'
import { digest, dnsName, uuid } from '../text.ts'
import { groupName } from './agent-class.ts'
import { defineKind, ruled } from './kind.ts'

export const approvalSpec = z.strictObject({
  subject: z
    .strictObject({
      kind: z.enum(['Intent', 'AgentClass', 'ChangeWindow']).describe('its kind'),
      name: dnsName.describe('its name'),
      uid: uuid.describe('its uid: another object of that name is another subject'),
    })
    .describe('the object that is approved or rejected'),
  digest: digest.describe('exactly what: the digest or hash in the status of the subject'),
  verdict: z.enum(['approve', 'reject']).describe('one rejection is final'),
  approver: ruled(z.string().min(1).max(253), {
    rule: "!self.startsWith('system:')",
    message: 'an approver is a person, not a `system:` identity',
    test: (name) => !name.startsWith('system:'),
  }).describe('you, as the API server knows you: it refuses any other name'),
  groups: z
    .array(groupName)
    .max(64)
    .describe('groups of yours in which it should count; the API server refuses others'),
  reason: z.string().min(1).max(1024).describe('why, for whoever reads the log'),
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
