import type { KubeObject } from '../objects.ts'
import { aggregatedRules } from './aggregation.ts'
import { publicRules, type Rule, workRules } from './default-rules.ts'
import { controllerRules, nodeRules, schedulerRules } from './program-rules.ts'
import { rbacGroup } from './rbac.ts'
import { authenticated, privilegedGroup, unauthenticated } from './user-names.ts'

const apiVersion = `${rbacGroup}/v1`
const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const aggregateTo = (name: string) => ({ [`${rbacGroup}/aggregate-to-${name}`]: 'true' })

/** The roles and bindings that a cluster begins with, reduced to the kinds that the lab serves. */
export function defaultAccess(): readonly KubeObject[] {
  return [...defaultRoles(), ...defaultBindings()]
}

/** The service accounts that controllers run as. */
export function controllerAccounts(): readonly KubeObject[] {
  return Object.keys(controllerRules).map((name) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'kube-system' },
  }))
}

function defaultRoles(): KubeObject[] {
  const plain = [
    ...Object.entries(publicRules).map(([name, rules]) => clusterRole(name, rules)),
    ...Object.entries(controllerRules).map(([name, rules]) =>
      clusterRole(`system:controller:${name}`, rules),
    ),
    ...Object.entries(workRules).map(([name, rules]) =>
      clusterRole(`system:aggregate-to-${name}`, rules, aggregateTo(name)),
    ),
    clusterRole('system:kube-scheduler', schedulerRules),
    clusterRole('system:node', nodeRules),
  ]
  // each is part of the next, so the rules of one are known before they are gathered
  return [
    ['view', aggregateTo('edit')] as const,
    ['edit', aggregateTo('admin')] as const,
    ['admin', {}] as const,
  ].reduce((roles, [name, labels]) => roles.concat(gathered(name, labels, roles)), plain)
}

function gathered(
  name: string,
  labels: Readonly<Record<string, string>>,
  others: readonly KubeObject[],
): KubeObject {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: aggregateTo(name) }] }
  const role = { ...clusterRole(name, [], labels), aggregationRule }
  return { ...role, rules: aggregatedRules(role, others) }
}

function defaultBindings(): KubeObject[] {
  const group = (name: string) => ({ kind: 'Group', apiGroup: rbacGroup, name })
  const all = group(authenticated)
  return [
    bind('cluster-admin', group(privilegedGroup)),
    bind('system:basic-user', all),
    bind('system:discovery', all),
    bind('system:public-info-viewer', all, group(unauthenticated)),
    bind('system:kube-scheduler', {
      kind: 'User',
      apiGroup: rbacGroup,
      name: 'system:kube-scheduler',
    }),
    bind('system:node', group('system:nodes')),
    ...Object.keys(controllerRules).map((name) =>
      bind(`system:controller:${name}`, { kind: 'ServiceAccount', namespace: 'kube-system', name }),
    ),
  ]
}

function clusterRole(
  name: string,
  rules: readonly Rule[],
  labels: Readonly<Record<string, string>> = {},
): KubeObject {
  const metadata = { name, labels: { ...bootstrapping, ...labels } }
  return { apiVersion, kind: 'ClusterRole', metadata, rules }
}

/** Of the ClusterRole of the same name. */
function bind(name: string, ...subjects: readonly object[]): KubeObject {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: bootstrapping },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    subjects,
  }
}
