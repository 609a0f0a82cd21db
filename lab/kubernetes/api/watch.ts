import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../objects.ts'
import { collectionOf } from '../resources/registry.ts'
import { apiVersionOf } from '../resources/resource.ts'
import type { Change } from '../store/change.ts'
import type { ObjectStore } from '../store/store.ts'
import type { Call } from './call.ts'
import { revisionOf } from './list.ts'
import { isTrue } from './path.ts'
import { selection } from './selectors.ts'
import { shaped } from './shape.ts'
import { expired } from './status.ts'

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

/** A watch without an end of its own is ended after a while, as a real server does. */
const longestMs = 30 * 60_000
const bookmarkMs = 30_000
/** Bytes that wait for a reader who does not read; who has more is cut off. */
const mostBuffered = 16 * 1024 * 1024

export interface Watching {
  readonly store: ObjectStore
  readonly now: () => number
  /** Ends every watch when the server stops. */
  readonly signal: AbortSignal
}

/** Tells what is and what happens to a collection until its time is up or the client has gone. */
export function watch(
  call: Call,
  response: ServerResponse,
  { store, now, signal }: Watching,
): void {
  const { resource, query, info, shape } = call
  const collection = collectionOf(resource)
  const namespace = resource.namespaced && info.namespace !== '' ? info.namespace : undefined
  const selects = selection(collection, query)
  const asked = query.get('resourceVersion') ?? ''
  const initial = asked === '' || asked === '0' || isTrue(query.get('sendInitialEvents'))
  const past = initial ? [] : store.since(revisionOf(asked))
  const write = (type: EventType, object: object) => {
    // its time is up, and the socket is not closed yet
    if (response.writableEnded) return
    if (response.writableLength > mostBuffered) response.destroy()
    else response.write(`${JSON.stringify({ type, object })}\n`)
  }
  const tell = (type: EventType, object: KubeObject) =>
    write(type, shaped(shape, resource, object, now()))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  if (past === undefined) {
    write('ERROR', expired(revisionOf(asked), store.revision).status)
    response.end()
    return
  }
  const heard = (change: Change) => {
    const { place } = change
    if (place.collection !== collection) return
    if (namespace !== undefined && place.namespace !== namespace) return
    const event = eventOf(change, selects)
    if (event !== undefined) tell(event.type, event.object)
  }
  const bookmark = (annotations?: Readonly<Record<string, string>>) => {
    const metadata = {
      resourceVersion: String(store.revision),
      ...(annotations && { annotations }),
    }
    tell('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata })
  }
  if (initial) {
    for (const object of store.list(collection, namespace))
      if (selects(object)) tell('ADDED', object)
  }
  for (const change of past) heard(change)
  const marks = isTrue(query.get('allowWatchBookmarks'))
  if (isTrue(query.get('sendInitialEvents')) && marks)
    bookmark({ 'k8s.io/initial-events-end': 'true' })
  const stop = store.listen(heard)
  const every = marks ? setInterval(bookmark, bookmarkMs) : undefined
  const seconds = Number(query.get('timeoutSeconds') ?? 0)
  const ended = setTimeout(() => response.end(), seconds > 0 ? seconds * 1000 : longestMs)
  const abort = () => response.end()
  signal.addEventListener('abort', abort, { once: true })
  response.once('close', () => {
    stop()
    clearInterval(every)
    clearTimeout(ended)
    signal.removeEventListener('abort', abort)
  })
}

/** What a watch with a selection sees of a change: what leaves the selection is gone for it. */
function eventOf(
  { before, after, revision }: Change,
  selects: (object: KubeObject) => boolean,
): { readonly type: EventType; readonly object: KubeObject } | undefined {
  const was = before !== undefined && selects(before)
  const is = after !== undefined && selects(after)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: after }
  if (!was) return undefined
  // also of what only left the selection: its last state within, at the revision of now
  const metadata = { ...before.metadata, resourceVersion: String(revision) }
  return { type: 'DELETED', object: { ...before, metadata } }
}
