import { canonical } from '@jackstay/contract/json'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { applyConfiguration } from '../patch/apply.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { type FieldsWrite, managedFieldsAfter } from '../patch/managed-fields.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { resetFields } from '../patch/reset-fields.ts'
import { asHeld, type Shape, shapeOfCustomKind, shapeOfKind } from '../patch/shapes.ts'
import { applyStrategicMergePatch } from '../patch/strategic.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { timestamp } from '../timestamp.ts'
import { decoded } from './body.ts'
import { badRequest } from './status.ts'

export const applyType = 'application/apply-patch+yaml'
const strategicType = 'application/strategic-merge-patch+json'
const always = ['application/json-patch+json', 'application/merge-patch+json']
/** Of kinds whose lists are not known, patches that need no more than the object. */
export const plainPatches: readonly string[] = [...always, applyType]
/** Every form that a patch may have. */
export const patchTypes: readonly string[] = [...always, strategicType, applyType]

/** A patch as it came. */
export interface Patch {
  readonly type: string
  readonly text: string
  readonly manager: string
  /** Of an apply: takes fields over. */
  readonly force: boolean
}

/** One write by somebody, as far as it is about who owns what. */
interface Write {
  readonly manager: string
  readonly subresource: string
  readonly now: number
}

/** Media types of patches that the resource takes. */
export function acceptedPatches({ custom }: Resource): readonly string[] {
  return custom === undefined ? patchTypes : plainPatches
}

/**
 * The object after the patch; `live` is undefined where an apply makes it.
 * @throws PatchRefusal, ApiError 400
 */
export function patched(
  resource: Resource,
  live: KubeObject | undefined,
  { type, text, manager, force }: Patch,
  write: Omit<Write, 'manager'>,
): KubeObject {
  const patch = decoded(text, type)
  if (type === applyType) {
    if (!isRecord(patch)) throw badRequest('the configuration is no object')
    const fields = fieldsWrite(resource, { ...write, manager })
    return applyConfiguration(live, asObject(patch), { ...fields, kind: resource.kind, force })
  }
  if (live === undefined) throw new TypeError('only an apply makes an object')
  switch (type) {
    case strategicType:
      return asObject(applyStrategicMergePatch(live, patch, shapeOf(resource)))
    case 'application/json-patch+json':
      return asObject(applyJsonPatch(live, patch))
    default:
      return asObject(applyMergePatch(live, patch))
  }
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** What kubectl applies here it goes by when it applies by itself again, where it did so before. */
export function saidAgain(
  next: KubeObject,
  live: KubeObject | undefined,
  { manager, text, type }: Patch,
): KubeObject {
  const known = live?.metadata.annotations?.[lastApplied]
  if (manager !== 'kubectl' || known === undefined) return next
  const said = `${canonical(decoded(text, type))}\n`
  const annotations = { ...next.metadata.annotations, [lastApplied]: said }
  return { ...next, metadata: { ...next.metadata, annotations } }
}

/** The object as the server keeps it: without what says nothing, with what its kind always has. */
export function held(resource: Resource, object: KubeObject): KubeObject {
  return asObject(asHeld(object, shapeOf(resource)))
}

/** Who owns which field after a write that was no apply. */
export function ownersAfter(
  resource: Resource,
  before: KubeObject | undefined,
  after: KubeObject,
  write: Write,
): KubeObject['metadata']['managedFields'] {
  return managedFieldsAfter(before, after, fieldsWrite(resource, write))
}

function fieldsWrite(resource: Resource, { manager, subresource, now }: Write): FieldsWrite {
  const apiVersion = apiVersionOf(resource)
  const { kind, custom, subresources } = resource
  const hasStatus = subresources.includes('status')
  const known = { apiVersion, kind, hasStatus, isCustom: custom !== undefined }
  const reset = resetFields(known, subresource)
  return { manager, apiVersion, subresource, shape: shapeOf(resource), reset, time: timestamp(now) }
}

const shapesOfCustom = new WeakMap<KubeObject, Map<string, Shape>>()

function shapeOf({ custom, version, ...resource }: Resource): Shape {
  if (custom === undefined)
    return shapeOfKind(apiVersionOf({ ...resource, version }), resource.kind) ?? {}
  const known = shapesOfCustom.get(custom) ?? new Map<string, Shape>()
  shapesOfCustom.set(custom, known)
  const shape = known.get(version) ?? shapeOfCustomKind(custom, version)
  known.set(version, shape)
  return shape
}

function asObject(map: Readonly<Record<string, unknown>>): KubeObject {
  const { metadata } = map
  return { ...map, metadata: isRecord(metadata) ? metadata : {} }
}
