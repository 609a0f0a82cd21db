import { z } from 'zod'
import { digest } from './text.ts'

/** What a matching `requireApproval` rule, or the class, demands. */
export const approvalRequirement = z.strictObject({
  /** `<policy>/<rule>`, or `class/<name>` for the class's default. */
  from: z.string(),
  count: z.int().min(1),
  groups: z.array(z.string()).min(1),
  /** Seconds from the decision until a missing approval counts as expired. */
  expiresAfter: z.int().min(1),
  /** With one such requirement in a decision nobody serves two of its requirements. */
  separate: z.boolean().optional(),
})
export type ApprovalRequirement = z.infer<typeof approvalRequirement>

/** One rule's part in a decision. Rules that did not match are counted, not listed. */
export const firedRule = z.strictObject({
  /** `<policy>/<rule>` */
  id: z.string(),
  effect: z.enum(['deny', 'requireApproval', 'allow']),
  mode: z.enum(['enforce', 'audit']),
  outcome: z.enum(['matched', 'error']),
  message: z.string().max(512).optional(),
})
export type FiredRule = z.infer<typeof firedRule>

/**
 * The verdict on one plan. `allow` with requirements waits for people; without, it goes on.
 * Nothing matching, any error, any timeout: deny.
 */
export const decision = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  reason: z.string().max(512),
  fired: z.array(firedRule).max(256),
  evaluated: z.int().min(0),
  requirements: z.array(approvalRequirement),
  /** What the requirements were before a setting of the control plane lowered them, in words. */
  waived: z.array(z.string().max(512)).optional(),
  rulesHash: digest,
})
export type Decision = z.infer<typeof decision>
