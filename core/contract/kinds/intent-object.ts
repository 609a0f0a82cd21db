import { z } from 'zod'
import { agentName } from '../intent.ts'
import { actionName, digest } from '../text.ts'
import { conditions, defineKind, observedGeneration } from './kind.ts'

export const intentObjectSpec = z.strictObject({
  agent: agentName,
  action: actionName,
  /** `<Kind> <namespace>/<name>` */
  target: z.string().max(600),
  /** The signed intent itself, compact JWS. */
  jws: z.string().max(32 * 1024),
})

export const intentObjectStatus = z.strictObject({
  observedGeneration: observedGeneration.optional(),
  phase: z.string().max(32).optional(),
  reason: z.string().max(64).optional(),
  message: z.string().max(1024).optional(),
  /** What an Approval has to name. */
  digest: digest.optional(),
  summary: z.string().max(512).optional(),
  /** The writes, computed by the control plane: one line per field, `path: before → after`. */
  diff: z.array(z.string().max(2048)).max(64).optional(),
  /** What else to know before approving: what images stand for now, what cannot be restored. */
  notes: z.array(z.string().max(1024)).max(32).optional(),
  /** What is still needed, in words. */
  needs: z.array(z.string().max(512)).max(16).optional(),
  expiresAt: z.string().max(64).optional(),
  ledgerIndex: z.int().min(0).optional(),
  conditions: conditions.optional(),
})
export type IntentObjectStatus = z.infer<typeof intentObjectStatus>

/** Kept until the ledger has the outcome, so a deletion is a cancellation and never a loss. */
export const intentFinalizer = 'jackstay.dev/ledger'

export const intentObject = defineKind({
  kind: 'Intent',
  plural: 'intents',
  singular: 'intent',
  shortName: 'int',
  scope: 'Namespaced',
  summary:
    'Where owners of a namespace see a pending or recent intent. A projection: the ledger is the truth. Deleting it cancels the intent.',
  spec: intentObjectSpec,
  status: intentObjectStatus,
  immutable: true,
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Action', type: 'string', jsonPath: '.spec.action' },
    { name: 'Target', type: 'string', jsonPath: '.spec.target' },
    { name: 'Agent', type: 'string', jsonPath: '.spec.agent' },
    { name: 'Why', type: 'string', jsonPath: '.status.message' },
    { name: 'Digest', type: 'string', jsonPath: '.status.digest', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
