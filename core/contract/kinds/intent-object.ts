import { z } from 'zod'
import { agentName } from '../intent.ts'
import { actionName, digest } from '../text.ts'
import { conditions, defineKind, observedGeneration } from './kind.ts'

export const intentObjectSpec = z.strictObject({
  agent: agentName.describe('who asks, as `<namespace>/<ServiceAccount>`'),
  action: actionName.describe('what it asks for'),
  target: z.string().max(600).describe('what it is to be done to, as `<Kind> <namespace>/<name>`'),
  jws: z
    .string()
    .max(32 * 1024)
    .describe('the signed intent itself, a compact JWS'),
})

export const intentObjectStatus = z.strictObject({
  observedGeneration: observedGeneration.optional(),
  phase: z.string().max(32).optional().describe('the stage it is in, or how it ended'),
  reason: z
    .string()
    .max(64)
    .optional()
    .describe('why it ended so; docs/reference/reasons.md lists them'),
  message: z.string().max(1024).optional().describe('the same in words'),
  digest: digest.optional().describe('what an Approval has to name'),
  summary: z
    .string()
    .max(512)
    .optional()
    .describe('what would be done, in the words of the control plane'),
  diff: z
    .array(z.string().max(2048))
    .max(64)
    .optional()
    .describe(
      'the writes, computed by the control plane: one line per field, `path: before → after`',
    ),
  notes: z
    .array(z.string().max(1024))
    .max(32)
    .optional()
    .describe(
      'what else to know before approving: what images stand for now, what cannot be restored',
    ),
  needs: z.array(z.string().max(512)).max(16).optional().describe('what is still needed, in words'),
  expiresAt: z.string().max(64).optional().describe('until when approvals count, RFC 3339'),
  ledgerIndex: z.int().min(0).optional().describe('where the log has its newest leaf'),
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
