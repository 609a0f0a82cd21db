import { executorsNamespace } from '@jackstay/contract/namespaces'
import { bindingObject, rbacVersion, roleObject } from '@jackstay/contract/rbac'
import { readRoles } from '@jackstay/contract/readable'
import {
  type AgentBinding,
  agentBinding,
  beyondReading,
  excessOf,
  isReadRole,
} from '@jackstay/judge/agent-rights'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import { type Keeping, keep } from '../cluster/keeping.ts'

/** By which right a role goes beyond reading; roles that do not are left out. */
interface WideRole {
  readonly right: string
}

/** What agents may do is read where it is said: in bindings and roles, whoever made them. */
export interface RightsCaches {
  readonly bindings: WatchCache<AgentBinding>
  readonly clusterBindings: WatchCache<AgentBinding>
  readonly roles: WatchCache<WideRole>
  readonly clusterRoles: WatchCache<WideRole>
}

/** A large cluster has thousands of them, of which few concern agents: those alone are kept. */
export function openRightsCaches(client: KubeClient, keeping: Keeping): RightsCaches {
  const opened = <T>(resource: string, project: (object: KubeObject) => T | undefined) =>
    keep(client, [rbacVersion, resource], keeping, project)
  return {
    bindings: opened('rolebindings', projectBinding),
    clusterBindings: opened('clusterrolebindings', projectBinding),
    roles: opened('roles', projectRole),
    clusterRoles: opened('clusterroles', projectRole),
  }
}

export function projectBinding(object: KubeObject): AgentBinding | undefined {
  const found = agentBinding(bindingObject.parse(object))
  // what every class has, one for each role and namespace, is no news: the roles themselves are looked at
  return found?.everybody === undefined && found && isReadRole(found.role) ? undefined : found
}

export function projectRole(object: KubeObject): WideRole | undefined {
  const right = beyondReading(roleObject.parse(object).rules)
  return right === undefined ? undefined : { right }
}

type Kept = {
  readonly [name in keyof RightsCaches]: Pick<RightsCaches[name], 'get' | 'values'>
}

/**
 * Why the agents of a class namespace may do more than the fixed read roles say, or undefined. What
 * everybody gets in one namespace counts where `places` has it: whoever rules over a namespace could
 * stop every class otherwise.
 */
export function moreThanReads(
  caches: Kept,
  classNamespace: string,
  places: readonly string[] | 'anywhere' = [],
): string | undefined {
  const counts = ({ namespace, classNamespaces }: AgentBinding) =>
    namespace === undefined ||
    places === 'anywhere' ||
    classNamespaces.includes(classNamespace) ||
    [classNamespace, executorsNamespace, ...places].includes(namespace)
  for (const name of Object.keys(readRoles)) {
    const wide = caches.clusterRoles.get(undefined, name)
    if (wide !== undefined) return `the ClusterRole \`${name}\` lets agents \`${wide.right}\``
  }
  for (const cache of [caches.clusterBindings, caches.bindings]) {
    for (const binding of cache.values()) {
      if (!counts(binding)) continue
      const { kind, name } = binding.role
      const wide =
        kind === 'ClusterRole'
          ? caches.clusterRoles.get(undefined, name)
          : caches.roles.get(binding.namespace, name)
      const excess = excessOf(binding, classNamespace, wide?.right)
      if (excess !== undefined) return excess
    }
  }
  return undefined
}
