import type { IncomingMessage } from 'node:http'
import type { KubeObject, StoredObject, User } from '../objects.ts'
import type { Resource } from '../resources/resource.ts'
import type { RequestInfo, ResourceRequest } from './path.ts'

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
  authenticate(request: IncomingMessage, info: RequestInfo): Promise<User>
  authorize(user: User, info: RequestInfo): void
  /** What the server itself fills in before anybody judges. */
  mutate(write: Admitted): KubeObject | undefined
  validate(write: Admitted): void
}
