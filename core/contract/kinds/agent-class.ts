import { z } from 'zod'
import { duration } from '../duration.ts'
import { actionName, digest, dnsLabel, dnsName } from '../text.ts'
import { conditions, defineKind, observedGeneration, ruled } from './kind.ts'

/** The namespaces of agents carry this prefix: admission policies match on it, labels can be removed. */
export const classNamespacePrefix = 'jackstay-class-'

export const autonomy = z.enum(['observe', 'propose', 'act-with-approval', 'act-within-policy'])
export type Autonomy = z.infer<typeof autonomy>

/** `*` means every one, said on purpose: an absent field would be a misspelt one. */
const namespaces = z
  .array(z.union([z.literal('*'), dnsLabel]))
  .min(1)
  .max(64)
const names = z
  .array(z.union([z.literal('*'), dnsName]))
  .min(1)
  .max(64)

export const groupName = z.string().min(1).max(253)
export const approverGroups = ruled(z.array(groupName).min(1).max(16), {
  rule: "self.all(g, !g.startsWith('system:'))",
  message: 'approver groups are groups of people, not `system:` groups',
  test: (groups) => groups.every((g) => !g.startsWith('system:')),
})

/** `count`, not `n`: a bare `n` is a boolean to YAML 1.1, which kubectl speaks. */
export const approvalQuorum = z.strictObject({
  count: z.int().min(1).max(10),
  groups: approverGroups,
})

const labelMatchers = ruled(z.record(z.string().max(317), z.string().max(1024)), {
  rule: 'size(self) <= 64',
  message: 'an entry matches at most 64 labels',
  test: (labels) => Object.keys(labels).length <= 64,
})

/** What changes are counted by: themselves, or what their plans say they reach. */
export const budgetUnit = z.enum(['changes', 'pods', 'readyReplicasLost'])
export type BudgetUnit = z.infer<typeof budgetUnit>

const budget = z.strictObject({
  of: budgetUnit,
  most: z.int().min(1).max(100_000),
  /** The time that is looked back. */
  per: duration,
})
export type ClassBudget = z.infer<typeof budget>

const limits = z.strictObject({
  /** Of one agent. */
  intentsPerMinute: z.int().min(1).max(600),
  /** Intents of one agent that have not ended. */
  pending: z.int().min(1).max(100),
  /** Changes of the class under way at once, from dispatch until they end. */
  concurrent: z.int().min(1).max(100),
  /** What the class's changes may reach together; `[]` says on purpose: no limit. */
  budgets: z.array(budget).max(8),
  /** So many turns of one field within the time stop the next one, whoever made them. */
  oscillation: z.strictObject({ turns: z.int().min(1).max(50), within: duration }),
})
export type ClassLimits = z.infer<typeof limits>

export const agentClassSpec = z.strictObject({
  namespace: ruled(dnsLabel, {
    rule: `self.startsWith('${classNamespacePrefix}')`,
    message: `a class lives in a namespace whose name starts with \`${classNamespacePrefix}\``,
    test: (name) => name.startsWith(classNamespacePrefix),
  }),
  autonomy,
  actions: z
    .array(z.strictObject({ name: actionName, targets: z.strictObject({ namespaces, names }) }))
    .max(64),
  defaultApproval: approvalQuorum,
  limits,
  /** Longest time a change may take to verify, in seconds; lowers the action's own deadline. */
  verifySeconds: z.int().min(1).max(3600),
  /** Which alerts reach the agents of the class: all labels of one entry must match. */
  triggers: z.array(z.strictObject({ labels: labelMatchers })).max(32),
  /** How many approvals, by whom, make the class effective. */
  grant: approvalQuorum,
})
export type AgentClassSpec = z.infer<typeof agentClassSpec>

export const agentClass = defineKind({
  kind: 'AgentClass',
  plural: 'agentclasses',
  singular: 'agentclass',
  shortName: 'agc',
  scope: 'Cluster',
  summary:
    'The ceiling over a class of agents: what they may ask for, how much, and who must agree. Effective only while enough Approvals name the hash of its spec.',
  spec: agentClassSpec,
  status: z.strictObject({
    observedGeneration: observedGeneration.optional(),
    specHash: digest.optional(),
    conditions: conditions.optional(),
  }),
  immutable: false,
  columns: [
    {
      name: 'Granted',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Granted")].status',
    },
    { name: 'Autonomy', type: 'string', jsonPath: '.spec.autonomy' },
    { name: 'Namespace', type: 'string', jsonPath: '.spec.namespace' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Granted")].message',
    },
    { name: 'Hash', type: 'string', jsonPath: '.status.specHash', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
