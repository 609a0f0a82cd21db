import type { KubeObject } from '../objects.ts'
import type { Resource } from './resource.ts'

type Served = Pick<Resource, 'subresources'>

/** What is left of a new object: a kind with a status of its own takes none from whoever makes it. */
export function forCreate(object: KubeObject, { subresources }: Served): KubeObject {
  if (!subresources.includes('status')) return object
  const { status: _, ...rest } = object
  return rest
}

/** What is left of a change of the object itself: its status stays. */
export function forUpdate(object: KubeObject, before: KubeObject, served: Served): KubeObject {
  const { status } = before
  if (!served.subresources.includes('status')) return object
  return { ...forCreate(object, served), ...(status !== undefined && { status }) }
}

/** What is left of a change of the status: all else stays. */
export function forStatus(object: KubeObject, before: KubeObject): KubeObject {
  const { managedFields } = object.metadata
  const { status } = object
  const { status: _, ...rest } = before
  return {
    ...rest,
    metadata: { ...before.metadata, ...(managedFields !== undefined && { managedFields }) },
    ...(status !== undefined && { status }),
  }
}
