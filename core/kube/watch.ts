import { StringDecoder } from 'node:string_decoder'
import type { KubeClient, KubeList } from './client.ts'
import {
  asObject,
  collectionPath,
  isRecord,
  type KubeObject,
  type ResourceType,
} from './resources.ts'
import { parseStatus, readError } from './status.ts'

const pageSize = 500
/** An object in etcd has at most 1.5 MB; JSON and managed fields may double it a few times. */
const maxLineChars = 16 * 1024 * 1024

export interface WatchScope {
  readonly resource: ResourceType
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** The server sends no more of each object. */
  readonly metadataOnly?: boolean
  /** Of each page of a list. */
  readonly pageTimeoutMs: number
}

export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
      readonly object: KubeObject
      readonly resourceVersion: string
    }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

/** The pages of a consistent list. All but the last carry `continue`. @throws as `client.list` */
export async function* listPages(
  client: KubeClient,
  scope: WatchScope,
  signal: AbortSignal,
): AsyncGenerator<KubeList> {
  let next: string | undefined
  do {
    const page = await client.list(scope.resource, {
      ...selectors(scope),
      limit: pageSize,
      signal,
      timeoutMs: scope.pageTimeoutMs,
      ...form(scope, 'PartialObjectMetadataList'),
      ...(next === undefined ? {} : { continue: next }),
    })
    yield page
    next = page.continue
  } while (next !== undefined)
}

export interface WatchOptions {
  readonly resourceVersion: string
  /** After which the server ends the watch in order. */
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
  /** The server accepted the watch. */
  readonly onOpen: () => void
}

/**
 * The events after `resourceVersion`, until the server ends the watch in order.
 * @throws JackstayError as a read; for an ERROR event with its Status (410: list again); Error when cut
 */
export async function* watchEvents(
  client: KubeClient,
  scope: WatchScope,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const path = collectionPath(scope.resource, scope.namespace)
  const { labelSelector, fieldSelector } = selectors(scope)
  const body = await client.stream({
    path,
    query: {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
      labelSelector,
      fieldSelector,
    },
    signal: options.signal,
    ...form(scope, 'PartialObjectMetadata'),
  })
  options.onOpen()
  try {
    for await (const line of lines(body)) yield parseEvent(line, path)
  } finally {
    body.destroy()
  }
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of body) {
    const parts = (rest + decoder.write(chunk)).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxLineChars)
      throw new Error(`a watch event exceeds ${maxLineChars} characters`)
    for (const part of parts) if (part !== '') yield part
  }
  if (rest !== '') throw new Error('the watch ended within an event')
}

function parseEvent(line: string, path: string): WatchEvent {
  const event: unknown = JSON.parse(line)
  if (!isRecord(event)) throw new Error('a watch event is no object')
  if (event.type === 'ERROR') {
    const code =
      isRecord(event.object) && typeof event.object.code === 'number' ? event.object.code : 500
    throw readError(`watch ${path}`, parseStatus(code, event.object))
  }
  const object = asObject(event.object)
  const { resourceVersion } = object.metadata
  if (!resourceVersion) throw new Error('a watch event has no resourceVersion')
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object, resourceVersion }
    case 'BOOKMARK':
      return { type: event.type, resourceVersion }
    default:
      throw new Error(`unknown watch event \`${String(event.type)}\``)
  }
}

function selectors({ namespace, labelSelector, fieldSelector }: WatchScope) {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  }
}

/** A server that has no such form of a kind sends all of it. */
function form({ metadataOnly = false }: WatchScope, kind: string): { accept?: string } {
  if (!metadataOnly) return {}
  return { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` }
}
