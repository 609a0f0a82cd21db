import { z } from 'zod'
import { agentName } from '../intent.ts'
import { actionName, dnsLabel, dnsName, instant, kindName } from '../text.ts'
import { defineKind, ruled } from './kind.ts'

/** Stops everything (on `jackstay-system`) or one namespace: a label, needing no kind of ours. */
export const suspendedLabel = 'jackstay.dev/suspended'
/** What people wrote beside the label, on the same namespace: their own words, which nobody vouches for. */
export const suspendedNotes = {
  by: 'jackstay.dev/suspended-by',
  reason: 'jackstay.dev/suspended-reason',
  until: 'jackstay.dev/suspended-until',
} as const
/** Namespaces whose workloads executors may touch at all. */
export const governedLabel = 'jackstay.dev/governed'

/** One object that executors may not write; without `namespace`, one of the whole cluster. */
export const suspendedTarget = z.strictObject({
  namespace: dnsLabel
    .optional()
    .describe('its namespace; left out for an object of the whole cluster'),
  kind: kindName.describe('its kind, such as `Deployment`'),
  name: dnsName.describe('its name'),
})
export type SuspendedTarget = z.infer<typeof suspendedTarget>

export const suspensionSpec = ruled(
  z.strictObject({
    class: dnsName.optional().describe('the AgentClass that is stopped'),
    agent: agentName
      .optional()
      .describe('the agent that is stopped, as `<namespace>/<ServiceAccount>`'),
    action: actionName.optional().describe('the action that is stopped, whoever asks for it'),
    target: suspendedTarget.optional().describe('the one object that executors may not write'),
    undo: z.enum(['hold', 'allow']).optional().describe('`hold`, the default, stops undos too'),
    // nothing lifts it then: admission has no clock, and a stop is people's
    until: instant.optional().describe('when it was meant to end; only a person lifts it'),
    madeBy: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('who made it: the API server refuses any name but that of the caller'),
    reason: z.string().min(1).max(1024).describe('why, for whoever finds it'),
  }),
  {
    rule: '[has(self.class), has(self.agent), has(self.action), has(self.target)].filter(x, x).size() == 1',
    message: 'a suspension names exactly one of `class`, `agent`, `action` and `target`',
    test: (s) => [s.class, s.agent, s.action, s.target].filter((x) => x !== undefined).length === 1,
  },
)
export type SuspensionSpec = z.infer<typeof suspensionSpec>

export const suspension = defineKind({
  kind: 'Suspension',
  plural: 'suspensions',
  singular: 'suspension',
  shortName: 'sus',
  scope: 'Cluster',
  summary:
    'The kill switch for a class, an agent, an action or one target. Bites at the API server, with every program of ours dead; deleting it resumes.',
  spec: suspensionSpec,
  status: undefined,
  immutable: false,
  columns: [
    { name: 'Class', type: 'string', jsonPath: '.spec.class' },
    { name: 'Agent', type: 'string', jsonPath: '.spec.agent' },
    { name: 'Action', type: 'string', jsonPath: '.spec.action' },
    { name: 'Target', type: 'string', jsonPath: '.spec.target.name' },
    { name: 'Undo', type: 'string', jsonPath: '.spec.undo' },
    { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
    { name: 'Until', type: 'string', jsonPath: '.spec.until' },
    { name: 'By', type: 'string', jsonPath: '.spec.madeBy', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
