import { isDeepStrictEqual } from 'node:util'
import type { Identities } from '../identities.ts'
import type { KubeObject, StoredObject } from '../objects.ts'
import { collectionOf } from '../resources/registry.ts'
import { apiVersionOf, type FieldError, type Resource } from '../resources/resource.ts'
import { forCreate, forStatus, forUpdate } from '../resources/subresources.ts'
import type { Unversioned } from '../store/store.ts'
import { timestamp } from '../timestamp.ts'
import type { Call } from './call.ts'
import { badRequest, invalid, refusal } from './status.ts'

/** @throws ApiError 400 when the body is about something else than the path */
export function assertAbout({ resource, info }: Call, object: KubeObject): void {
  const expected = apiVersionOf(resource)
  if (object.apiVersion !== undefined && object.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (object.kind !== undefined && object.kind !== resource.kind) {
    throw badRequest(
      `the kind in the data (${object.kind}) does not match the expected kind (${resource.kind})`,
    )
  }
  const { namespace, name } = object.metadata
  if (
    resource.namespaced &&
    namespace !== undefined &&
    namespace !== '' &&
    namespace !== info.namespace
  ) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  }
  if (info.name !== '' && name !== undefined && name !== '' && name !== info.name) {
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${info.name})`,
    )
  }
}

/** Where what the server itself gives a new object comes from. */
export interface Giving {
  readonly ids: Identities
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** One of the objects that a cluster begins with. */
export function firstObject(resource: Resource, given: KubeObject, giving: Giving): Unversioned {
  const { name = '', namespace = '' } = given.metadata
  const uid = giving.ids.uid(collectionOf(resource), namespace, name)
  const metadata = { name, uid, creationTimestamp: timestamp(giving.now()) }
  const { withDefaults = (same: KubeObject) => same, firstStatus } = resource.strategy
  const filled = withDefaults({ ...given, ...(firstStatus && { status: firstStatus }) })
  return sameObject(filled, { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata })
}

/** A new object with everything the server gives it. @throws ApiError 400, 422 */
export function newborn(call: Call, given: KubeObject, { ids, now }: Giving): Unversioned {
  const { resource, info } = call
  const collection = collectionOf(resource)
  const namespace = resource.namespaced ? info.namespace : ''
  const { metadata } = given
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '') {
    // a real server calls it its own fault
    throw refusal(500, '', 'resourceVersion should not be set on objects to be created')
  }
  const { generateName: prefix = '' } = metadata
  const generated = () => (prefix === '' ? '' : ids.name(collection, namespace, prefix))
  const name = metadata.name || info.name || generated()
  const {
    uid: _,
    selfLink: __,
    deletionTimestamp: ___,
    ...kept
  } = { ...metadata, selfLink: undefined }
  const { firstStatus } = resource.strategy
  const begins = resource.subresources.includes('status') && firstStatus !== undefined
  const body = { ...forCreate(given, resource), ...(begins && { status: firstStatus }) }
  const object = {
    ...body,
    ...{ apiVersion: apiVersionOf(resource), kind: resource.kind },
    metadata: {
      ...kept,
      ...{ name, uid: ids.uid(collection, namespace, name), creationTimestamp: timestamp(now()) },
      ...(resource.namespaced && { namespace }),
      ...(counts(resource) && { generation: 1 }),
    },
  }
  const errors = [...nameErrors(name, resource), ...metadataErrors(object)]
  if (errors.length > 0) throw invalid(resource, name, errors)
  return object
}

/** What defaults or admission made of an object: whose it is stays. */
export function sameObject(
  next: KubeObject,
  { apiVersion, kind, metadata }: Unversioned,
): Unversioned {
  const { name, uid, creationTimestamp } = metadata
  return { ...next, apiVersion, kind, metadata: { ...next.metadata, name, uid, creationTimestamp } }
}

/** The object after an update, with what an update cannot change as it was. */
export function successor(
  { resource, info }: Call,
  given: KubeObject,
  before: StoredObject,
): Unversioned {
  const { uid, creationTimestamp, generation, deletionTimestamp } = before.metadata
  const grace = Reflect.get(before.metadata, 'deletionGracePeriodSeconds')
  const { name, namespace } = before.metadata
  const own = info.subresource === 'status' ? before.metadata : given.metadata
  const { managedFields = [] } = given.metadata
  return {
    ...writtenThrough(info.subresource, given, before, resource),
    ...{ apiVersion: apiVersionOf(resource), kind: resource.kind },
    metadata: {
      ...own,
      ...{ name, uid, creationTimestamp },
      ...(namespace !== undefined && { namespace }),
      ...(generation !== undefined && { generation }),
      ...(deletionTimestamp !== undefined && {
        deletionTimestamp,
        deletionGracePeriodSeconds: grace,
      }),
      ...(managedFields.length > 0 && { managedFields }),
    },
  }
}

/** What is left of a change that came through the object itself or one of its subresources. */
function writtenThrough(
  subresource: string,
  given: KubeObject,
  before: StoredObject,
  resource: Resource,
): KubeObject {
  switch (subresource) {
    case '':
      return forUpdate(given, before, resource)
    case 'finalize':
      return { ...before, spec: given.spec }
    default:
      return forStatus(given, before)
  }
}

/** Counted up where the change is one of what is wanted. */
export function withGeneration(
  resource: Resource,
  next: Unversioned,
  before: StoredObject,
): Unversioned {
  if (!counts(resource)) return next
  const changed = resource.strategy.isNewGeneration ?? wantsOtherwise
  const begins =
    next.metadata.deletionTimestamp !== undefined && before.metadata.deletionTimestamp === undefined
  if (!changed(next, before) && !begins) return next
  const generation = (before.metadata.generation ?? 1) + 1
  return { ...next, metadata: { ...next.metadata, generation } }
}

/** What is on its way out takes no more holds on it. */
export function finalizerErrors(next: KubeObject, before: StoredObject): readonly FieldError[] {
  if (before.metadata.deletionTimestamp === undefined) return []
  const had = before.metadata.finalizers ?? []
  const added = (next.metadata.finalizers ?? []).filter((one) => !had.includes(one))
  if (added.length === 0) return []
  const list = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
  return [{ field: 'metadata.finalizers', reason: 'FieldValueForbidden', message }]
}

/** Whether a write changes nothing, times of its managers apart. */
export function isSame(a: KubeObject, b: KubeObject): boolean {
  const bare = ({ metadata, ...rest }: KubeObject) => {
    const { resourceVersion: _, managedFields = [], ...kept } = metadata
    const owners = managedFields.map(({ time: __, ...entry }) => entry)
    return { ...rest, metadata: { ...kept, owners } }
  }
  return isDeepStrictEqual(withoutUndefined(bare(a)), withoutUndefined(bare(b)))
}

/** As it goes over the wire. */
export function withoutUndefined<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

function counts({ generation, custom }: Resource): boolean {
  return generation === true || custom !== undefined
}

function wantsOtherwise(next: KubeObject, before: KubeObject): boolean {
  const wanted = ({ metadata: _, status: __, ...rest }: KubeObject) => withoutUndefined(rest)
  return !isDeepStrictEqual(wanted(next), wanted(before))
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const rule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

/** Names of roles and bindings are anything that a path can hold. */
const rbac = 'rbac.authorization.k8s.io'
const pathSegment = /^(?!\.{1,2}$)[^/%]+$/

function nameErrors(name: string, { group }: Resource): readonly FieldError[] {
  const field = 'metadata.name'
  if (name === '') {
    const message = 'Required value: name or generateName is required'
    return [{ field, reason: 'FieldValueRequired', message }]
  }
  if (group === rbac ? pathSegment.test(name) : name.length <= 253 && subdomain.test(name))
    return []
  return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: "${name}": ${rule}` }]
}

const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

function metadataErrors({ metadata }: KubeObject): readonly FieldError[] {
  return Object.values(metadata.labels ?? {}).flatMap((value) => {
    if (typeof value === 'string' && value.length <= 63 && labelValue.test(value)) return []
    const message = `Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`
    return [{ field: 'metadata.labels', reason: 'FieldValueInvalid' as const, message }]
  })
}
