import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../objects.ts'
import { listAt, textAt } from '../resources/columns.ts'
import type { ObjectStore } from '../store/store.ts'
import { type Call, placeOf } from './call.ts'
import { isTrue } from './path.ts'
import { badRequest, notFound } from './status.ts'

/** What a container wrote: the kubelet's part. */
export interface ContainerLogs {
  /** Undefined where it has not run. `to` is when the run ended. */
  lines(
    pod: KubeObject,
    container: string,
    previous: boolean,
    now: number,
  ): { readonly lines: readonly LogLine[]; readonly isOver: boolean } | undefined
}

interface LogLine {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly text: string
}

export interface Logging {
  readonly store: ObjectStore
  readonly logs: ContainerLogs
  readonly now: () => number
  /** Ends whoever follows when the server stops. */
  readonly signal: AbortSignal
}

const everyMs = 500

/** Writes what a container said, and what it says from now on to whoever follows. @throws ApiError 400, 404 */
export function log(call: Call, response: ServerResponse, logging: Logging): void {
  const { query } = call
  const pod = logging.store.get(placeOf(call))
  if (pod === undefined) throw notFound(call.resource, call.info.name)
  const container = containerOf(pod, query.get('container') ?? '')
  const previous = isTrue(query.get('previous'))
  const now = logging.now()
  const found = logging.logs.lines(pod, container, previous, now)
  if (found === undefined) {
    // on no node yet: nobody can be asked
    if (textAt(pod, 'spec.nodeName') !== '') throw notRun(pod, container, previous)
    whole(response, '')
    return
  }
  const { lines } = found
  const text = written(chosen(lines, query, now), query)
  const limit = Number(query.get('limitBytes') ?? 0)
  const bytes = Buffer.from(text)
  const cut = limit > 0 && bytes.length > limit ? bytes.subarray(0, limit) : bytes
  const isFollowed = isTrue(query.get('follow')) && !previous && !found.isOver
  if (!isFollowed || cut.length < bytes.length) {
    whole(response, cut)
    return
  }
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.write(cut)
  follow(call, response, logging, { container, from: lines.at(-1)?.at ?? 0, uid: pod.metadata.uid })
}

interface Followed {
  readonly container: string
  /** When the newest line was written that is told already. */
  readonly from: number
  /** Of the Pod: another one of its name is not followed. */
  readonly uid: string
}

function follow(
  call: Call,
  response: ServerResponse,
  { store, logs, now, signal }: Logging,
  { container, from, uid }: Followed,
): void {
  let last = from
  const look = setInterval(() => {
    const pod = store.get(placeOf(call))
    const found = pod?.metadata.uid === uid ? logs.lines(pod, container, false, now()) : undefined
    const news = found?.lines.filter(({ at }) => at > last) ?? []
    if (news.length > 0) response.write(written(news, call.query))
    last = news.at(-1)?.at ?? last
    if (found === undefined || found.isOver) response.end()
  }, everyMs)
  const abort = () => response.end()
  signal.addEventListener('abort', abort, { once: true })
  response.once('close', () => {
    clearInterval(look)
    signal.removeEventListener('abort', abort)
  })
}

function whole(response: ServerResponse, text: string | Buffer): void {
  response.writeHead(200, {
    ...{ 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) },
  })
  response.end(text)
}

function chosen(lines: readonly LogLine[], query: URLSearchParams, now: number) {
  const seconds = query.get('sinceSeconds')
  const time = query.get('sinceTime')
  const since =
    seconds !== null ? now - Number(seconds) * 1000 : time === null ? 0 : Date.parse(time)
  const newer = lines.filter(({ at }) => at >= since)
  const tail = query.get('tailLines')
  return tail === null ? newer : newer.slice(Math.max(0, newer.length - Number(tail)))
}

function written(lines: readonly LogLine[], query: URLSearchParams): string {
  const stamped = isTrue(query.get('timestamps'))
  return lines
    .map(({ at, text }) => {
      // nine digits, as a container runtime writes them
      const time = new Date(at).toISOString().replace('Z', '000000Z')
      return stamped ? `${time} ${text}\n` : `${text}\n`
    })
    .join('')
}

function containerOf(pod: KubeObject, asked: string): string {
  const names = listAt(pod, 'spec.containers').map((one) => textAt(one, 'name'))
  const { name = '' } = pod.metadata
  if (asked !== '' && !names.includes(asked)) {
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const [only = '', ...more] = names
  if (asked === '' && more.length > 0) {
    const all = names.join(' ')
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all}]`)
  }
  return asked || only
}

function notRun(pod: KubeObject, container: string, previous: boolean): Error {
  const { name = '' } = pod.metadata
  if (previous) {
    return badRequest(`previous terminated container "${container}" in pod "${name}" not found`)
  }
  const status = listAt(pod, 'status.containerStatuses').find(
    (one) => textAt(one, 'name') === container,
  )
  const reason = textAt(status, 'state.waiting.reason', 'ContainerCreating')
  const isImage = reason === 'ErrImagePull' || reason === 'ImagePullBackOff'
  const why = isImage ? 'trying and failing to pull image' : reason
  return badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why}`)
}
