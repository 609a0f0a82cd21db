import type { AgentClassSpec } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { classObjects } from '../class-objects.ts'
import type { Manifest } from './manifests.ts'
import { oncall } from './people.ts'

/** An agent of the world, and the class that says what it may do. */
export interface WorldAgent {
  readonly class: string
  /** Of its Pod. */
  readonly namespace: string
  readonly serviceAccount: string
  readonly pod: string
  /** Why people grant the class. */
  readonly reason: string
  /** Where its alerts come from, and what it may change. */
  readonly targets: readonly string[]
}

/** Acts by itself within the rules; people are asked about what touches customers. */
export const serviceResponder: WorldAgent = {
  class: 'service-responder',
  namespace: 'jackstay-class-service-responder',
  serviceAccount: 'runbook-agent',
  pod: 'runbook-agent-0',
  reason: 'reviewed: ends incidents of shop and payments within the rules',
  targets: ['shop', 'payments'],
}

/** Asks people about everything. */
export const batchKeeper: WorldAgent = {
  class: 'batch-keeper',
  namespace: 'jackstay-class-batch-keeper',
  serviceAccount: 'runbook-agent',
  pod: 'runbook-agent-0',
  reason: 'reviewed: looks after batch, people approve every change',
  targets: ['batch'],
}

export const worldAgents = [serviceResponder, batchKeeper] as const

const limits: AgentClassSpec['limits'] = {
  ...{ intentsPerMinute: 10, pending: 5, concurrent: 3 },
  budgets: [
    { of: 'changes', most: 20, per: '1h' },
    { of: 'readyReplicasLost', most: 12, per: '1h' },
  ],
  oscillation: { turns: 3, within: '1h' },
}

interface Powers {
  readonly autonomy: AgentClassSpec['autonomy']
  readonly actions: readonly string[]
  /** Of things that are in no namespace. */
  readonly clusterActions: readonly string[]
}

const powers: Readonly<Record<string, Powers>> = {
  [serviceResponder.class]: {
    autonomy: 'act-within-policy',
    actions: [
      'workload.scale',
      'workload.restart',
      'workload.rollback',
      'workload.setImage',
      'workload.setResources',
      'hpa.setBounds',
      'pod.evict',
    ],
    clusterActions: ['node.cordon', 'node.uncordon'],
  },
  [batchKeeper.class]: {
    autonomy: 'act-with-approval',
    actions: ['workload.scale', 'workload.restart', 'workload.rollback', 'job.retry'],
    clusterActions: [],
  },
}

/** The class of an agent as an object; `changes` are for whoever plays many incidents at once. */
export function agentClassOf(
  { class: name, namespace, targets }: WorldAgent,
  changes: Partial<AgentClassSpec> = {},
): Manifest {
  const { autonomy, actions, clusterActions } = powersOf(name)
  const group = { count: 1, groups: [oncall.group] }
  const spec: AgentClassSpec = {
    ...{ namespace, autonomy, limits },
    actions: [
      ...actions.map((action) => ({
        name: action,
        targets: { namespaces: [...targets], names: ['*'] },
      })),
      ...clusterActions.map((action) => ({
        name: action,
        targets: { namespaces: ['*' as const], names: ['*' as const] },
      })),
    ],
    defaultApproval: group,
    verifySeconds: 60,
    triggers: targets.map((target) => ({ labels: { namespace: target } })),
    grant: group,
    ...changes,
  }
  return { apiVersion: groupVersion, kind: 'AgentClass', metadata: { name }, spec }
}

function powersOf(name: string): Powers {
  const found = powers[name]
  if (found === undefined) throw new TypeError(`there is no class \`${name}\``)
  return found
}

/** Namespaces, executors and bindings that a class needs besides its own object. */
export function objectsOfClass(agent: WorldAgent): readonly Readonly<Record<string, unknown>>[] {
  const { actions, clusterActions } = powersOf(agent.class)
  return classObjects({
    ...{ class: agent.class, namespace: agent.namespace, targets: agent.targets },
    agentServiceAccount: agent.serviceAccount,
    actions: [...actions, ...clusterActions],
    readsNodes: clusterActions.length > 0,
  })
}
