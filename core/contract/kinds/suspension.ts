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
  namespace: dnsLabel.optional(),
  kind: kindName,
  name: dnsName,
})
export type SuspendedTarget = z.infer<typeof suspendedTarget>

export const suspensionSpec = ruled(
  z.strictObject({
    class: dnsName.optional(),
    agent: agentName.optional(),
    action: actionName.optional(),
    target: suspendedTarget.optional(),
    /** `hold`, the default, stops undos too. */
    undo: z.enum(['hold', 'allow']).optional(),
    /** When it was meant to end. Nothing lifts it then: admission has no clock, and a stop is people's. */
    until: instant.optional(),
    /** Who made it: where it is given, the API server holds it to its own word on who that is. */
    madeBy: z.string().min(1).max(253).optional(),
    reason: z.string().min(1).max(1024),
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
