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
  .describe('namespaces of targets, or `*` alone; what is in no namespace is reached by `*`')
const names = z
  .array(z.union([z.literal('*'), dnsName]))
  .min(1)
  .max(64)
  .describe('names of targets, or `*` alone')

export const groupName = z.string().min(1).max(253)
export const approverGroups = ruled(z.array(groupName).min(1).max(16), {
  rule: "self.all(g, !g.startsWith('system:'))",
  message: 'approver groups are groups of people, not `system:` groups',
  test: (groups) => groups.every((g) => !g.startsWith('system:')),
})

/** `count`, not `n`: a bare `n` is a boolean to YAML 1.1, which kubectl speaks. */
export const approvalQuorum = z.strictObject({
  count: z.int().min(1).max(10).describe('how many different people'),
  groups: approverGroups.describe('groups that these people may be of, any of them'),
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
  of: budgetUnit.describe('what is counted'),
  most: z.int().min(1).max(100_000).describe('how much of it within the time'),
  per: duration.describe('the time that is looked back, such as `1h`'),
})
export type ClassBudget = z.infer<typeof budget>

const limits = z.strictObject({
  intentsPerMinute: z.int().min(1).max(600).describe('intents that one agent may send in a minute'),
  pending: z.int().min(1).max(100).describe('intents of one agent that have not ended'),
  concurrent: z
    .int()
    .min(1)
    .max(100)
    .describe('changes of the class under way at once, from dispatch until they end'),
  budgets: z
    .array(budget)
    .max(8)
    .describe("what the class's changes may reach together; `[]` says on purpose: no limit"),
  oscillation: z
    .strictObject({
      turns: z.int().min(1).max(50).describe('so many turns of one field stop the next one'),
      within: duration.describe('the time that is looked back, such as `1h`'),
    })
    .describe('stops a field that is turned to and fro, whoever turns it'),
})
export type ClassLimits = z.infer<typeof limits>

export const agentClassSpec = z.strictObject({
  namespace: ruled(dnsLabel, {
    rule: `self.startsWith('${classNamespacePrefix}')`,
    message: `a class lives in a namespace whose name starts with \`${classNamespacePrefix}\``,
    test: (name) => name.startsWith(classNamespacePrefix),
  }).describe('where the agents of the class live; one class per namespace'),
  autonomy: autonomy.describe(
    'how far an agent may go by itself: `observe`, `propose` (ends before anything is written), `act-with-approval`, `act-within-policy`',
  ),
  actions: z
    .array(
      z.strictObject({
        name: actionName.describe('an action of the catalogue, such as `workload.scale`'),
        targets: z.strictObject({ namespaces, names }).describe('what it may be done to'),
      }),
    )
    .max(64)
    .describe('what its agents may ask for; nothing else'),
  defaultApproval: approvalQuorum.describe(
    'who must agree where the autonomy or an irreversible plan demands it and no rule says who',
  ),
  limits: limits.describe('how much its agents may do; every limit is said'),
  verifySeconds: z
    .int()
    .min(1)
    .max(3600)
    .describe(
      "longest time that the success test of a change may take, from its last write on, in seconds; lowers the action's own deadline. How long the writes may take, disruption budgets that hold them back included, is the action's own",
    ),
  triggers: z
    .array(
      z.strictObject({
        labels: labelMatchers.describe('labels of an alert, all of which must match'),
      }),
    )
    .max(32)
    .describe('which alerts reach the agents of the class: one entry must match'),
  grant: approvalQuorum.describe('how many approvals, by whom, make the class effective'),
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
    specHash: digest.optional().describe('what Approvals of the class name'),
    conditions: conditions.optional(),
  }),
  immutable: false,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    {
      name: 'Granted',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Granted")].status',
    },
    {
      name: 'Valid',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Valid")].status',
      priority: 1,
    },
    { name: 'Autonomy', type: 'string', jsonPath: '.spec.autonomy' },
    { name: 'Namespace', type: 'string', jsonPath: '.spec.namespace' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    },
    { name: 'Hash', type: 'string', jsonPath: '.status.specHash', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
