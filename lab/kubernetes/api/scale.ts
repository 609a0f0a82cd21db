import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject, StoredObject } from '../objects.ts'
import { at, labelsOf, listAt, mapAt, numberAt, textAt } from '../resources/columns.ts'
import type { Resource } from '../resources/resource.ts'
import { mediaType, readBody, readObject } from './body.ts'
import { type Answer, type Call, fieldManager, placeOf } from './call.ts'
import { patched, plainPatches } from './patcher.ts'
import { withGeneration } from './prepare.ts'
import { badRequest, conflict, invalid, moved, unsupportedMediaType } from './status.ts'
import { admitted, assertUnmoved, existing, owned, type Writing } from './write.ts'

/** What a patch of a Scale is applied as: a kind without lists. */
const scaleResource = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
} as const

/** Where a kind tells what a Scale shows. */
interface ScalePaths {
  readonly wanted: string
  readonly current: string
  readonly selector?: string
  /** Where nothing is wanted in so many words. */
  readonly otherwise: number
}

function scalePaths({ custom, version }: Resource): ScalePaths {
  const found = listAt(custom, 'spec.versions').find((one) => textAt(one, 'name') === version)
  const path = (name: string) => textAt(found, `subresources.scale.${name}`).replace(/^\./, '')
  const wanted = path('specReplicasPath')
  if (wanted === '') return { wanted: 'spec.replicas', current: 'status.replicas', otherwise: 1 }
  const selector = path('labelSelectorPath')
  return {
    ...{ wanted, current: path('statusReplicasPath'), otherwise: 0 },
    ...{ selector: selector || 'status.selector' },
  }
}

function withValue(map: unknown, [key = '', ...rest]: readonly string[], value: unknown): object {
  const fields = isRecord(map) ? map : {}
  return { ...fields, [key]: rest.length === 0 ? value : withValue(fields[key], rest, value) }
}

/** Reads or changes how many replicas a workload has, without the rest of it. @throws ApiError */
export async function scale(call: Call, writing: Writing): Promise<Answer> {
  const before = existing(call, writing.store)
  const paths = scalePaths(call.resource)
  const shown = scaleOf(before, paths)
  switch (call.info.verb) {
    case 'get':
      return { code: 200, body: shown }
    case 'update':
      return scaled(call, before, await readObject(call.request), paths, writing)
    default: {
      const type = mediaType(call.request)
      if (!plainPatches.includes(type)) throw unsupportedMediaType(plainPatches)
      const text = await readBody(call.request)
      const patch = { type, text, manager: fieldManager(call), force: false }
      const resource: Resource = { ...call.resource, ...scaleResource }
      const write = { subresource: 'scale', now: writing.now() }
      return scaled(call, before, patched(resource, shown, patch, write), paths, writing)
    }
  }
}

function scaleOf(object: StoredObject, paths: ScalePaths): StoredObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = numberAt(object, paths.wanted, paths.otherwise)
  const selector =
    paths.selector === undefined
      ? labelsOf(mapAt(object, 'spec.selector.matchLabels'))
      : textAt(object, paths.selector, '<none>')
  return {
    ...{ kind: 'Scale', apiVersion: 'autoscaling/v1' },
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    // none at all goes without saying
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: numberAt(object, paths.current),
      ...(selector !== '<none>' && { selector }),
    },
  }
}

function scaled(
  call: Call,
  before: StoredObject,
  wanted: KubeObject,
  paths: ScalePaths,
  writing: Writing,
): Answer {
  const { resource, info, dryRun } = call
  const { gates, store } = writing
  const replicas = at(wanted, 'spec.replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('`spec.replicas` is no integer')
  if (replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, info.name, [
      { field: 'spec.replicas', reason: 'FieldValueInvalid', message },
    ])
  }
  const { uid = '' } = wanted.metadata
  if (uid !== '' && uid !== before.metadata.uid) throw conflict(resource, info.name, moved)
  assertUnmoved(call, wanted, before)
  gates.validate(
    admitted(call, 'UPDATE', wanted, scaleOf(before, paths), { kind: 'UpdateOptions' }),
  )
  if (at(before, paths.wanted) === replicas) return { code: 200, body: scaleOf(before, paths) }
  const sized = { ...before, ...withValue(before, paths.wanted.split('.'), replicas) }
  const changed = withGeneration(resource, sized, before)
  const next = owned(call, before, changed, writing.now())
  const { resourceVersion: unmoved } = before.metadata
  const stored = dryRun
    ? { ...next, metadata: { ...next.metadata, resourceVersion: unmoved } }
    : store.put(placeOf(call), next)
  return { code: 200, body: scaleOf(stored, paths) }
}
