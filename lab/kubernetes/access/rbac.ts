import {
  type BindingObject,
  bindingObject,
  type PolicyRule,
  type RoleRef,
  roleObject,
} from '@jackstay/contract/rbac'
import type { StoredObject, User } from '../objects.ts'
import { aggregate, quote, type Status } from '../status.ts'
import { type Attributes, forbiddenRequest } from './attributes.ts'
import type { Lister } from './lister.ts'
import { grants } from './rules.ts'
import { privilegedGroup, serviceAccountName } from './user-names.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'

export interface Decision {
  readonly allowed: boolean
  /** Who granted it, or what was wrong with the grants; as SubjectAccessReview gives it. */
  readonly reason: string
}

export interface HeldRules {
  readonly rules: readonly PolicyRule[]
  /** Bindings to roles that are not there. */
  readonly errors: readonly string[]
}

/** Who may do what, by the roles and bindings of the moment. */
export interface Rbac {
  decide(user: User, asked: Attributes): Decision
  /** The 403 if the user may not. */
  refusal(user: User, asked: Attributes): Status | undefined
  /** Everything granted in a namespace, or cluster-wide alone where it is empty. */
  rulesOf(user: User, namespace: string): HeldRules
  /** The rules of the role that a binding in `namespace` refers to, if it is there. */
  rulesBehind(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined
}

export function rbac(lister: Lister): Rbac {
  const rulesIn = onceEach((role) => roleObject.parse(role).rules)
  const bindingIn = onceEach((binding) => bindingObject.parse(binding))

  const rulesBehind: Rbac['rulesBehind'] = ({ kind, name }, namespace) => {
    const isRole = kind === 'Role'
    const collection = `${isRole ? 'roles' : 'clusterroles'}.${rbacGroup}`
    const role = lister.get({ collection, namespace: isRole ? namespace : '', name })
    return role && rulesIn(role)
  }

  function* grantsFor(user: User, namespace: string): Generator<Grant> {
    const wide = lister.list(`clusterrolebindings.${rbacGroup}`)
    const local = namespace === '' ? [] : lister.list(`rolebindings.${rbacGroup}`, namespace)
    for (const [bindings, within] of [[wide, ''] as const, [local, namespace] as const]) {
      for (const object of bindings) {
        const binding = bindingIn(object)
        const subject = binding.subjects.find((one) => isSubject(user, one, within))
        if (subject === undefined) continue
        const rules = rulesBehind(binding.roleRef, within)
        if (rules === undefined) yield { error: absent(binding.roleRef) }
        else yield { rules, source: () => describe(binding, subject, within) }
      }
    }
  }

  const decide: Rbac['decide'] = (user, asked) => {
    if (user.groups.includes(privilegedGroup)) return { allowed: true, reason: '' }
    const errors: string[] = []
    for (const grant of grantsFor(user, 'path' in asked ? '' : asked.namespace)) {
      if ('error' in grant) errors.push(grant.error)
      else if (grant.rules.some((rule) => grants(rule, asked))) {
        return { allowed: true, reason: `RBAC: allowed by ${grant.source()}` }
      }
    }
    // named twice: by the server's chain of authorizers, and by the one of RBAC itself
    return { allowed: false, reason: errors.length === 0 ? '' : `rbac: RBAC: ${aggregate(errors)}` }
  }

  return {
    decide,
    rulesBehind,
    refusal: (user, asked) => {
      const { allowed, reason } = decide(user, asked)
      return allowed ? undefined : forbiddenRequest(user.username, asked, reason)
    },
    rulesOf: (user, namespace) => {
      const all = [...grantsFor(user, namespace)]
      return {
        rules: all.flatMap((grant) => ('rules' in grant ? grant.rules : [])),
        errors: all.flatMap((grant) => ('error' in grant ? [grant.error] : [])),
      }
    },
  }
}

type Grant =
  | { readonly rules: readonly PolicyRule[]; readonly source: () => string }
  | { readonly error: string }

type Subject = BindingObject['subjects'][number]

/** In a RoleBinding a service account without namespace is one of the binding's own. */
function isSubject(user: User, subject: Subject, bindingNamespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return user.username === subject.name
    case 'Group':
      return user.groups.includes(subject.name)
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace
      return namespace !== '' && user.username === serviceAccountName(namespace, subject.name)
    }
    default:
      return false
  }
}

function describe({ metadata, roleRef }: BindingObject, subject: Subject, within: string): string {
  const binding =
    within === ''
      ? `ClusterRoleBinding ${quote(metadata.name)}`
      : `RoleBinding ${quote(`${metadata.name}/${within}`)}`
  const name =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace || within}`
      : subject.name
  return `${binding} of ${roleRef.kind} ${quote(roleRef.name)} to ${subject.kind} ${quote(name)}`
}

function absent({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.${rbacGroup} ${quote(name)} not found`
}

/** Parses each stored object once: it never changes, and every request asks for all bindings. */
function onceEach<T>(parse: (object: StoredObject) => T): (object: StoredObject) => T {
  const known = new WeakMap<StoredObject, T>()
  return (object) => {
    const parsed = known.get(object) ?? parse(object)
    known.set(object, parsed)
    return parsed
  }
}
