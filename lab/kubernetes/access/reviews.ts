import type { PolicyRule } from '@jackstay/contract/rbac'
import { z } from 'zod'
import type { KubeObject, User } from '../objects.ts'
import type { FieldError } from '../resources/resource.ts'
import { aggregate, badRequest, invalid, quote, type Status } from '../status.ts'
import { timestamp } from '../timestamp.ts'
import { type Attributes, onResource } from './attributes.ts'
import type { Rbac } from './rbac.ts'

const apiVersion = 'authorization.k8s.io/v1'
/** The kind is missing in the real server's refusals too. */
const nameless = { group: 'authorization.k8s.io', resource: '' }

const text = z.string().default('')
const accessSpec = z.object({
  resourceAttributes: z
    .object({
      verb: text,
      group: text,
      resource: text,
      subresource: text,
      namespace: text,
      name: text,
    })
    .nullish(),
  nonResourceAttributes: z.object({ path: text, verb: text }).nullish(),
  user: text,
  uid: z.string().optional(),
  groups: z.array(z.string()).default([]),
  extra: z.record(z.string(), z.array(z.string())).default({}),
})
const accessReview = z.object({
  metadata: z.object({ namespace: z.string().optional() }).default({}),
  spec: accessSpec,
})
type AccessSpec = z.output<typeof accessSpec>

/** A SubjectAccessReview, answered. */
export function reviewAccess(rights: Rbac, body: unknown): KubeObject | Status {
  const review = accessReview.safeParse(body).data
  if (review === undefined) return unreadable('SubjectAccessReview')
  const errors = [...oneKind(review.spec), ...someSubject(review.spec)]
  if (errors.length > 0) return invalid(nameless, '', errors)
  return decided(rights, 'SubjectAccessReview', body, subjectOf(review.spec), review.spec)
}

/** A LocalSubjectAccessReview in the namespace of the path, answered. */
export function reviewLocalAccess(
  rights: Rbac,
  body: unknown,
  namespace: string,
): KubeObject | Status {
  const review = accessReview.safeParse(body).data
  if (review === undefined) return unreadable('LocalSubjectAccessReview')
  const { spec } = review
  const errors = [...oneKind(spec), ...someSubject(spec), ...within(spec, namespace)]
  if (errors.length > 0) return invalid(nameless, '', errors)
  const kind = 'LocalSubjectAccessReview'
  return decided(rights, kind, body, subjectOf(spec), spec, namespace)
}

/** A SelfSubjectAccessReview of whom the request is judged as, answered. */
export function reviewOwnAccess(rights: Rbac, body: unknown, user: User): KubeObject | Status {
  const review = accessReview.safeParse(body).data
  if (review === undefined) return unreadable('SelfSubjectAccessReview')
  const errors = oneKind(review.spec)
  if (errors.length > 0) return invalid(nameless, '', errors)
  return decided(rights, 'SelfSubjectAccessReview', body, user, review.spec)
}

const rulesReview = z.object({ spec: z.object({ namespace: text }).default({ namespace: '' }) })

/** A SelfSubjectRulesReview: all that one may in a namespace. */
export function reviewOwnRules(rights: Rbac, body: unknown, user: User): KubeObject | Status {
  const review = rulesReview.safeParse(body).data
  if (review === undefined) return unreadable('SelfSubjectRulesReview')
  if (review.spec.namespace === '') return badRequest('no namespace on request')
  const { rules, errors } = rights.rulesOf(user, review.spec.namespace)
  return {
    kind: 'SelfSubjectRulesReview',
    apiVersion,
    metadata: {},
    spec: {},
    status: {
      resourceRules: rules.filter(({ resources }) => resources.length > 0).map(resourceRule),
      nonResourceRules: rules
        .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
      ...(errors.length > 0 && { evaluationError: aggregate(errors) }),
    },
  }
}

/** A SelfSubjectReview: whom the request is judged as. `now` in milliseconds since the epoch. */
export function reviewSelf({ username, uid, groups, extra }: User, now: number): KubeObject {
  const userInfo = {
    username,
    ...(uid && { uid }),
    groups,
    ...(Object.keys(extra).length > 0 && { extra }),
  }
  return {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: timestamp(now) },
    status: { userInfo },
  }
}

function decided(
  rights: Rbac,
  kind: string,
  body: unknown,
  user: User,
  spec: AccessSpec,
  namespace?: string,
): KubeObject {
  const { allowed, reason } = rights.decide(user, attributesOf(spec))
  return {
    kind,
    apiVersion,
    metadata: namespace === undefined ? {} : { namespace },
    spec: z.object({ spec: z.unknown() }).parse(body).spec,
    status: { allowed, ...(reason !== '' && { reason }) },
  }
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: AccessSpec): Attributes {
  if (!resourceAttributes) {
    return { verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
  }
  return onResource(resourceAttributes)
}

function subjectOf({ user, uid, groups, extra }: AccessSpec): User {
  return { username: user, ...(uid && { uid }), groups, extra }
}

function oneKind({ resourceAttributes, nonResourceAttributes }: AccessSpec): FieldError[] {
  if (!resourceAttributes !== !nonResourceAttributes) return []
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [wrong('spec', pathText(nonResourceAttributes), why)]
}

function someSubject({ user, groups }: AccessSpec): FieldError[] {
  if (user !== '' || groups.length > 0) return []
  return [wrong('spec.user', '""', 'at least one of user or group must be specified')]
}

function within(
  { resourceAttributes, nonResourceAttributes }: AccessSpec,
  namespace: string,
): FieldError[] {
  const asked = resourceAttributes?.namespace
  const field = 'spec.resourceAttributes.namespace'
  return [
    ...(asked !== undefined && asked !== namespace
      ? [wrong(field, quote(asked), 'must match metadata.namespace')]
      : []),
    ...(nonResourceAttributes
      ? [
          wrong(
            'spec.nonResourceAttributes',
            pathText(nonResourceAttributes),
            'disallowed on this kind of request',
          ),
        ]
      : []),
  ]
}

function wrong(field: string, value: string, why: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${value}: ${why}` }
}

/** With the names that its fields have inside the real server. */
function pathText(asked: AccessSpec['nonResourceAttributes']): string {
  return asked ? JSON.stringify({ Path: asked.path, Verb: asked.verb }) : 'null'
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): object {
  return {
    verbs,
    ...(apiGroups.length > 0 && { apiGroups }),
    resources,
    ...(resourceNames.length > 0 && { resourceNames }),
  }
}

function unreadable(kind: string): Status {
  return badRequest(`the body cannot be handled as a ${kind}`)
}
