import { z } from 'zod'
import { duration } from '../duration.ts'
import { actionName, dnsLabel } from '../text.ts'
import { approverGroups } from './agent-class.ts'
import { conditions, defineKind, observedGeneration, ruled } from './kind.ts'

const expression = z
  .string()
  .min(1)
  .max(4096)
  .describe('a condition in CEL; docs/reference/rules.md lists variables and functions')

export const policyRule = ruled(
  z.strictObject({
    name: dnsLabel.describe('named in decisions as `<policy>/<rule>`'),
    deny: z
      .strictObject({
        when: expression,
        message: z.string().max(512).optional().describe('what people read where it denies'),
      })
      .optional()
      .describe('refuses what matches, whatever other rules say'),
    requireApproval: z
      .strictObject({
        when: expression,
        count: z.int().min(1).max(10).describe('how many different people'),
        groups: approverGroups.describe('groups that these people may be of, any of them'),
        expiresAfter: duration
          .optional()
          .describe('how long they have, such as `30m`; `1h` unless it is said'),
        separate: z
          .boolean()
          .optional()
          .describe(
            '`true`: nobody serves two requirements of a decision to which this one belongs',
          ),
      })
      .optional()
      .describe('asks people about what matches; every such rule that matches must be met'),
    allow: z
      .strictObject({ when: expression })
      .optional()
      .describe('lets pass what matches, unless a rule denies it'),
  }),
  {
    rule: '[has(self.deny), has(self.requireApproval), has(self.allow)].filter(x, x).size() == 1',
    message: 'a rule has exactly one of `deny`, `requireApproval` and `allow`',
    test: (r) => [r.deny, r.requireApproval, r.allow].filter((e) => e !== undefined).length === 1,
  },
)
export type PolicyRule = z.infer<typeof policyRule>

export const actionPolicySpec = z.strictObject({
  mode: z
    .enum(['enforce', 'audit'])
    .describe('`enforce`, or `audit`: evaluated and recorded, never effective'),
  actions: z
    .array(z.union([z.literal('*'), actionName]))
    .min(1)
    .max(64)
    .describe('actions of the catalogue that the rules are about, or `*` alone'),
  rules: ruled(z.array(policyRule).min(1).max(200), {
    rule: 'self.all(a, self.exists_one(b, a.name == b.name))',
    message: 'rule names are unique within a policy',
    test: (rules) => new Set(rules.map((r) => r.name)).size === rules.length,
  }).describe('each with exactly one effect; their order never matters'),
})
export type ActionPolicySpec = z.infer<typeof actionPolicySpec>

export const actionPolicy = defineKind({
  kind: 'ActionPolicy',
  plural: 'actionpolicies',
  singular: 'actionpolicy',
  shortName: 'apol',
  scope: 'Cluster',
  summary:
    'CEL rules over intents: any deny wins; else an allow must match; every matching requireApproval must be met.',
  spec: actionPolicySpec,
  status: z.strictObject({
    observedGeneration: observedGeneration.optional(),
    conditions: conditions.optional(),
  }),
  immutable: false,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Actions', type: 'string', jsonPath: '.spec.actions' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
