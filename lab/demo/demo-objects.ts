import { groupVersion } from '@jackstay/contract/kinds/kind'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { classObjects } from '../class-objects.ts'
import { oncall, peopleBindings } from '../world/people.ts'
import type { Cast } from './cast.ts'

/** The workload that is broken on purpose. Its Pods are real. */
export const workload = { namespace: 'shop', name: 'web', replicas: 2 } as const
/** The agent's class and where its Pods live. */
export const agent = {
  class: 'runbook',
  namespace: 'jackstay-class-runbook',
  serviceAccount: 'runbook-agent',
  pod: 'runbook-agent-0',
  reason: 'reviewed: scales web in shop, people approve every change',
} as const
type Manifest = Readonly<Record<string, unknown>>

/** What differs between workloads; everything else is as a restricted namespace wants it. */
export interface Container {
  readonly image: string
  readonly ports?: readonly object[]
  readonly readinessProbe?: object
}

const labels = { 'app.kubernetes.io/name': workload.name }

/** The namespace and Deployment that an incident happens to. */
function workloadObjects(container: Container): Manifest[] {
  const { namespace, name, replicas } = workload
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespace,
        labels: { [governedLabel]: 'true', 'pod-security.kubernetes.io/enforce': 'restricted' },
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 1,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 10001,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              {
                name: 'web',
                ...container,
                resources: {
                  requests: { cpu: '20m', memory: '48Mi' },
                  limits: { memory: '128Mi' },
                },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    },
  ]
}

/** What the agent may ask for, and what the rules say to it. */
function governanceObjects(): Manifest[] {
  return [
    {
      apiVersion: groupVersion,
      kind: 'AgentClass',
      metadata: { name: agent.class },
      spec: {
        namespace: agent.namespace,
        autonomy: 'act-with-approval',
        actions: [
          {
            name: 'workload.scale',
            targets: { namespaces: [workload.namespace], names: ['*'] },
          },
        ],
        defaultApproval: { count: 1, groups: [oncall.group] },
        limits: {
          intentsPerMinute: 10,
          pending: 5,
          concurrent: 2,
          budgets: [
            { of: 'changes', most: 20, per: '1h' },
            { of: 'readyReplicasLost', most: 10, per: '1h' },
          ],
          oscillation: { turns: 3, within: '1h' },
        },
        verifySeconds: 60,
        triggers: [{ labels: { alertname: 'DeploymentHasNoReplicas' } }],
        grant: { count: 1, groups: [oncall.group] },
      },
    },
    {
      apiVersion: groupVersion,
      kind: 'ActionPolicy',
      metadata: { name: 'scaling' },
      spec: {
        mode: 'enforce',
        actions: ['workload.scale'],
        rules: [
          {
            name: 'never-beyond-five',
            deny: {
              when: 'intent.params.replicas > 5',
              message: 'more than five replicas need a change of the quota first',
            },
          },
          {
            name: 'governed-namespaces',
            allow: { when: 'namespace.labels["jackstay.dev/governed"] == "true"' },
          },
          {
            name: 'people-say-yes',
            requireApproval: {
              when: 'true',
              count: 1,
              groups: [oncall.group],
              expiresAfter: '15m',
            },
          },
        ],
      },
    },
  ]
}

/** The class, what it may do and who grants it. */
function classManifests(): Manifest[] {
  return [
    ...classObjects({
      class: agent.class,
      namespace: agent.namespace,
      agentServiceAccount: agent.serviceAccount,
      actions: ['workload.scale'],
      targets: [workload.namespace],
    }),
    ...governanceObjects(),
  ]
}

/** One workload and one agent. */
export function smallCast(container: Container): Cast {
  return {
    workloads: workloadObjects(container),
    ready: [`${workload.namespace}/${workload.name}`],
    governance: [...peopleBindings, ...classManifests()],
    agents: [agent],
  }
}
