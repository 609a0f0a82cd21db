import { isDeepStrictEqual } from 'node:util'
import { bindingObject, type PolicyRule, policyRule, roleObject } from '@jackstay/contract/rbac'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject, User } from '../objects.ts'
import { forbidden, notFound, quote, type Status } from '../status.ts'
import { onResource } from './attributes.ts'
import { type Rbac, rbacGroup } from './rbac.ts'
import { compact, listText, missing, ruleText } from './rules.ts'
import { privilegedGroup } from './user-names.ts'

/** A write of a role or a binding, after admission and before it is stored. */
export interface RbacWrite {
  readonly user: User
  /** As the path says; empty for the cluster-wide kinds. */
  readonly namespace: string
  /** As the path says: empty when it is made. */
  readonly name: string
  readonly object: KubeObject
  readonly before?: KubeObject
}

const everything: readonly PolicyRule[] = [
  policyRule.parse({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
  policyRule.parse({ verbs: ['*'], nonResourceURLs: ['*'] }),
]

/** Refuses a Role or ClusterRole that grants more than its writer holds, unless they may `escalate`. */
export function roleEscalation(rights: Rbac, write: RbacWrite): Status | undefined {
  const { user, namespace, name, object, before } = write
  const resource = namespace === '' ? 'clusterroles' : 'roles'
  const group = rbacGroup
  const escalate = onResource({ verb: 'escalate', group, resource, namespace, name })
  if (rights.decide(user, escalate).allowed || onlyLetsGo(object, before)) return undefined
  const role = roleObject.parse(object)
  const refuse = (why: string) => forbidden({ group, resource }, role.metadata.name, why)
  const excess = notHeld(rights, user, namespace, role.rules)
  if (excess !== undefined) return refuse(excess)
  if (!aggregates(object) && !aggregates(before)) return undefined
  if (notHeld(rights, user, namespace, everything) === undefined) return undefined
  return refuse('must have cluster-admin privileges to use the aggregationRule')
}

/** Refuses a binding to a role that grants more than its writer holds, unless they may `bind` it. */
export function bindingEscalation(rights: Rbac, write: RbacWrite): Status | undefined {
  const { user, namespace, object, before } = write
  if (user.groups.includes(privilegedGroup) || onlyLetsGo(object, before)) return undefined
  const { roleRef, metadata } = bindingObject.parse(object)
  const roles = roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
  const group = rbacGroup
  const bind = onResource({ verb: 'bind', group, resource: roles, namespace, name: roleRef.name })
  if (rights.decide(user, bind).allowed) return undefined
  const rules = rights.rulesBehind(roleRef, namespace)
  const resource = namespace === '' ? 'clusterrolebindings' : 'rolebindings'
  if (rules === undefined) return notFound({ group, resource }, roleRef.name)
  const excess = notHeld(rights, user, namespace, rules)
  if (excess === undefined) return undefined
  return forbidden({ group, resource }, metadata.name, excess)
}

function notHeld(
  rights: Rbac,
  user: User,
  namespace: string,
  wanted: readonly PolicyRule[],
): string | undefined {
  const held = rights.rulesOf(user, namespace)
  const excess = compact(missing(held.rules, wanted))
  if (excess.length === 0) return undefined
  const texts = [...new Set(excess.map(ruleText))].sort()
  const who = `user ${quote(user.username)} (groups=${listText(user.groups)})`
  const errors = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.join(', ')}]`
  return `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}${errors}`
}

function aggregates(role: KubeObject | undefined): boolean {
  const rule = role?.aggregationRule
  if (!isRecord(rule)) return false
  return Array.isArray(rule.clusterRoleSelectors) && rule.clusterRoleSelectors.length > 0
}

/** Taking finalizers and owners away has to be possible for the collector, whatever a role grants. */
function onlyLetsGo(object: KubeObject, before: KubeObject | undefined): boolean {
  if (before === undefined) return false
  const rest = ({ metadata, ...fields }: KubeObject) => {
    const { finalizers: _f, ownerReferences: _o, managedFields: _m, ...meta } = metadata
    return { ...fields, metadata: meta }
  }
  return isDeepStrictEqual(rest(object), rest(before))
}
