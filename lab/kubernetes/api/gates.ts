import type { IncomingMessage } from 'node:http'
import type { KubeObject, ManagedFieldsEntry, StoredObject, User } from '../objects.ts'
import type { Resource } from '../resources/resource.ts'
import type { PathRequest, ResourceRequest } from './path.ts'

/** A write as admission sees it. */
export interface Admitted {
  readonly info: ResourceRequest
  readonly resource: Resource
  readonly user: User
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly object: KubeObject | undefined
  readonly oldObject: StoredObject | undefined
  readonly dryRun: boolean
  /** Of the request: `CreateOptions`, `DeleteOptions` and so on. */
  readonly options: Readonly<Record<string, unknown>>
  readonly warn: (text: string) => void
}

/** Everybody who has a say in a request before it is served. Each throws an ApiError to refuse. */
export interface Gates {
  /** Who asks, as whom: impersonation included. */
  authenticate(request: IncomingMessage): Promise<User>
  authorize(user: User, request: ResourceRequest | PathRequest): void
  /** What the server itself fills in before anybody judges. */
  mutate(write: Admitted): KubeObject | undefined
  validate(write: Admitted): void
}

/** A patch in one of its forms. */
export interface Patch {
  readonly type: string
  readonly text: string
  readonly manager: string
  readonly force: boolean
}

/** How patches are applied, and who wrote which field is kept. */
export interface Patcher {
  /** Media types of patches that the resource takes. */
  accepted(resource: Resource): readonly string[]
  /** The object after the patch; `live` is undefined where an apply makes it. */
  patched(
    resource: Resource,
    live: StoredObject | undefined,
    patch: Patch,
    subresource: string,
  ): KubeObject
  /** Who owns which field after a write that was no apply. */
  managedFields(
    resource: Resource,
    write: {
      readonly before: KubeObject | undefined
      readonly after: KubeObject
      readonly manager: string
      readonly subresource: string
      readonly time: string
    },
  ): readonly ManagedFieldsEntry[]
}
