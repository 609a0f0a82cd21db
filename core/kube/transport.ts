import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { ClusterConfig, TlsMaterial } from './config.ts'

/** More than any program of ours needs at once; watches hold one connection each. */
const maxConnections = 128
const connectTimeoutMs = 5_000
/** Below the idle timeouts of common load balancers, so that they do not cut under a request. */
const keepAliveMs = 30_000

export type HeaderValues = Readonly<Record<string, string | readonly string[]>>

export interface Outgoing {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
}

export interface Incoming {
  readonly status: number
  readonly headers: HeaderValues
  readonly body: Readable
}

/** The connection failed. `sent: false` proves that not one byte of the request left. */
export class TransportError extends Error {
  readonly sent: boolean

  constructor(sent: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message || cause.name : String(cause), { cause })
    this.name = 'TransportError'
    this.sent = sent
  }
}

/** One keep-alive pool to one API server, HTTP/1.1. Replaced when the TLS material changes. */
export class Transport {
  readonly #config: ClusterConfig
  readonly #dispatchers = new Set<Dispatcher>()
  #current: { tls: TlsMaterial; print: string; dispatcher: Dispatcher } | undefined
  #closed = false

  constructor(config: ClusterConfig) {
    this.#config = config
  }

  /**
   * Sends one request once and resolves with the head of the answer; an abort after that destroys
   * the body.
   * @throws TransportError
   */
  async open(outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
    const { headers, tls } = await this.#config.credentials(signal)
    if (this.#closed) throw new TransportError(false, new Error('the client is closed'))
    const dispatcher = this.#dispatcherFor(tls)
    const { origin, pathname } = this.#config.server
    const options: Dispatcher.DispatchOptions = {
      origin,
      path: `${pathname === '/' ? '' : pathname.replace(/\/$/, '')}${outgoing.path}`,
      method: outgoing.method,
      headers: [...Object.entries(headers), ...outgoing.headers].flat(),
      body: outgoing.body ?? null,
    }
    return new Promise((resolve, reject) => {
      dispatcher.dispatch(options, new Exchange(signal, resolve, reject))
    })
  }

  /** Cuts every connection, watches included. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#dispatchers].map((one) => one.destroy()))
  }

  #dispatcherFor(tls: TlsMaterial): Dispatcher {
    if (this.#current?.tls === tls) return this.#current.dispatcher
    const print = fingerprint(tls)
    if (this.#current?.print === print) {
      this.#current = { ...this.#current, tls }
      return this.#current.dispatcher
    }
    const dispatcher = this.#connect(tls)
    const retired = this.#current?.dispatcher
    this.#current = { tls, print, dispatcher }
    this.#dispatchers.add(dispatcher)
    // running requests end on the old certificate, none starts on it
    void retired?.close().finally(() => this.#dispatchers.delete(retired))
    return dispatcher
  }

  #connect(tls: TlsMaterial): Dispatcher {
    const { server, proxyUrl } = this.#config
    const connect = {
      ...tls,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: 10_000,
    }
    const options = {
      connections: maxConnections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAliveMs,
      // deadlines are ours, one per request
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    if (proxyUrl === undefined) return new Pool(server.origin, { ...options, connect })
    return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: connect, proxyTunnel: true })
  }
}

function fingerprint(tls: TlsMaterial): string {
  const hash = createHash('sha256')
  for (const part of [
    tls.ca,
    tls.cert,
    tls.key,
    tls.servername,
    String(tls.rejectUnauthorized),
  ].flat()) {
    const bytes =
      typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part ?? null)
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest('hex')
}

/** Follows one request through undici, which calls `onRequestStart` right before the first byte. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal
  readonly #resolve: (incoming: Incoming) => void
  readonly #reject: (error: TransportError) => void
  readonly #onAbort = () => this.#abort()
  #controller: Dispatcher.DispatchController | undefined
  #body: Readable | undefined

  constructor(
    signal: AbortSignal,
    resolve: (incoming: Incoming) => void,
    reject: (error: TransportError) => void,
  ) {
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    if (signal.aborted) this.#abort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  #abort(): void {
    const reason = asError(this.#signal.reason)
    this.#fail(reason)
    this.#controller?.abort(reason)
  }

  #fail(error: Error): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (this.#body) this.#body.destroy(error)
    else this.#reject(new TransportError(this.#controller !== undefined, error))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // aborted while queued or connecting: the caller was told "not sent", so keep it true
    if (this.#signal.aborted) controller.abort(asError(this.#signal.reason))
    else this.#controller = controller
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    const body = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        this.#signal.removeEventListener('abort', this.#onAbort)
        if (!body.readableEnded) controller.abort(error ?? new Error('no longer needed'))
        done(error)
      },
    })
    // whoever reads the body sees the error; without a reader it must not end the process
    body.on('error', () => {})
    this.#body = body
    const known = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    )
    this.#resolve({ status, headers: Object.fromEntries(known), body })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause()
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#body?.push(null)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

export interface Deadline {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly clear: () => void
}

/**
 * A signal that aborts with the caller's or after `timeoutMs`; `clear` it when the work is done.
 */
export function deadline(timeoutMs: number, signal?: AbortSignal): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${timeoutMs} ms`)),
    timeoutMs,
  )
  const onAbort = () => controller.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    timeoutMs,
    clear: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** Reads a body to its end. @throws TransportError when it is cut, Error beyond `limit` bytes */
export async function readBody(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  body.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > limit) body.destroy(new TooLarge(limit))
    else chunks.push(chunk)
  })
  try {
    await finished(body)
  } catch (error) {
    throw error instanceof TooLarge ? error : new TransportError(true, error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export class TooLarge extends Error {
  constructor(limit: number) {
    super(`the answer exceeds ${limit} bytes; ask for less, with a limit or selector`)
  }
}
