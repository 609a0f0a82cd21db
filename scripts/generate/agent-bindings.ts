import type { Manifest } from '@jackstay/contract/crd'
import { classNamespacePrefix } from '@jackstay/contract/kinds/agent-class'
import { podLogs, readRolePrefix } from '@jackstay/contract/readable'
import { policyWithBinding } from './policies.ts'
import { readRoleNames } from './reads.ts'

const rbac = { apiGroups: ['rbac.authorization.k8s.io'], apiVersions: ['*'] }
const listed = (values: readonly string[]) => `[${values.map((v) => `'${v}'`).join(', ')}]`

/**
 * Whether a subject is an agent, all agents of a class, or its name spelt as a user. Where the
 * namespace is left out, a RoleBinding means its own.
 */
const isAgent = [
  `(s.kind == 'ServiceAccount' && (s.?namespace.orValue('') == '' ? request.?namespace.orValue('') : s.namespace).startsWith('${classNamespacePrefix}'))`,
  `(s.kind == 'User' && s.name.startsWith('system:serviceaccount:${classNamespacePrefix}'))`,
  `(s.kind == 'Group' && s.name.startsWith('system:serviceaccounts:${classNamespacePrefix}'))`,
].join(' || ')

/** Refuses bindings that would give an agent more than the fixed read roles (T85). */
function bindingsPolicy(): Manifest[] {
  return policyWithBinding({
    name: 'jackstay-agents-bound',
    rule: {
      ...rbac,
      operations: ['CREATE', 'UPDATE'],
      resources: ['rolebindings', 'clusterrolebindings'],
    },
    matchConditions: [
      {
        name: 'names-an-agent',
        expression: `object.?subjects.orValue([]).exists(s, ${isAgent})`,
      },
      // what a wide binding of before gives stays as it was, so that its labels and finalizers can go
      {
        name: 'gives-anew',
        expression:
          "request.operation == 'CREATE' || object.?subjects.orValue([]) != oldObject.?subjects.orValue([])",
      },
    ],
    validations: [
      {
        expression: `object.roleRef.kind == 'ClusterRole' && object.roleRef.name in ${listed(readRoleNames)}`,
        reason: 'Forbidden',
        message: `agents hold no more than reads: a binding of theirs names a ClusterRole of docs/reference/reads.md, such as ${readRoleNames[0]}`,
      },
    ],
  })
}

/** Holds those roles to reading, whoever writes them: a binding only names a role (T85). */
function rolesPolicy(): Manifest[] {
  const everyRule = (condition: string) =>
    `object.?rules.orValue([]).all(r, r.?nonResourceURLs.orValue([]) == [] && ${condition})`
  const plain = (list: string, condition: string) => `r.?${list}.orValue([]).all(v, ${condition})`
  return policyWithBinding({
    name: 'jackstay-read-roles-read',
    rule: { ...rbac, operations: ['CREATE', 'UPDATE'], resources: ['clusterroles'] },
    matchConditions: [
      {
        name: 'is-read-role',
        expression: `object.metadata.name.startsWith('${readRolePrefix}')`,
      },
    ],
    validations: [
      {
        expression: `!has(object.aggregationRule) && ${everyRule(plain('verbs', "v in ['get', 'list', 'watch']"))}`,
        reason: 'Forbidden',
        message: `a ClusterRole ${readRolePrefix}* is for agents: it gets, lists and watches resources that it names itself`,
      },
      {
        // `get` alone runs commands by pods/exec, and reaches everything by nodes/proxy (T36)
        expression: everyRule(
          `${plain('resources', `v == '${podLogs.resource}' || !v.contains('/') && !v.contains('*') && !(v in ['secrets', 'configmaps'])`)} && ${plain('apiGroups', "v != '*'")}`,
        ),
        reason: 'Forbidden',
        message: `a ClusterRole ${readRolePrefix}* is for agents: no Secrets, no ConfigMaps, no wildcard, no subresource but ${podLogs.resource}`,
      },
    ],
  })
}

export function agentBindingPolicies(): Manifest[] {
  return [...bindingsPolicy(), ...rolesPolicy()]
}
