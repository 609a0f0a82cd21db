import { z } from 'zod'
import { stageNames, terminalPhases } from './history.ts'
import { trigger } from './trigger.ts'

/** One line of `GET /v1/intents`. */
export const intentSummary = z.strictObject({
  id: z.string(),
  agent: z.string(),
  action: z.string(),
  target: z.string(),
  phase: z.enum([...terminalPhases, ...stageNames]),
  reason: z.string().optional(),
  receivedAt: z.string(),
  updatedAt: z.string(),
})
export type IntentSummary = z.infer<typeof intentSummary>

/** `GET /v1/intents`: newest first; `next` is the `before` of the following page. */
export const intentList = z.strictObject({
  intents: z.array(intentSummary),
  next: z.string().optional(),
})
export type IntentList = z.infer<typeof intentList>

/** One stored event with the ledger indexes of its leaves. */
export const storedEvent = z.strictObject({
  seq: z.int(),
  type: z.string(),
  at: z.string(),
  data: z.unknown(),
  leafIndexes: z.array(z.int()),
})

/** `GET /v1/intents/{id}`, and the answer to `POST /v1/intents`. */
export const intentView = z.strictObject({
  summary: intentSummary,
  events: z.array(storedEvent),
})
export type IntentView = z.infer<typeof intentView>

/** `GET /v1/triggers`: what waits for the caller's class, leased to the caller. */
export const triggerList = z.strictObject({ triggers: z.array(trigger) })
export type TriggerList = z.infer<typeof triggerList>

/** Whose behaviour a breaker watches; each belongs to one class, so nobody trips another's. */
export const breakerScopes = ['agent', 'class', 'action', 'target'] as const
export type BreakerScope = (typeof breakerScopes)[number]

/** What opens a breaker. */
export const breakerCauses = [
  'refused',
  'failed',
  'undone',
  'malformed',
  'repeated',
  'flood',
  'oscillation',
] as const
export type BreakerCause = (typeof breakerCauses)[number]

/** A breaker that is not at rest. Times are RFC 3339. */
export const breakerView = z.strictObject({
  scope: z.enum(breakerScopes),
  /** The agent, the class, the action's name, or `Kind namespace/name`. */
  key: z.string(),
  /** The class it belongs to, on which it can be reset. */
  class: z.string(),
  /** `half-open`: one intent may try. `closed`: it tripped before, and opens for longer if it does again. */
  state: z.enum(['open', 'half-open', 'closed']),
  cause: z.enum(breakerCauses),
  openedAt: z.string(),
  /** From when on one intent may try. */
  retryAt: z.string(),
  /** What was counted when it opened, by cause, and `ended`: all intents that ended meanwhile. */
  counts: z.record(z.string(), z.int().min(0)),
})
export type BreakerView = z.infer<typeof breakerView>

/** `GET /v1/breakers`: those that are open, half-open or were lately; for an agent, its own class's. */
export const breakerList = z.strictObject({ breakers: z.array(breakerView) })
export type BreakerList = z.infer<typeof breakerList>

/**
 * On an AgentClass: breakers of the class that opened before this time (RFC 3339, not in the future)
 * close. Whoever may patch the class resets with credentials of their own. `TIME`, or
 * `TIME SCOPE KEY` for one of them.
 */
export const resetBreakersAnnotation = 'jackstay.dev/reset-breakers'

/** `GET /v1/cluster`: what a signer has to know. */
export const clusterInfo = z.strictObject({
  /** True while one approval counts for every number of them. */
  oneOperator: z.boolean().optional(),
  clusterUid: z.string(),
  catalogueVersion: z.string(),
  /** The caller's class, where the caller is an agent; then `actions` are those it may ask for. */
  class: z.strictObject({ name: z.string(), autonomy: z.string() }).optional(),
  actions: z.array(
    z.strictObject({
      name: z.string(),
      description: z.string(),
      /** JSON Schema. */
      params: z.unknown(),
      /** What the caller's class may name as target; `*` is everything. */
      targets: z
        .array(z.strictObject({ namespaces: z.array(z.string()), names: z.array(z.string()) }))
        .optional(),
    }),
  ),
})
export type ClusterInfo = z.infer<typeof clusterInfo>
