import { catalogue } from '@jackstay/actions/catalogue'
import { actionRoleName } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { executorsNamespace, systemNamespace } from '@jackstay/contract/namespaces'
import { podLogs, readableKinds } from '@jackstay/contract/readable'

export interface ClassObjectsOptions {
  readonly class: string
  /** Where its agents' Pods live; starts with `jackstay-class-`. */
  readonly namespace: string
  readonly agentServiceAccount: string
  readonly actions: readonly string[]
  /** Namespaces it may read and change. They become governed. */
  readonly targets: readonly string[]
  /** Whether it may also see all nodes. */
  readonly readsNodes?: boolean
}

type Manifest = Readonly<Record<string, unknown>>

function binding(name: string, namespace: string, role: string, subject: object): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'jackstay' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', ...subject }],
  }
}

function serviceAccount(name: string, namespace: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
    automountServiceAccountToken: false,
  }
}

function namespace(name: string, labels: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

function isClusterWide(action: string): boolean {
  const entry = catalogue.find(({ name }) => name === action)
  return entry?.targets.some(({ clusterScoped }) => clusterScoped) ?? false
}

function nodesBinding(className: string, agent: object): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: {
      name: `jackstay-read-cluster-${className}`,
      labels: { 'app.kubernetes.io/part-of': 'jackstay' },
    },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'jackstay-read-cluster',
    },
    subjects: [{ kind: 'ServiceAccount', ...agent }],
  }
}

const readRolesOfNamespaces = [
  ...new Set(readableKinds.filter(({ scope }) => scope === 'namespaced').map(({ role }) => role)),
  podLogs.role,
]

/**
 * What makes a class able to act, besides its AgentClass: namespace, executor, and bindings to fixed
 * roles only. The operator will do this; until then whoever installs does.
 */
export function classObjects(options: ClassObjectsOptions): Manifest[] {
  const { agentServiceAccount, actions, targets } = options
  const executor = { name: options.class, namespace: executorsNamespace }
  const agent = { name: agentServiceAccount, namespace: options.namespace }
  const reader = { name: 'jackstay-kubernetes-read', namespace: systemNamespace }
  return [
    namespace(options.namespace, { 'app.kubernetes.io/part-of': 'jackstay' }),
    serviceAccount(agent.name, agent.namespace),
    serviceAccount(executor.name, executor.namespace),
    binding('jackstay-read-tool', options.namespace, 'jackstay-impersonate-agents', reader),
    ...(options.readsNodes ? [nodesBinding(options.class, agent)] : []),
    // what belongs to no namespace is reached from everywhere, or not at all
    ...actions.filter(isClusterWide).map((action) => ({
      ...binding(
        `jackstay-execute-${options.class}-${action}`,
        '',
        actionRoleName(action),
        executor,
      ),
      kind: 'ClusterRoleBinding',
      metadata: { name: `jackstay-execute-${options.class}-${action}` },
    })),
    ...targets.flatMap((target) => [
      namespace(target, { [governedLabel]: 'true' }),
      ...readRolesOfNamespaces.map((role) =>
        binding(`${role}-${options.class}`, target, role, agent),
      ),
      ...actions
        .filter((action) => !isClusterWide(action))
        .map((action) => {
          const name = `jackstay-execute-${options.class}-${action}`
          return binding(name, target, actionRoleName(action), executor)
        }),
    ]),
  ]
}
