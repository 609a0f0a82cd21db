import type { User } from '../objects.ts'
import { badRequest, isStatus, quote, type Status } from '../status.ts'
import { type Attributes, forbiddenRequest, onResource } from './attributes.ts'
import { type Wanted, wantedUser } from './impersonation-headers.ts'
import type { Rbac } from './rbac.ts'
import {
  anonymous,
  authenticated,
  nodeOf,
  privilegedGroup,
  serviceAccountGroups,
  serviceAccountOf,
  unauthenticated,
} from './user-names.ts'

/** By lower-case name, as Node's `headersDistinct` gives them. */
export type Headers = Readonly<Record<string, readonly string[] | undefined>>

/**
 * As whom a request is judged: the requester, or whom its headers name if the requester may. Tried first
 * are the constrained ways (KEP-5284): each asks for a right to do just this request as somebody, and then
 * for rights to be them. Last comes the old one, by the verb `impersonate` alone. Refused by all, the
 * answer is the first one's, as a real server gives it.
 */
export function impersonate(
  rights: Rbac,
  requester: User,
  headers: Headers,
  asked: Attributes,
): User | Status {
  const wanted = wantedUser(headers)
  if (wanted === undefined) return requester
  if (isStatus(wanted)) return wanted
  const answers = ways(requester, wanted)
    .values()
    .map((way) => tried(rights, requester, wanted, asked, way))
  let first: Status | undefined
  for (const answer of answers) {
    if (!isStatus(answer)) return answer
    first ??= answer
  }
  return first ?? badRequest('nobody can be impersonated this way')
}

interface Way {
  /** Undefined: the old one, which knows no constraint. */
  readonly constraint?: 'arbitrary-node' | 'associated-node' | 'serviceaccount' | 'user-info'
}

function ways(requester: User, wanted: Wanted): Way[] {
  const isNode = nodeOf(wanted.username) !== undefined
  const isAccount = serviceAccountOf(wanted.username) !== undefined
  const { uid, groups, extra } = wanted
  const nameAlone = uid === '' && groups.length === 0 && Object.keys(extra).length === 0
  const own = requester.extra['authentication.kubernetes.io/node-name'] ?? []
  const associated =
    serviceAccountOf(requester.username) !== undefined &&
    own.length === 1 &&
    own[0] === nodeOf(wanted.username)
  return [
    ...(isNode && nameAlone && associated ? [{ constraint: 'associated-node' } as const] : []),
    ...(isNode && nameAlone ? [{ constraint: 'arbitrary-node' } as const] : []),
    ...(isAccount && nameAlone ? [{ constraint: 'serviceaccount' } as const] : []),
    ...(isNode || isAccount ? [] : [{ constraint: 'user-info' } as const]),
    {},
  ]
}

function tried(
  rights: Rbac,
  requester: User,
  wanted: Wanted,
  asked: Attributes,
  { constraint }: Way,
): User | Status {
  const refused = (what: Attributes) => rights.refusal(requester, what)
  if (constraint !== undefined) {
    const on = refused({ ...asked, verb: `impersonate-on:${constraint}:${asked.verb}` })
    if (on !== undefined) return on
  }
  const verb = constraint === undefined ? 'impersonate' : `impersonate:${constraint}`
  const constrained = constraint !== undefined
  const forbidden = (what: Attributes, why: string) =>
    forbiddenRequest(requester.username, what, why)
  const refusal =
    refused(nameAttributes(verb, constraint, wanted.username)) ??
    (wanted.uid === '' ? undefined : refused(identity(verb, 'uids', wanted.uid))) ??
    groupRefusal({ verb, constrained, wanted, refused, forbidden }) ??
    extraRefusal({ verb, constrained, wanted, refused, forbidden })
  return refusal ?? impersonated(wanted, constraint)
}

interface Check {
  readonly verb: string
  readonly constrained: boolean
  readonly wanted: Wanted
  refused(what: Attributes): Status | undefined
  forbidden(what: Attributes, why: string): Status
}

const group = 'authentication.k8s.io'
/** From so many on, one right to all of a kind is tried before one for each. */
const many = 4

function identity(verb: string, resource: string, name: string, subresource = ''): Attributes {
  return onResource({ verb, group, resource, name, subresource })
}

/** Users and groups were in the core group before ways could be constrained. */
function nameAttributes(verb: string, constraint: Way['constraint'], username: string): Attributes {
  const asked = { verb, group: constraint === undefined ? '' : group }
  const account = serviceAccountOf(username)
  if (account !== undefined)
    return onResource({ ...asked, resource: 'serviceaccounts', ...account })
  const node = constraint === undefined ? undefined : nodeOf(username)
  if (node === undefined) return onResource({ ...asked, resource: 'users', name: username })
  const name = constraint === 'associated-node' ? '*' : node
  return onResource({ ...asked, resource: 'nodes', name })
}

function groupRefusal({
  verb,
  constrained,
  wanted,
  refused,
  forbidden,
}: Check): Status | undefined {
  const { groups } = wanted
  const to = (name: string) =>
    onResource({ verb, group: constrained ? group : '', resource: 'groups', name })
  if (constrained && groups.includes('')) {
    return forbidden(to(''), 'impersonating the empty string group is not allowed')
  }
  if (constrained && groups.includes(privilegedGroup)) {
    const why = 'impersonating the system:masters group is not allowed'
    return forbidden(to(privilegedGroup), why)
  }
  if (constrained && groups.length >= many && refused(to('*')) === undefined) return undefined
  return first(groups, (name) => refused(to(name)))
}

function extraRefusal({
  verb,
  constrained,
  wanted,
  refused,
  forbidden,
}: Check): Status | undefined {
  const pairs = Object.entries(wanted.extra).flatMap(([key, values]) =>
    values.map((value) => [key, value] as const),
  )
  const to = (key: string, value: string) => identity(verb, 'userextras', value, key)
  const wrong = constrained ? extraError(wanted.extra) : undefined
  if (wrong !== undefined) return forbidden(to('', ''), wrong)
  const isLarge = pairs.length >= many || Object.keys(wanted.extra).length >= many
  if (constrained && isLarge && refused(to('*', '*')) === undefined) return undefined
  return first(pairs, ([key, value]) => refused(to(key, value)))
}

function extraError(extra: Wanted['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed'
    if (!/^[^/]+\/./.test(key)) {
      const why = 'must be a domain-prefixed path (such as "acme.io/foo")'
      return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${quote(key)}: ${why}`
    }
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${quote(key)}`
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed'
  }
  return undefined
}

function impersonated(
  { username, uid, groups, extra }: Wanted,
  constraint: Way['constraint'],
): User {
  const account = serviceAccountOf(username)
  const given =
    constraint !== undefined && nodeOf(username) !== undefined
      ? ['system:nodes']
      : account !== undefined && groups.length === 0
        ? serviceAccountGroups(account.namespace)
        : groups
  const added = username === anonymous ? unauthenticated : authenticated
  const isComplete = given.includes(added) || given.includes(unauthenticated)
  return {
    username,
    ...(uid !== '' && { uid }),
    groups: isComplete ? given : [...given, added],
    extra,
  }
}

function first<T>(
  items: readonly T[],
  refusal: (item: T) => Status | undefined,
): Status | undefined {
  for (const item of items) {
    const refused = refusal(item)
    if (refused !== undefined) return refused
  }
  return undefined
}
