import { z } from 'zod'
import { intentSummary } from './api.ts'
import { digest } from './text.ts'

// What people ask the mediator about the line as a whole. Everything here is for reading.

/** `GET /v1/status`: how the mediator itself stands. */
export const mediatorStatus = z.strictObject({
  clusterUid: z.string(),
  catalogueVersion: z.string(),
  startedAt: z.string(),
  /** Why it is not ready; empty means ready. */
  notReady: z.array(z.string()),
  caches: z.array(z.strictObject({ name: z.string(), synced: z.boolean() })),
  rules: z.strictObject({
    loaded: z.boolean(),
    /** Of ActionPolicies, by name, what is wrong with them. */
    problems: z.array(z.string()),
  }),
  /** Intents that wait for approvals. */
  waiting: z.strictObject({ count: z.int(), oldestAt: z.string().optional() }),
  /** Undos that are held, and those that could not be made. */
  held: z.int(),
})
export type MediatorStatus = z.infer<typeof mediatorStatus>

/** An intent that waits for people, with what an approver has to see. */
export const inboxItem = z.strictObject({
  intent: intentSummary,
  /** What to look at, in the control plane's words: no word of an agent is in here. */
  summary: z.string(),
  diff: z.array(z.string()),
  needs: z.array(z.string()),
  digest: digest.optional(),
  expiresAt: z.string().optional(),
  /** Why an undo is held. */
  why: z.string().optional(),
})
export type InboxItem = z.infer<typeof inboxItem>

/** `GET /v1/inbox`: by expiry, the next one first; the counts are of all. */
export const inbox = z.strictObject({
  waiting: z.strictObject({ count: z.int(), items: z.array(inboxItem) }),
  held: z.strictObject({ count: z.int(), items: z.array(inboxItem) }),
})
export type Inbox = z.infer<typeof inbox>

/**
 * `GET /v1/changes`: what changed after the cursor `after`, the oldest first; with `wait`, once there
 * is something. `missed` says that more changed than is remembered, or that the mediator was restarted.
 */
export const changeList = z.strictObject({
  changes: z.array(intentSummary),
  next: z.string(),
  missed: z.boolean(),
})
export type ChangeList = z.infer<typeof changeList>

/** `GET /v1/agents`: every enrolled key with its Pod. */
export const agentList = z.strictObject({
  agents: z.array(
    z.strictObject({
      agent: z.string(),
      class: z.string(),
      pod: z.string(),
      kid: z.string(),
      /** The Pod exists, is the one that enrolled, and is not ending. */
      live: z.boolean(),
      revoked: z.boolean(),
      /** Its last request with a token of this Pod, since the mediator started. */
      seenAt: z.string().optional(),
    }),
  ),
})
export type AgentList = z.infer<typeof agentList>
