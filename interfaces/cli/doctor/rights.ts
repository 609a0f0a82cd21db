import { catalogue } from '@jackstay/actions/catalogue'
import { actionRoleName } from '@jackstay/contract/executor'
import { executorsNamespace } from '@jackstay/contract/namespaces'
import {
  type BindingObject,
  bindingObject,
  type PolicyRule,
  rbacVersion,
  roleObject,
} from '@jackstay/contract/rbac'
import { agentBinding, beyondReading, excessOf } from '@jackstay/judge/agent-rights'
import { type Finding, wrong } from './findings.ts'

/** What stands in the cluster; `rules` by `roleKey`. */
export interface Rights {
  readonly bindings: readonly BindingObject[]
  readonly rules: ReadonlyMap<string, readonly PolicyRule[]>
}

export const rightsKinds = ['rolebindings', 'clusterrolebindings', 'roles', 'clusterroles'] as const

/** Of objects as the API server lists them, by resource. */
export function rightsOf(
  objects: Readonly<Record<(typeof rightsKinds)[number], readonly unknown[]>>,
): Rights {
  const roles = [...objects.roles, ...objects.clusterroles].map((one) => roleObject.parse(one))
  return {
    bindings: [...objects.rolebindings, ...objects.clusterrolebindings].map((one) =>
      bindingObject.parse(one),
    ),
    rules: new Map(
      roles.map(({ metadata, rules }) => [roleKey(metadata.namespace, metadata.name), rules]),
    ),
  }
}

export const rightsIn = (resource: string) => ({ apiVersion: rbacVersion, resource })

function roleKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}

/** Of the role that is bound; none where it is gone. */
export function rulesOf(
  { metadata, roleRef }: BindingObject,
  { rules }: Rights,
): readonly PolicyRule[] {
  const namespace = roleRef.kind === 'Role' ? metadata.namespace : undefined
  return rules.get(roleKey(namespace, roleRef.name)) ?? []
}

/** As people find it, and how to take it away. */
export function shown({ metadata: { name, namespace } }: BindingObject): {
  readonly name: string
  readonly remove: string
} {
  return namespace === undefined
    ? { name: `ClusterRoleBinding ${name}`, remove: `kubectl delete clusterrolebinding ${name}` }
    : {
        name: `RoleBinding ${namespace}/${name}`,
        remove: `kubectl -n ${namespace} delete rolebinding ${name}`,
      }
}

/** Agents that hold more than reads, and executors that hold anything but the roles of actions (T85). */
export function widerRights(rights: Rights, classNamespaces: readonly string[]): Finding[] {
  return rights.bindings.flatMap((binding) => [
    ...agentsBeyond(binding, rights, classNamespaces),
    ...executorsBeyond(binding),
  ])
}

function agentsBeyond(
  binding: BindingObject,
  rights: Rights,
  classNamespaces: readonly string[],
): Finding[] {
  const found = agentBinding(binding)
  if (found === undefined) return []
  const beyond = beyondReading(rulesOf(binding, rights))
  const namespaces = new Set([...found.classNamespaces, ...classNamespaces])
  // what everybody gets is said once, whatever the number of classes
  const said = [...namespaces].map((namespace) => excessOf(found, namespace, beyond))
  return [...new Set(said)]
    .filter((why) => why !== undefined)
    .map((why) => wrong(why, `narrow it to people, or ${shown(binding).remove}`))
}

const actionRoles: ReadonlySet<string> = new Set(catalogue.map(({ name }) => actionRoleName(name)))
const executorUser = `system:serviceaccount:${executorsNamespace}:`

function executorsBeyond(binding: BindingObject): Finding[] {
  const { roleRef, subjects, metadata } = binding
  const executors = subjects.filter(
    ({ kind, name, namespace }) =>
      (kind === 'ServiceAccount' && (namespace || metadata.namespace) === executorsNamespace) ||
      (kind === 'User' && name.startsWith(executorUser)) ||
      (kind === 'Group' && name === `system:serviceaccounts:${executorsNamespace}`),
  )
  if (executors.length === 0) return []
  if (roleRef.kind === 'ClusterRole' && actionRoles.has(roleRef.name)) return []
  const { name, remove } = shown(binding)
  const what = `the ${name} gives the executor \`${executors[0]?.name}\` the ${roleRef.kind} \`${roleRef.name}\`, which is no action's`
  return [wrong(what, remove)]
}
