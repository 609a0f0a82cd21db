import { z } from 'zod'
import { agentName } from '../intent.ts'
import { actionName, dnsName } from '../text.ts'
import { defineKind, ruled } from './kind.ts'

/** Stops everything (on `jackstay-system`) or one namespace: a label, needing no kind of ours. */
export const suspendedLabel = 'jackstay.dev/suspended'
/** Namespaces whose workloads executors may touch at all. */
export const governedLabel = 'jackstay.dev/governed'

export const suspensionSpec = ruled(
  z.strictObject({
    class: dnsName.optional(),
    agent: agentName.optional(),
    action: actionName.optional(),
    /** `hold`, the default, stops undos too. */
    undo: z.enum(['hold', 'allow']).optional(),
    reason: z.string().min(1).max(1024),
  }),
  {
    rule: '[has(self.class), has(self.agent), has(self.action)].filter(x, x).size() == 1',
    message: 'a suspension names exactly one of `class`, `agent` and `action`',
    test: (s) => [s.class, s.agent, s.action].filter((x) => x !== undefined).length === 1,
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
    'The kill switch for a class, an agent or an action. Bites at the API server, with every program of ours dead; deleting it resumes.',
  spec: suspensionSpec,
  status: undefined,
  immutable: false,
  columns: [
    { name: 'Class', type: 'string', jsonPath: '.spec.class' },
    { name: 'Agent', type: 'string', jsonPath: '.spec.agent' },
    { name: 'Action', type: 'string', jsonPath: '.spec.action' },
    { name: 'Undo', type: 'string', jsonPath: '.spec.undo' },
    { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
