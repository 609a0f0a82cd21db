import type { KubeObject } from '../objects.ts'
import type { Column, Resource } from '../resources/resource.ts'
import { apiVersionOf } from '../resources/resource.ts'

/** How the caller wants objects: whole, as rows to print, or their metadata alone. */
export type Shape = 'object' | 'table' | 'tableOfObjects' | 'metadata'

const named: Readonly<Record<string, Shape>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
}

/** The first media type of `Accept` that can be served; JSON where none of it says otherwise. */
export function shapeOf(accept: string | undefined, includeObject: string | null = null): Shape {
  const shape = acceptedShape(accept)
  return shape === 'table' && includeObject === 'Object' ? 'tableOfObjects' : shape
}

function acceptedShape(accept: string | undefined): Shape {
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3)
    if (as === undefined) return 'object'
    const shape = named[as]
    if (shape !== undefined && parameters.includes('g=meta.k8s.io')) return shape
  }
  return 'object'
}

interface ListMeta {
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

/** One object in the shape that was asked for. */
export function shaped(shape: Shape, resource: Resource, object: KubeObject, now: number): object {
  switch (shape) {
    case 'table':
    case 'tableOfObjects': {
      const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' }
      return table(resource, [object], metadata, now, shape)
    }
    case 'metadata':
      return metadataOf(object)
    default:
      return object
  }
}

/** Many of them. */
export function shapedList(
  shape: Shape,
  resource: Resource,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  now: number,
): object {
  switch (shape) {
    case 'table':
    case 'tableOfObjects':
      return table(resource, objects, metadata, now, shape)
    case 'metadata':
      return {
        ...{ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata },
        items: objects.map(metadataOf),
      }
    default:
      return {
        ...{ kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata },
        // of built-in kinds the items do not say again what they are
        items: resource.custom === undefined ? objects.map(bare) : objects,
      }
  }
}

function bare({ kind: _, apiVersion: __, ...rest }: KubeObject): object {
  return rest
}

function metadataOf({ metadata }: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

export function table(
  { columns }: Pick<Resource, 'columns'>,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  now: number,
  shape: Shape = 'table',
): object {
  return {
    ...{ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata },
    columnDefinitions: columns.map(definition),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      object: shape === 'tableOfObjects' ? object : metadataOf(object),
    })),
  }
}

function definition({ name, type, description, priority }: Column): object {
  const format = name === 'Name' ? 'name' : ''
  return { name, type: type === 'date' ? 'string' : type, format, description, priority }
}
