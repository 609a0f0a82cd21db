import { z } from 'zod'
import { decision } from './decision.ts'
import { agentName, intentClaims, reasoning } from './intent.ts'
import { stageNames, terminalPhases } from './phases.ts'
import { plan } from './plan.ts'
import { redactions } from './redaction.ts'
import { thumbprint } from './signing.ts'
import { digest, uuid } from './text.ts'
import { trigger } from './trigger.ts'

export {
  type Phase,
  type StageName,
  stageNames,
  type TerminalPhase,
  terminalPhases,
} from './phases.ts'

/** Why an intent ended the way it did; documented in the reference, never reused. */
export const reasons = [
  'suspended',
  'not_fresh',
  'rate_limited',
  'budget_exhausted',
  'oscillating',
  'breaker_open',
  'outside_class',
  'class_not_granted',
  'more_than_reads',
  'target_not_found',
  'not_governed',
  'unknown_action',
  'invalid_params',
  'no_change',
  'unsuitable_target',
  'not_reversible',
  'hpa_owns_replicas',
  'gitops_owned',
  'denied',
  'rehearsal_failed',
  'autonomy',
  'rejected',
  'approval_expired',
  'deleted_by_owner',
  'policy_changed',
  'target_changed',
  'class_changed',
  'key_revoked',
  'agent_gone',
  'trigger_resolved',
  'window_closed',
  'write_refused',
  'write_conflict',
  'overdue',
  'succeeded',
  'verification_failed',
  'undone',
  'undo_held',
  'undo_refused',
] as const
export type Reason = (typeof reasons)[number]

export const agentIdentity = z.strictObject({
  name: agentName,
  class: z.string(),
  podName: z.string(),
  podUid: uuid,
  kid: thumbprint,
})

export const countedApproval = z.strictObject({
  name: z.string(),
  uid: uuid,
  approver: z.string(),
  groups: z.array(z.string()),
  verdict: z.enum(['approve', 'reject']),
  reason: z.string(),
  at: z.string(),
})
export type CountedApproval = z.infer<typeof countedApproval>

export const binding = z.strictObject({
  write: z.string(),
  uid: uuid,
  resourceVersion: z.string().min(1),
})
export type Binding = z.infer<typeof binding>

/** What a decision rests on besides the rules, so that it can be judged again under others. */
export const grounds = z.strictObject({
  /** Of the facts. */
  digest,
  /** The variables of rules, `now` as RFC 3339; absent where they are large. */
  facts: z.record(z.string(), z.unknown()).optional(),
  /** Who must agree where the class demands it and no rule says who. */
  defaultApproval: z.strictObject({ count: z.int().min(0), groups: z.array(z.string()) }),
})
export type Grounds = z.infer<typeof grounds>

/** Which of the event's values were erased, and by which leaves; absent where none was. */
const redacted = redactions.optional()

const events = {
  authenticated: z
    .strictObject({
      agent: agentIdentity,
      /** With `params` empty where they were redacted. */
      claims: intentClaims,
      /** Absent where `params` were redacted: it holds them. */
      jws: z.string().optional(),
      jwsDigest: digest,
      /** Absent where it was redacted; its salted digest stands in the claims. */
      reasoning: reasoning.optional(),
      trigger: trigger.optional(),
      redacted,
    })
    .refine(
      (event) =>
        (event.reasoning !== undefined || event.redacted?.reasoning !== undefined) &&
        (event.jws !== undefined || event.redacted?.params !== undefined),
      'a value is missing and was not redacted',
    ),
  admitted: z.strictObject({ class: z.string(), classHash: digest }),
  planned: z.strictObject({ plan, redacted }),
  decided: z.strictObject({ decision, grounds: grounds.optional(), redacted }),
  /** The plan as the server confirmed it, decided again, and the digest people approve. */
  rehearsed: z.strictObject({
    plan,
    decision,
    grounds: grounds.optional(),
    digest,
    catalogueVersion: z.string(),
    /** RFC 3339; absent when nobody has to approve. */
    approveBefore: z.string().optional(),
    redacted,
  }),
  approved: z.strictObject({ digest, approvals: z.array(countedApproval), redacted }),
  /** Written before the first write, and again before each attempt with a fresh resourceVersion. */
  dispatched: z.strictObject({
    attempt: z.int().min(1),
    digest,
    decision,
    /** One for each write of an object that is there: none for what is made. */
    bindings: z.array(binding),
    redacted,
  }),
  /** What became of one write. `by_reading`: no answer came, the object told. */
  written: z.strictObject({
    write: z.string(),
    attempt: z.int().min(1),
    /** `later`: a disruption budget does not let the Pod go now; `unsent`: the API server took nothing. */
    outcome: z.enum(['applied', 'conflict', 'refused', 'later', 'unsent']),
    settled: z.enum(['by_answer', 'by_reading']),
    /** It was sent without an answer before, so that it may still land. */
    unanswered: z.literal(true).optional(),
    auditId: z.string().optional(),
    /** Of the object that a `create` made. */
    uid: uuid.optional(),
    resourceVersion: z.string().optional(),
    message: z.string().max(1024).optional(),
    redacted,
  }),
  /** Every write landed; the success test runs until `verifyBefore`. */
  executed: z.strictObject({ verifyBefore: z.string() }),
  /** The change has to be taken back. */
  undoing: z.strictObject({
    reason: z.enum(reasons),
    message: z.string().max(1024),
    redacted,
  }),
  /** Before each inverse write. */
  undoDispatched: z.strictObject({ attempt: z.int().min(1), bindings: z.array(binding).min(1) }),
  undone: z.strictObject({
    write: z.string(),
    /** 0 where nothing was sent at all. */
    attempt: z.int().min(0),
    outcome: z.enum(['applied', 'conflict', 'refused', 'held', 'unsent']),
    settled: z.enum(['by_answer', 'by_reading']),
    unanswered: z.literal(true).optional(),
    auditId: z.string().optional(),
    resourceVersion: z.string().optional(),
    message: z.string().max(1024).optional(),
    redacted,
  }),
  ended: z.strictObject({
    phase: z.enum(terminalPhases),
    stage: z.enum(stageNames),
    reason: z.enum(reasons),
    message: z.string().max(1024),
    /** Present where a decision was reached in the ending stage. */
    decision: decision.optional(),
    grounds: grounds.optional(),
    approvals: z.array(countedApproval).optional(),
    observed: z.record(z.string(), z.unknown()).optional(),
    redacted,
  }),
}

export type EventType = keyof typeof events
export const eventTypes = Object.keys(events) as readonly EventType[]

/** What happened to an intent, in the words of the stage that did it. */
export type IntentEvent = {
  [T in EventType]: {
    readonly type: T
    readonly at: string
    readonly data: z.infer<(typeof events)[T]>
  }
}[EventType]

export type EventData<T extends EventType> = z.infer<(typeof events)[T]>

const schemas: Record<EventType, z.ZodType> = events

/** Reads a stored event; a stored event that does not parse is damage, not input. */
export function readEvent(row: { type: string; at: string; data: unknown }): IntentEvent {
  if (!(eventTypes as readonly string[]).includes(row.type)) {
    throw new TypeError(`unknown event type \`${row.type}\``)
  }
  const type = row.type as EventType
  return { type, at: row.at, data: schemas[type].parse(row.data) } as IntentEvent
}
