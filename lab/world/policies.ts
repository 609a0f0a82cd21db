import type { ActionPolicySpec, PolicyRule } from '@jackstay/contract/kinds/action-policy'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import type { Manifest } from './manifests.ts'
import { oncall } from './people.ts'

const governed: PolicyRule = {
  name: 'governed-namespaces',
  allow: { when: 'namespace.labels["jackstay.dev/governed"] == "true"' },
}

/** On-call says yes where `when` holds. */
function asked(name: string, when: string): PolicyRule {
  const group = { count: 1, groups: [oncall.group] }
  return { name, requireApproval: { when, ...group, expiresAfter: '15m' } }
}

function policy(name: string, actions: string[], rules: PolicyRule[]): Manifest {
  const spec: ActionPolicySpec = { mode: 'enforce', actions, rules }
  return { apiVersion: groupVersion, kind: 'ActionPolicy', metadata: { name }, spec }
}

/** What the rules say to the agents of the world. */
export const policies: readonly Manifest[] = [
  policy(
    'scaling',
    ['workload.scale'],
    [
      {
        name: 'never-to-zero',
        deny: {
          when: 'intent.params.replicas == 0',
          message: 'what serves nobody ends no incident; find out what is wrong with it',
        },
      },
      {
        name: 'never-beyond-ten',
        deny: {
          when: 'intent.params.replicas > 10',
          message: 'more than ten replicas need a change of the quota first',
        },
      },
      governed,
      asked('people-say-yes', 'true'),
    ],
  ),
  policy(
    'going-back',
    ['workload.rollback'],
    [governed, asked('payments-are-asked-about', 'target.namespace == "payments"')],
  ),
  policy(
    'amounts',
    ['workload.setResources'],
    [
      {
        name: 'no-more-than-a-node-spares',
        deny: {
          when: 'has(intent.params.limits) && has(intent.params.limits.memory) && quantity(intent.params.limits.memory).isGreaterThan(quantity("2Gi"))',
          message: 'a limit beyond 2Gi is for whoever plans the nodes',
        },
      },
      governed,
      asked('people-say-yes', 'true'),
    ],
  ),
  policy('images', ['workload.setImage'], [governed, asked('people-say-yes', 'true')]),
  policy('restarts', ['workload.restart', 'pod.evict'], [governed]),
  policy(
    'bounds',
    ['hpa.setBounds'],
    [
      {
        name: 'never-beyond-ten',
        deny: {
          when: 'has(intent.params.maxReplicas) && intent.params.maxReplicas > 10',
          message: 'more than ten replicas need a change of the quota first',
        },
      },
      governed,
      asked('people-say-yes', 'true'),
    ],
  ),
  policy(
    'nodes',
    ['node.cordon', 'node.uncordon'],
    [{ name: 'opened-to-agents', allow: { when: 'true' } }, asked('people-say-yes', 'true')],
  ),
  policy('jobs', ['job.retry'], [governed]),
]
