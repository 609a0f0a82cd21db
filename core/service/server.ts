import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIP, isIPv4, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { JackstayError } from '@jackstay/contract/errors'
import type { ServerState, ServiceEnv } from './app.ts'
import { connections } from './connections.ts'
import { type Limits, limitsOf } from './limits.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export { type AppOptions, createApp, cutOff, drainSignal, knownAs, type ServiceEnv } from './app.ts'
export { extendDeadline, requestSignal } from './deadline.ts'
export { defaultLimits, type Limits } from './limits.ts'

/** PEM. With `ca`, clients must show a certificate it signed. */
export interface Tls {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

export interface ServeOptions {
  readonly name: string
  /** Made by `createApp`. */
  readonly app: {
    fetch(request: Request, env: ServiceEnv['Bindings']): Response | Promise<Response>
  }
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls?: Tls
  readonly limits?: Partial<Limits>
  readonly metrics: Metrics
  readonly log: Log
  /** Reasons for not being ready; empty means ready. */
  readonly ready: () => readonly string[]
  /** How long requests under way may take once the server closes (default 10,000). */
  readonly drainMs?: number
  /** How long the server still accepts after readiness turned false (default 0). */
  readonly lameDuckMs?: number
  /** Closes the server. */
  readonly signal?: AbortSignal
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  /** Not ready, accept nothing new, wait for what is under way, cut what is left. */
  close(): Promise<void>
  /** Resolves once closed, whoever closed it. */
  readonly closed: Promise<void>
}

/**
 * Serves `app` until closed.
 * @throws JackstayError `invalid_config`: no TLS beyond loopback, a port in use, a wrong key
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  assertPrivate(options)
  const draining = new AbortController()
  const ending = new AbortController()
  const work = new Work()
  const server = newServer(options)
  const refused = options.metrics.counter(
    'http_connections_refused_total',
    'connections closed because too many were open',
  )
  const held = connections(limitsOf(options.limits).maxConnections, () => refused.inc())
  const state: ServerState = {
    ready: options.ready,
    known: held.known,
    draining: draining.signal,
    ending: ending.signal,
  }
  const listener = getRequestListener((request, { incoming, outgoing }) => {
    if (!(incoming instanceof IncomingMessage && outgoing instanceof ServerResponse)) {
      throw new JackstayError('internal', 'not an HTTP/1.1 request')
    }
    return options.app.fetch(request, { incoming, outgoing, server: state })
  })
  server.on('request', (incoming, outgoing) => {
    work.begin()
    if (draining.signal.aborted) outgoing.shouldKeepAlive = false
    outgoing.once('close', () => work.end())
    void listener(incoming, outgoing)
  })
  server.on('connection', (socket: Socket) => held.opened(socket))
  server.on('drop', () => refused.inc())
  options.metrics.gaugeOf('http_requests_in_flight', 'requests under way', () => work.count)

  const port = await listen(server, options)
  const closed = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= drain({ server, work, draining, ending, options }).then(closed.resolve)
    return closing
  }
  options.signal?.addEventListener('abort', () => void close(), { once: true })
  if (options.signal?.aborted) void close()
  const host = isIP(options.host) === 6 ? `[${options.host}]` : options.host
  const url = `${options.tls ? 'https' : 'http'}://${host}:${port}`
  options.log.info({ url }, 'listening')
  return { url, port, close, closed: closed.promise }
}

/** Counts requests and tells when none is left. */
class Work {
  count = 0
  #idle = Promise.withResolvers<void>()

  begin(): void {
    this.count++
  }

  end(): void {
    this.count--
    if (this.count === 0) this.#idle.resolve()
  }

  /** Resolves with true once nothing is under way, with false after `ms`. */
  async idleWithin(ms: number): Promise<boolean> {
    if (this.count === 0) return true
    this.#idle = Promise.withResolvers()
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(this.count === 0), ms)
    void this.#idle.promise.then(() => resolve(true))
    return promise.finally(() => clearTimeout(timer))
  }
}

interface Draining {
  readonly server: Server
  readonly work: Work
  readonly draining: AbortController
  readonly ending: AbortController
  readonly options: ServeOptions
}

const lastWordsMs = 500

async function drain({ server, work, draining, ending, options }: Draining): Promise<void> {
  const { log, drainMs = 10_000, lameDuckMs = 0 } = options
  log.info({ inFlight: work.count, drainMs }, 'draining')
  draining.abort(new JackstayError('draining', 'the program is shutting down'))
  if (lameDuckMs > 0) await new Promise((resolve) => setTimeout(resolve, lameDuckMs))
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  if (!(await work.idleWithin(drainMs))) {
    log.warn({ inFlight: work.count }, 'requests given up')
    ending.abort(new JackstayError('draining', 'the program is shutting down'))
    await work.idleWithin(lastWordsMs)
  }
  server.closeAllConnections()
  await ended
  log.info('stopped listening')
}

function newServer({ tls, limits }: ServeOptions): Server {
  const { requestMs, maxRequestMs, headerMs, idleMs, maxConnections } = limitsOf(limits)
  const http = {
    headersTimeout: headerMs,
    // the app answers a slow body at `requestMs`; this catches what never gets there
    requestTimeout: requestMs + headerMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.max(10, Math.min(1000, headerMs / 4)),
    maxHeaderSize: 32 * 1024,
  }
  const server = tls
    ? newTlsServer(tls, { ...http, handshakeTimeout: headerMs })
    : createServer(http)
  // the app chooses which one goes; this is for what comes faster than it chooses
  server.maxConnections = maxConnections + 64
  server.timeout = maxRequestMs + idleMs
  return server
}

function newTlsServer({ cert, key, ca }: Tls, http: { handshakeTimeout: number }): Server {
  try {
    return createTlsServer({
      ...http,
      cert,
      key,
      minVersion: 'TLSv1.3',
      ...(ca && { ca, requestCert: true, rejectUnauthorized: true }),
    })
  } catch (cause) {
    throw new JackstayError(
      'invalid_config',
      'the TLS certificate or key is wrong; check both files',
      {
        cause,
      },
    )
  }
}

function assertPrivate({ host, tls }: ServeOptions): void {
  if (tls || isLoopback(host)) return
  throw new JackstayError(
    'invalid_config',
    `host \`${host}\` can be reached from outside: give a TLS certificate and key, or listen on 127.0.0.1`,
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: stop the program that holds it, or choose another port',
  EACCES: 'is not ours to take: choose a port above 1023',
  EADDRNOTAVAIL: 'is not an address of this machine: choose another host',
  ENOTFOUND: 'is not an address of this machine: choose another host',
}

function listen(server: Server, { host, port }: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const why = advice[cause.code ?? ''] ?? `cannot be listened on (${cause.code})`
      reject(new JackstayError('invalid_config', `\`${host}:${port}\` ${why}`, { cause }))
    }
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
