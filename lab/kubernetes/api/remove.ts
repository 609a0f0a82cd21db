import { isRecord } from '@jackstay/kube/resources'
import type { StoredObject } from '../objects.ts'
import { numberAt, textAt } from '../resources/columns.ts'
import { collectionOf } from '../resources/registry.ts'
import { timestamp } from '../timestamp.ts'
import { readOptions } from './body.ts'
import { type Answer, type Call, placeOf } from './call.ts'
import { selection } from './selectors.ts'
import { badRequest, otherThanThought, success } from './status.ts'
import { admitted, existing, isOver, type Writing } from './write.ts'

export interface Options {
  readonly kind: 'DeleteOptions'
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: string
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

/** Deletes one object, or begins to. @throws ApiError */
export async function remove(call: Call, writing: Writing): Promise<Answer> {
  const options = await optionsOf(call)
  const dry = { ...call, dryRun: call.dryRun || (options.dryRun ?? []).includes('All') }
  return removed(dry, existing(call, writing.store), options, writing)
}

/** Deletes whatever of a collection is selected. @throws ApiError */
export async function removeAll(call: Call, writing: Writing): Promise<Answer> {
  const { resource, info, query } = call
  const options = await optionsOf(call)
  const collection = collectionOf(resource)
  const namespace = resource.namespaced ? info.namespace : undefined
  const selects = selection(collection, query)
  const chosen = writing.store.list(collection, namespace).filter(selects)
  for (const object of chosen) {
    const { name } = object.metadata
    removed({ ...call, info: { ...info, name } }, object, options, writing)
  }
  const items = chosen.map(({ kind: _, apiVersion: __, ...rest }) => rest)
  const metadata = { resourceVersion: String(writing.store.revision) }
  return { code: 200, body: { kind: `${resource.kind}List`, apiVersion: 'v1', metadata, items } }
}

async function optionsOf({ request, query }: Call): Promise<Options> {
  const body = await readOptions(request)
  if (!isRecord(body)) throw badRequest('the body is no DeleteOptions')
  const policy = query.get('propagationPolicy')
  const grace = query.get('gracePeriodSeconds')
  const { preconditions, gracePeriodSeconds, propagationPolicy, dryRun } = body
  const asked = grace === null ? gracePeriodSeconds : Number(grace)
  const how = policy ?? propagationPolicy
  return {
    kind: 'DeleteOptions',
    ...(typeof asked === 'number' && { gracePeriodSeconds: asked }),
    ...(typeof how === 'string' && { propagationPolicy: how }),
    ...(isRecord(preconditions) && { preconditions }),
    ...(Array.isArray(dryRun) && { dryRun }),
  }
}

/** @throws ApiError when a precondition or a gate is against it */
export function removed(
  call: Call,
  before: StoredObject,
  options: Options,
  { store, gates, now }: Writing,
): Answer {
  const { resource, info, dryRun } = call
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { metadata } = before
  const why = otherThan({ uid, resourceVersion }, metadata)
  if (why !== undefined) throw otherThanThought(resource, info.name, why)
  gates.validate(admitted(call, 'DELETE', undefined, before, { ...options }))
  const next = marked(before, resource.kind, options, now())
  const done = success(resource, info.name, metadata.uid)
  if (dryRun)
    return isOver(next) ? { code: 200, body: done } : { code: 200, body: before, object: before }
  const place = placeOf(call)
  if (isOver(next)) {
    store.delete(place)
    return { code: 200, body: done }
  }
  if (metadata.deletionTimestamp !== undefined && options.gracePeriodSeconds === undefined) {
    return { code: 200, body: before, object: before }
  }
  const stored = store.put(place, next)
  return { code: 200, body: stored, object: stored }
}

function otherThan(
  {
    uid,
    resourceVersion,
  }: { readonly uid: string | undefined; readonly resourceVersion: string | undefined },
  is: StoredObject['metadata'],
): string | undefined {
  if (uid !== undefined && uid !== is.uid) {
    return `the UID in the precondition (${uid}) does not match the UID in record (${is.uid}). The object might have been deleted and then recreated`
  }
  if (resourceVersion === undefined || resourceVersion === is.resourceVersion) return undefined
  return `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${is.resourceVersion}). The object might have been modified`
}

const finalizerOf: Readonly<Record<string, string>> = {
  Foreground: 'foregroundDeletion',
  Orphan: 'orphan',
}

/** The object on its way out: since when, how long it has, and who has to agree. */
function marked(before: StoredObject, kind: string, options: Options, now: number): StoredObject {
  const { metadata } = before
  const { finalizers = [] } = metadata
  const added = finalizerOf[options.propagationPolicy ?? '']
  const all =
    added === undefined || finalizers.includes(added) ? finalizers : [...finalizers, added]
  const grace = graceOf(before, kind, options)
  const { generation } = metadata
  const first = metadata.deletionTimestamp === undefined
  return {
    ...before,
    ...(kind === 'Namespace' && {
      status: { ...(isRecord(before.status) && before.status), phase: 'Terminating' },
    }),
    metadata: {
      ...metadata,
      ...(first && generation !== undefined && { generation: generation + 1 }),
      ...(all.length > 0 && { finalizers: all }),
      deletionTimestamp: metadata.deletionTimestamp ?? timestamp(now + grace * 1000),
      ...{ deletionGracePeriodSeconds: grace },
    },
  }
}

/** Only Pods that a kubelet has take their time. */
function graceOf(before: StoredObject, kind: string, { gracePeriodSeconds }: Options): number {
  if (kind !== 'Pod' || textAt(before, 'spec.nodeName') === '') return 0
  const phase = textAt(before, 'status.phase')
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  return gracePeriodSeconds ?? numberAt(before, 'spec.terminationGracePeriodSeconds', 30)
}
