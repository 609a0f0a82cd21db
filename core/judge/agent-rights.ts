import { classNamespacePrefix } from '@jackstay/contract/kinds/agent-class'
import type { BindingObject, PolicyRule, RoleRef } from '@jackstay/contract/rbac'
import { podLogs, readRoles } from '@jackstay/contract/readable'

/** A binding that concerns agents. */
export interface AgentBinding {
  /** As people find it: `RoleBinding shop/edit`. */
  readonly name: string
  /** Of a RoleBinding. */
  readonly namespace: string | undefined
  readonly role: RoleRef
  /** Class namespaces whose agents, one or all, it names. */
  readonly classNamespaces: readonly string[]
  /** The group or user of everybody that it names, which agents are too. */
  readonly everybody: string | undefined
}

const userPrefix = 'system:serviceaccount:'
const groupPrefix = 'system:serviceaccounts:'
/** Every agent is of these, as every Pod's identity is, or may call itself so by leaving its token out. */
const everybody: Readonly<Record<string, readonly string[]>> = {
  Group: ['system:serviceaccounts', 'system:authenticated', 'system:unauthenticated'],
  User: ['system:anonymous'],
}

/** The binding where it concerns agents, else undefined. The API server refuses the same (T85). */
export function agentBinding({
  metadata,
  roleRef,
  subjects,
}: BindingObject): AgentBinding | undefined {
  const { name, namespace } = metadata
  const classNamespaces = subjects
    .map(({ kind, name: subject, namespace: of }) => {
      if (kind === 'ServiceAccount') return of || namespace || ''
      if (kind === 'User' && subject.startsWith(userPrefix)) {
        return subject.slice(userPrefix.length).split(':')[0] ?? ''
      }
      if (kind !== 'Group' || !subject.startsWith(groupPrefix)) return ''
      return subject.slice(groupPrefix.length)
    })
    .filter((of) => of.startsWith(classNamespacePrefix))
  const group = subjects.find(({ kind, name: of }) => everybody[kind]?.includes(of))?.name
  if (classNamespaces.length === 0 && group === undefined) return undefined
  return {
    name:
      namespace === undefined ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`,
    namespace,
    role: roleRef,
    classNamespaces: [...new Set(classNamespaces)],
    everybody: group,
  }
}

export function isReadRole({ kind, name }: RoleRef): boolean {
  return kind === 'ClusterRole' && Object.hasOwn(readRoles, name)
}

const looks: readonly string[] = ['get', 'list', 'watch']
const looksAtPaths: readonly string[] = ['get', 'head']
/** What everybody may ask about themselves, and nothing comes of it. */
const selfReviews: readonly string[] = [
  'selfsubjectreviews',
  'selfsubjectaccessreviews',
  'selfsubjectrulesreviews',
]

/** The first of a role's rights that is more than reading, such as `create pods/exec`; or undefined. */
export function beyondReading(rules: readonly PolicyRule[]): string | undefined {
  for (const { verbs, resources, nonResourceURLs } of rules) {
    const done = verbs.find((one) => !looksAtPaths.includes(one))
    if (done !== undefined && nonResourceURLs[0] !== undefined)
      return `${done} ${nonResourceURLs[0]}`
    for (const resource of resources) {
      if (selfReviews.includes(resource)) continue
      const verb = verbs.find((one) => !looks.includes(one)) ?? (isSecret(resource) && verbs[0])
      if (verb) return `${verb} ${resource}`
    }
  }
  return undefined
}

/** Reading it is more than reading: `get` alone runs commands by `pods/exec` (T36). */
function isSecret(resource: string): boolean {
  if (resource === 'secrets' || resource.includes('*')) return true
  const [, part] = resource.split('/')
  return part !== undefined && !['status', 'scale'].includes(part) && resource !== podLogs.resource
}

/**
 * Why the binding gives the agents of this namespace more than the fixed read roles, or undefined.
 * `beyond` is what `beyondReading` says of the role as it stands, undefined also where it is gone.
 */
export function excessOf(
  { name, role, classNamespaces, everybody: group }: AgentBinding,
  classNamespace: string,
  beyond: string | undefined,
): string | undefined {
  const named = classNamespaces.includes(classNamespace)
  if (named && !isReadRole(role)) {
    return `the ${name} gives agents of \`${classNamespace}\` the ${role.kind} \`${role.name}\``
  }
  if (beyond === undefined || (!named && group === undefined)) return undefined
  const whom = named ? `agents of \`${classNamespace}\`` : `\`${group}\`, and so agents,`
  return `the ${name} gives ${whom} \`${beyond}\` by the ${role.kind} \`${role.name}\``
}
