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

/** `GET /v1/cluster`: what a signer has to know. */
export const clusterInfo = z.strictObject({
  clusterUid: z.string(),
  catalogueVersion: z.string(),
  actions: z.array(
    z.strictObject({ name: z.string(), description: z.string(), params: z.unknown() }),
  ),
})
export type ClusterInfo = z.infer<typeof clusterInfo>
