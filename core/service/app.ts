import { randomUUID } from 'node:crypto'
import { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { errorBody, errorCodes, JackstayError } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import { type Context, Hono, type Next } from 'hono'
import { routePath } from 'hono/route'
import { isSized, tooLarge } from './body.ts'
import { bearerIn } from './caller.ts'
import { type Connections, sourceOf } from './connections.ts'
import { Deadline } from './deadline.ts'
import { type Limits, limitsOf } from './limits.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { type Place, places } from './places.ts'

/** What `serve` tells the app about the server around it. */
export interface ServerState {
  /** Reasons for not being ready; empty means ready. */
  readonly ready: () => readonly string[]
  /** Fires when the server stops taking new work. */
  readonly draining: AbortSignal
  /** Fires when work still under way is given up. */
  readonly ending: AbortSignal
  /** A known caller speaks over this connection. */
  readonly known: Connections['known']
}

export interface ServiceEnv {
  Bindings: Partial<HttpBindings> & { server?: ServerState }
  Variables: { requestId: string; deadline: Deadline; place: Place }
}

export interface AppOptions {
  readonly name: string
  readonly log: Log
  readonly metrics: Metrics
  readonly limits?: Partial<Limits>
  /** Cleans error messages before they leave. */
  readonly redact?: (text: string) => string
  /**
   * Whose bearer token this is known to have been a while ago, without asking anybody. It decides about
   * places alone. Where it is given, routes call {@link knownAs} once they have checked credentials.
   */
  readonly recognise?: (token: string) => string | undefined
}

/**
 * An app that wears the shell: request id, metrics, health, deadline, body cap and errors as JSON.
 * Add routes to it and pass it to `serve`.
 */
export function createApp<E extends ServiceEnv = ServiceEnv>(options: AppOptions): Hono<E> {
  const limits = limitsOf(options.limits)
  const app = new Hono<E>()
  app.onError(answerError(options))
  app.notFound((c) => answerMissing(c, app))
  app.use(observe(options))
  app.get('/healthz', (c) => c.json({ status: 'ok', program: options.name }))
  app.get('/readyz', (c) => readiness(c, options))
  app.get('/metrics', async (c) => {
    const { contentType, text } = await options.metrics.expose()
    return c.body(text, 200, { 'content-type': contentType })
  })
  app.use(options.recognise ? place(limits, options.recognise) : admit(limits))
  app.use(hurry(limits))
  app.use((c, next) => {
    capBody(c, limits.bodyBytes)
    return next()
  })
  return app
}

/**
 * Fires when the program begins to shut down: a long poll then answers with what it has. Never
 * fires where no server is (`app.request()`).
 */
export function drainSignal(c: Context): AbortSignal {
  return stateOf(c)?.draining ?? new AbortController().signal
}

function stateOf(c: Context<ServiceEnv>): ServerState | undefined {
  return c.env?.server
}

function observe({ log, metrics }: AppOptions) {
  return async (c: Context, next: Next) => {
    const given = c.req.header('x-request-id') ?? ''
    const requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
    const startedAt = performance.now()
    c.set('requestId', requestId)
    answerHeader(c, 'x-request-id', requestId)
    answerHeader(c, 'x-content-type-options', 'nosniff')
    answerHeader(c, 'cache-control', 'no-store')
    await next()
    const pattern = routePath(c)
    const route = pattern === '*' || pattern === '/*' ? 'unmatched' : pattern
    const seconds = (performance.now() - startedAt) / 1000
    const { method } = c.req
    const { status } = c.res
    metrics.request({ method, route, status, seconds })
    log.debug({ requestId, method, route, status, seconds }, 'request answered')
  }
}

/** Where there is a server, past the objects that a web worker would need: they cost more than the rest. */
function answerHeader(c: Context<ServiceEnv>, name: string, value: string): void {
  const outgoing = c.env?.outgoing
  if (outgoing instanceof ServerResponse) outgoing.setHeader(name, value)
  else c.header(name, value)
}

function readiness(c: Context, { log }: AppOptions): Response {
  const state = stateOf(c)
  let reasons: readonly string[]
  try {
    reasons = state ? state.ready() : ['not served']
  } catch (err) {
    log.error({ err }, 'readiness check failed')
    reasons = ['the readiness check failed']
  }
  if (state?.draining.aborted) reasons = ['draining', ...reasons]
  return reasons.length === 0
    ? c.json({ ready: true, reasons }, 200)
    : c.json({ ready: false, reasons }, 503)
}

/** Bounds the work under way. */
function admit({ inFlight }: Limits) {
  let working = 0
  return async (_: Context, next: Next) => {
    if (working >= inFlight) {
      throw new JackstayError('overloaded', 'too many requests are being worked on; try again')
    }
    working++
    try {
      await next()
    } finally {
      working--
    }
  }
}

/** Gives each request a place: with its caller's where that is known, else with the strangers'. */
function place(limits: Limits, recognise: (token: string) => string | undefined) {
  const all = places({
    all: limits.inFlight,
    strangers: limits.strangers,
    perSource: limits.strangersPerSource,
    own: limits.ownPlaces,
  })
  return async (c: Context<ServiceEnv>, next: Next) => {
    const socket = c.env?.incoming?.socket
    const token = bearerIn(c)
    const caller = token && recognise(token)
    const taken = all.take(sourceOf(socket ?? {}), caller)
    if (caller && socket) stateOf(c)?.known(socket, caller)
    c.set('place', taken)
    try {
      await next()
    } finally {
      taken.leave()
    }
  }
}

/**
 * The credentials of this request are `caller`'s: from now on it has that one's place and time.
 * @throws JackstayError `overloaded`
 */
export function knownAs(c: Context<ServiceEnv>, caller: string): void {
  const taken = c.get('place')
  if (taken === undefined || taken.known) return
  taken.knownAs(caller)
  const socket = c.env?.incoming?.socket
  if (socket) stateOf(c)?.known(socket, caller)
  c.get('deadline').extend(c.get('deadline').wholeMs)
}

/** Ends the connection: no request on it is answered, this one included. */
export function cutOff(c: Context<ServiceEnv>): void {
  c.env?.incoming?.socket?.destroy()
}

/** Runs the rest under a deadline and answers for it when it does not. */
function hurry(limits: Limits) {
  return async (c: Context<ServiceEnv>, next: Next) => {
    const { requestMs, maxRequestMs, strangerMs } = limits
    const deadline = new Deadline(requestMs, maxRequestMs)
    if (c.get('place')?.known === false) deadline.extend(Math.min(strangerMs, requestMs))
    c.set('deadline', deadline)
    const letGo = watchEnds(c, deadline)
    try {
      await deadline.within(next())
      if (!c.env?.outgoing) letGo()
    } catch (error) {
      if (!c.env?.outgoing) letGo()
      throw error instanceof Error
        ? error
        : new JackstayError('internal', 'a handler threw no Error', { cause: error })
    }
  }
}

/** Ties the deadline to the client's connection, or to the request where there is none. */
function watchEnds(c: Context<ServiceEnv>, deadline: Deadline): () => void {
  const ending = stateOf(c)?.ending
  const giveUp = () => {
    deadline.abort(new JackstayError('draining', 'the program is shutting down; send it again'))
  }
  const letGo = () => {
    deadline.end()
    ending?.removeEventListener('abort', giveUp)
  }
  ending?.addEventListener('abort', giveUp, { once: true })
  const outgoing = c.env?.outgoing
  outgoing?.once('close', () => {
    letGo()
    if (!outgoing.writableFinished) deadline.leave()
  })
  // an answer under way when time is up is cut, else a slow reader would hold it for ever
  deadline.onOver(() => {
    if (outgoing?.headersSent && !outgoing.writableFinished) outgoing.destroy()
  })
  if (ending?.aborted) giveUp()
  return letGo
}

/** Holds every body to the cap, announced or not, and takes none that would have to be unpacked. */
function capBody(c: Context, maxBytes: number): void {
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new JackstayError(
      'invalid_request',
      `content-encoding \`${visible(encoding, 32)}\` is not accepted; send the body as it is`,
    )
  }
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const incoming = c.env?.incoming
  if (incoming && (isSized(c) || c.req.header('transfer-encoding') === undefined)) return
  const { body } = c.req.raw
  if (!body) return
  let size = 0
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength
      if (size > maxBytes) controller.error(tooLarge(maxBytes))
      else controller.enqueue(chunk)
    },
  })
  c.req.raw = new Request(c.req.raw, { body: body.pipeThrough(cap), duplex: 'half' })
}

function answerError({ log, redact = (text) => text }: AppOptions) {
  return (error: Error, c: Context): Response => {
    const requestId: unknown = c.get('requestId')
    const deadline: unknown = c.get('deadline')
    if (deadline instanceof Deadline && deadline.clientGone) {
      log.debug({ requestId, err: error }, 'client went away')
      return new Response(null, { status: 499 })
    }
    const known = error instanceof JackstayError && error.code !== 'internal'
    const shown = known ? error : new JackstayError('internal', `a bug of ours; see the log`)
    if (!known) log.error({ requestId, err: error }, 'request failed')
    else if (error.status >= 500) log.warn({ requestId, err: error }, 'request not served')
    // what is left of the body is not worth reading
    if (shown.code === 'too_large' || shown.code === 'too_slow') {
      const outgoing: unknown = c.env?.outgoing
      if (outgoing instanceof ServerResponse) outgoing.shouldKeepAlive = false
    }
    if (shown.status === 401) c.header('www-authenticate', 'Bearer')
    const again = shown.status === 429 || shown.status === 503 ? 1 : undefined
    const seconds = shown.retryAfterSeconds ?? again
    if (seconds !== undefined) c.header('retry-after', String(seconds))
    const body = errorBody(shown)
    return c.json(
      { error: { ...body.error, message: redact(body.error.message) } },
      errorCodes[shown.code].status,
    )
  }
}

/** The part of an app's router that tells which verbs a path has. */
interface Routed {
  readonly routes: readonly { readonly method: string }[]
  readonly router: {
    match(method: string, path: string): readonly [readonly unknown[], ...unknown[]]
  }
}

function answerMissing(c: Context, app: Routed): Response {
  const path = visible(c.req.path, 128)
  const allowed = allowedMethods(app, c.req.path)
  if (allowed.length === 0) {
    const error = new JackstayError('not_found', `no such path \`${path}\``)
    return c.json(errorBody(error), 404)
  }
  const verbs = allowed.join(', ')
  c.header('allow', verbs)
  const error = new JackstayError('method_not_allowed', `\`${path}\` takes ${verbs}`)
  return c.json(errorBody(error), 405)
}

function allowedMethods(app: Routed, path: string): string[] {
  const methods = new Set(app.routes.map((route) => route.method).filter((m) => m !== 'ALL'))
  return [...methods].filter((method) => {
    const [matches] = app.router.match(method, path)
    return matches.some((match) => {
      const route: unknown =
        Array.isArray(match) && Array.isArray(match[0]) ? match[0][1] : undefined
      return typeof route === 'object' && route !== null && Reflect.get(route, 'method') === method
    })
  })
}
