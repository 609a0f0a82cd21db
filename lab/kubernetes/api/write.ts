import type { Identities } from '../identities.ts'
import type { KubeObject, StoredObject } from '../objects.ts'
import { collectionOf } from '../resources/registry.ts'
import type { ObjectStore, Unversioned } from '../store/store.ts'
import { decoded, mediaType, readBody, readWritten } from './body.ts'
import { type Answer, type Call, fieldManager, placeOf } from './call.ts'
import { assertKnown, knownObject, knownPatched } from './field-validation.ts'
import type { Admitted, Gates } from './gates.ts'
import {
  acceptedPatches,
  applyType,
  held,
  ownersAfter,
  type Patch,
  patched,
  patchTypes,
  saidAgain,
} from './patcher.ts'
import { isTrue } from './path.ts'
import {
  assertAbout,
  finalizerErrors,
  isSame,
  newborn,
  sameObject,
  successor,
  withGeneration,
  withoutUndefined,
} from './prepare.ts'
import {
  alreadyExists,
  conflict,
  invalid,
  moved,
  notFound,
  refusal,
  unsupportedMediaType,
} from './status.ts'

export interface Writing {
  readonly store: ObjectStore
  readonly gates: Gates
  readonly ids: Identities
  readonly now: () => number
}

/** Makes an object. @throws ApiError */
export async function create(call: Call, writing: Writing): Promise<Answer> {
  const { object, text } = await readWritten(call.request)
  assertAbout(call, object)
  const given = knownObject(call, object, text)
  return made(call, newborn(call, given, writing), writing)
}

/** Replaces an object. @throws ApiError */
export async function update(call: Call, writing: Writing): Promise<Answer> {
  const { object, text } = await readWritten(call.request)
  assertAbout(call, object)
  const given = knownObject(call, object, text)
  const before = existing(call, writing.store)
  const { resource, info } = call
  const { resourceVersion = '', uid = '' } = given.metadata
  if (resourceVersion === '' && resource.custom !== undefined) {
    const message = 'Invalid value: 0: must be specified for an update'
    throw invalid(resource, info.name, [
      { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message },
    ])
  }
  if (uid !== '' && uid !== before.metadata.uid) throw wrongUid(call, uid, before)
  assertUnmoved(call, given, before)
  return replaced(call, before, given, 'update', writing)
}

/** Patches an object, or makes it by an apply. @throws ApiError */
export async function patch(call: Call, writing: Writing): Promise<Answer> {
  const { resource, info, request, query } = call
  const { store, now } = writing
  const type = mediaType(request)
  const accepted = acceptedPatches(resource)
  if (!patchTypes.includes(type)) {
    throw refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  }
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted)
  const isApply = type === applyType
  if (isApply && !query.get('fieldManager')) {
    const message = 'Required value: is required for apply patch'
    const missing = { field: 'fieldManager', reason: 'FieldValueRequired', message } as const
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [missing])
  }
  const text = await readBody(request)
  const given: Patch = {
    type,
    text,
    manager: fieldManager(call),
    force: isTrue(query.get('force')),
  }
  const live = store.get(placeOf(call))
  if (live === undefined && !isApply) throw notFound(resource, info.name)
  const { subresource } = info
  if (isApply) assertKnown(call, decoded(text, type))
  const changed = patched(resource, live, given, { subresource, now: now() })
  const next = isApply ? saidAgain(changed, live, given) : knownPatched(call, changed, type, text)
  if (live === undefined) {
    assertAbout(call, next)
    return made(call, newborn(call, next, writing), writing, true)
  }
  const { uid } = next.metadata
  if (uid !== undefined && uid !== live.metadata.uid) {
    const message = `Invalid value: "${uid}": field is immutable`
    throw invalid(resource, info.name, [
      { field: 'metadata.uid', reason: 'FieldValueInvalid', message },
    ])
  }
  assertUnmoved(call, next, live)
  assertAbout(call, next)
  return replaced(call, live, next, isApply ? 'apply' : 'update', writing)
}

/** Who says of which state he writes is held to it. @throws ApiError 409 */
export function assertUnmoved(
  { resource, info }: Call,
  { metadata: { resourceVersion = '' } }: KubeObject,
  before: StoredObject,
): void {
  if (resourceVersion === '' || resourceVersion === before.metadata.resourceVersion) return
  throw conflict(resource, info.name, moved)
}

/** An object under its name. @throws ApiError 404 */
export function existing(call: Call, store: ObjectStore): StoredObject {
  const found = store.get(placeOf(call))
  if (found === undefined) throw notFound(call.resource, call.info.name)
  return found
}

function made(call: Call, object: Unversioned, writing: Writing, isApply = false): Answer {
  const { resource, dryRun } = call
  const { store, gates } = writing
  const { name } = object.metadata
  const filled = defaulted(call, object)
  const complete = isApply ? filled : owned(call, undefined, filled, writing.now())
  const write = admitted(call, 'CREATE', complete, undefined, { kind: 'CreateOptions' })
  const final = withoutUndefined(mutated(complete, write, gates))
  gates.validate({ ...write, object: final })
  const errors = resource.strategy.validate?.(final) ?? []
  if (errors.length > 0) throw invalid(resource, name, errors)
  const place = { ...placeOf(call, name), collection: collectionOf(resource) }
  if (store.get(place) !== undefined) throw alreadyExists(resource, name)
  const stored = dryRun ? unstored(final, '') : store.put(place, final)
  return { code: 201, body: stored, object: stored }
}

function replaced(
  call: Call,
  before: StoredObject,
  given: KubeObject,
  how: 'update' | 'apply',
  writing: Writing,
): Answer {
  const { resource, info, dryRun } = call
  const { store, gates } = writing
  const next = withoutUndefined(defaulted(call, successor(call, given, before)))
  const counted = withGeneration(resource, next, before)
  const tracked = how === 'apply' ? counted : owned(call, before, counted, writing.now())
  const write = admitted(call, 'UPDATE', tracked, before, { kind: 'UpdateOptions' })
  const final = mutated(tracked, write, gates)
  gates.validate({ ...write, object: final })
  const { validate, validateUpdate } = resource.strategy
  const errors = [
    ...finalizerErrors(final, before),
    ...(validate?.(final) ?? []),
    ...(validateUpdate?.(final, before) ?? []),
  ]
  if (errors.length > 0) throw invalid(resource, info.name, errors)
  if (isSame(final, before)) return { code: 200, body: before, object: before }
  const stored = dryRun
    ? unstored(final, before.metadata.resourceVersion)
    : kept(call, final, store)
  return { code: 200, body: stored, object: stored }
}

/** The object with its managed fields after a write that was no apply. */
export function owned(
  call: Call,
  before: StoredObject | undefined,
  after: Unversioned,
  now: number,
): Unversioned {
  const { resource, info } = call
  const write = { manager: fieldManager(call), subresource: info.subresource, now }
  const managedFields = ownersAfter(resource, before, after, write)
  const { managedFields: _, ...metadata } = after.metadata
  return { ...after, metadata: { ...metadata, ...(managedFields && { managedFields }) } }
}

/** Stores it; with its last finalizer gone what is being deleted is gone. */
function kept(call: Call, final: Unversioned, store: ObjectStore): StoredObject {
  const place = placeOf(call)
  const stored = store.put(place, final)
  return isOver(stored) ? (store.delete(place) ?? stored) : stored
}

/** Whether nothing holds an object any more that is being deleted. */
export function isOver({ metadata, spec }: KubeObject): boolean {
  const grace = Reflect.get(metadata, 'deletionGracePeriodSeconds')
  const finalizers = (spec as { finalizers?: readonly string[] } | undefined)?.finalizers ?? []
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    finalizers.length === 0 &&
    !(typeof grace === 'number' && grace > 0)
  )
}

function defaulted({ resource }: Call, object: Unversioned): Unversioned {
  const { withDefaults = (same: KubeObject) => same } = resource.strategy
  return sameObject(withDefaults(held(resource, object)), object)
}

function mutated(object: Unversioned, write: Admitted, gates: Gates): Unversioned {
  return sameObject(gates.mutate(write) ?? object, object)
}

function unstored(object: Unversioned, resourceVersion: string): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } }
}

export function admitted(
  { info, resource, user, dryRun, warnings }: Call,
  operation: Admitted['operation'],
  object: KubeObject | undefined,
  oldObject: StoredObject | undefined,
  options: Readonly<Record<string, unknown>>,
): Admitted {
  const warn = (text: string) => void warnings.push(text)
  const meta = { apiVersion: 'meta.k8s.io/v1', ...options, ...(dryRun && { dryRun: ['All'] }) }
  return { info, resource, user, operation, object, oldObject, dryRun, options: meta, warn }
}

function wrongUid({ resource, info }: Call, uid: string, { metadata }: StoredObject) {
  const { collection, namespace, name } = placeOf({ resource, info })
  const parts = ['/registry', collection.split('.')[0], namespace, name]
  const key = parts.filter((part) => part !== '').join('/')
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`
  return conflict(resource, info.name, why)
}
