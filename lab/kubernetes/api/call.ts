import type { IncomingMessage } from 'node:http'
import type { StoredObject, User } from '../objects.ts'
import { managerOf } from '../patch/managed-fields.ts'
import { collectionOf } from '../resources/registry.ts'
import type { Resource } from '../resources/resource.ts'
import type { Place } from '../store/change.ts'
import type { ResourceRequest } from './path.ts'
import type { Shape } from './shape.ts'

/** One request about a resource that is served, by somebody who may make it. */
export interface Call {
  readonly request: IncomingMessage
  readonly info: ResourceRequest
  readonly resource: Resource
  readonly query: URLSearchParams
  readonly user: User
  readonly shape: Shape
  readonly dryRun: boolean
  /** Told to the caller in `Warning` headers. */
  readonly warnings: string[]
}

export function placeOf(
  { resource, info }: Pick<Call, 'resource' | 'info'>,
  name = info.name,
): Place {
  const namespace = resource.namespaced ? info.namespace : ''
  return { collection: collectionOf(resource), namespace, name }
}

/** Who writes, as managed fields name it: asked for, or the program by its user agent. */
export function fieldManager({ query, request }: Pick<Call, 'query' | 'request'>): string {
  return managerOf(query.get('fieldManager')?.slice(0, 128), request.headers['user-agent'])
}

/** What was asked for and what it came to. */
export interface Answer {
  readonly code: number
  readonly body: object
  /** Of one object: shown in the shape that was asked for. */
  readonly object?: StoredObject
}
