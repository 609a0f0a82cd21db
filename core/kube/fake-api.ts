import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type KubeClient } from './client.ts'
import type { Clock } from './clock.ts'
import { configFor } from './config.ts'
import { isRecord } from './resources.ts'

// For the tests of this package only: an API server of one kind, with faults on demand.

export interface Seen {
  readonly method: string
  readonly url: URL
  /** As sent: names and values by turns. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface Widget {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
  }
  readonly color: string
}

export const widgets = { apiVersion: 'test.dev/v1', kind: 'Widget', resource: 'widgets' }

type Answer = (request: Seen, response: ServerResponse) => void

/** A revision starts high so that text order and number order differ (9 and 10). */
export class FakeApi {
  readonly requests: Seen[] = []
  /** Answers used up first, in order; `undefined` passes one request on to the real behaviour. */
  readonly script: (Answer | undefined)[] = []
  /** Asked for each request beyond the script; what it gives back answers in the server's place. */
  meddle: (request: Seen) => Answer | undefined = () => undefined
  /** Watches are held open and told nothing, as by a server that is stuck. */
  muted = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #objects = new Map<string, Widget>()
  readonly #events: { revision: number; line: string }[] = []
  readonly #watches = new Set<ServerResponse>()
  readonly clients: KubeClient[] = []
  #revision = 8
  #uids = 0
  /** Watches and list pages from revisions below this are answered 410. */
  compacted = 0

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<FakeApi> {
    const api = new FakeApi()
    await api.listen(0)
    return api
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  client(timeoutMs = 5_000): KubeClient {
    const client = connect(configFor(`http://127.0.0.1:${this.port}`, { token: 'secret' }), {
      userAgent: 'test/1',
      timeoutMs,
    })
    this.clients.push(client)
    return client
  }

  get openWatches(): number {
    return this.#watches.size
  }

  lists(): Seen[] {
    return this.requests.filter(
      ({ method, url }) => method === 'GET' && !url.searchParams.has('watch'),
    )
  }

  watches(): Seen[] {
    return this.requests.filter(({ url }) => url.searchParams.has('watch'))
  }

  put(name: string, color: string, namespace = 'a'): Widget {
    const known = this.#objects.get(`${namespace}/${name}`)
    const revision = ++this.#revision
    const uid = known?.metadata.uid ?? `uid-${++this.#uids}`
    const object = {
      ...widget(name, color, namespace, uid),
      metadata: { name, namespace, uid, resourceVersion: String(revision) },
    }
    this.#objects.set(`${namespace}/${name}`, object)
    this.#emit(revision, { type: known ? 'MODIFIED' : 'ADDED', object })
    return object
  }

  remove(name: string, namespace = 'a'): void {
    const known = this.#objects.get(`${namespace}/${name}`)
    if (known === undefined) throw new Error(`no ${name}`)
    this.#objects.delete(`${namespace}/${name}`)
    const revision = ++this.#revision
    this.#emit(revision, {
      type: 'DELETED',
      object: { ...known, metadata: { ...known.metadata, resourceVersion: String(revision) } },
    })
  }

  /** Moves the revision without an event of ours, as other kinds do, and tells all watches. */
  bookmark(): string {
    const resourceVersion = String(++this.#revision)
    this.sendToWatches({
      type: 'BOOKMARK',
      object: { kind: 'Widget', apiVersion: 'test.dev/v1', metadata: { resourceVersion } },
    })
    return resourceVersion
  }

  compact(): void {
    this.compacted = this.#revision + 1
    this.#revision++
  }

  sendToWatches(event: unknown): void {
    for (const response of this.#watches) response.write(`${JSON.stringify(event)}\n`)
  }

  writeToWatches(text: string): void {
    for (const response of this.#watches) response.write(text)
  }

  /** In order, as at the end of timeoutSeconds. */
  endWatches(): void {
    for (const response of this.#watches) response.end()
    this.#watches.clear()
  }

  cutWatches(): void {
    for (const response of this.#watches) response.socket?.destroy()
    this.#watches.clear()
  }

  async stopListening(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cutWatches()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()))
    await this.stopListening()
  }

  #emit(revision: number, event: unknown): void {
    this.#events.push({ revision, line: JSON.stringify(event) })
    if (!this.muted) this.sendToWatches(event)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const url = new URL(request.url ?? '/', 'http://fake')
    const seen = { method: request.method ?? '', url, rawHeaders: request.rawHeaders, body }
    this.requests.push(seen)
    const scripted = this.script.shift() ?? this.meddle(seen)
    if (scripted !== undefined) scripted(seen, response)
    else if (url.searchParams.has('watch')) this.#watch(url, response)
    else if (seen.method === 'GET') this.#list(url, response)
    else json(response, 200, widget('w', 'red', 'a', 'uid-w'))
  }

  #list(url: URL, response: ServerResponse): void {
    const [at = String(this.#revision), from = '0'] = (url.searchParams.get('continue') ?? '')
      .split(':')
      .filter(Boolean)
    if (url.searchParams.has('continue') && Number(at) < this.compacted) {
      status(410, 'Expired')({}, response)
      return
    }
    const limit = Number(url.searchParams.get('limit') ?? '500')
    const all = [...this.#objects.values()].map(({ apiVersion: _a, kind: _k, ...rest }) => rest)
    const end = Number(from) + limit
    const metadata = {
      resourceVersion: at,
      ...(end < all.length ? { continue: `${at}:${end}` } : {}),
    }
    json(response, 200, {
      apiVersion: 'test.dev/v1',
      kind: 'WidgetList',
      metadata,
      items: all.slice(Number(from), end),
    })
  }

  #watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'))
    if (from < this.compacted) {
      status(410, 'Expired')({}, response)
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const { revision, line } of this.muted ? [] : this.#events)
      if (revision > from) response.write(`${line}\n`)
    this.#watches.add(response)
    response.on('close', () => this.#watches.delete(response))
  }
}

export function widget(name: string, color: string, namespace = 'a', uid = 'uid'): Widget {
  return {
    apiVersion: 'test.dev/v1',
    kind: 'Widget',
    metadata: { name, namespace, uid, resourceVersion: '1' },
    color,
  }
}

export function json(
  response: ServerResponse,
  code: number,
  value: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(code, {
    'content-type': 'application/json',
    'audit-id': 'audit-1',
    ...headers,
  })
  response.end(JSON.stringify(value))
}

export function status(
  code: number,
  reason: string,
  message = reason,
  headers: Record<string, string> = {},
) {
  return (_request: unknown, response: ServerResponse) =>
    json(
      response,
      code,
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message },
      headers,
    )
}

/** Takes the request and cuts the connection without an answer. */
export function cut(_request: unknown, response: ServerResponse): void {
  response.socket?.destroy()
}

/** Takes the request and never answers. */
export function hang(): void {}

export function headersOf(seen: Seen | undefined, name: string): string[] {
  const raw = seen?.rawHeaders ?? []
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name.toLowerCase())
}

export function colorOf(object: unknown): string {
  return isRecord(object) && typeof object.color === 'string' ? object.color : ''
}

/** Waits for a condition however long the machine takes; the limit only ends a failed test. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 30_000; i++) {
    if (condition()) return
    await sleep(2)
  }
  throw new Error(`never: ${what}`)
}

/** Time that moves only when told to. */
export class ManualClock implements Clock {
  #now = 1_000_000
  readonly #sleepers = new Set<{ dueAt: number; ms: number; wake: () => void }>()

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        dueAt: this.#now + ms,
        ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          resolve()
        },
      }
      if (signal.aborted) return resolve()
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  /** The delays somebody waits for now. */
  get pending(): number[] {
    return [...this.#sleepers].map(({ ms }) => ms).sort((a, b) => a - b)
  }

  advance(ms: number): void {
    this.#now += ms
    for (const sleeper of [...this.#sleepers]) if (sleeper.dueAt <= this.#now) sleeper.wake()
  }
}
