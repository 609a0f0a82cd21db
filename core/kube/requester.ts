import type { Readable } from 'node:stream'
import { JackstayError } from '@jackstay/contract/errors'
import type {
  ApiRequest,
  ApiResponse,
  CallOptions,
  ConnectOptions,
  Query,
  StreamRequest,
} from './client.ts'
import { systemClock } from './clock.ts'
import type { ClusterConfig } from './config.ts'
import { type Impersonation, impersonationHeaders } from './impersonation.ts'
import { parseStatus, readError } from './status.ts'
import {
  type Deadline,
  deadline,
  type HeaderValues,
  type Outgoing,
  readBody,
  TooLarge,
  type Transport,
  TransportError,
} from './transport.ts'

const defaultTimeoutMs = 10_000
const maxBodyBytes = 64 * 1024 * 1024
const defaultRetryAfterMs = 1_000

/** Requests as one identity: headers, deadlines, the one repetition of reads, errors. */
export class Requester {
  readonly #config: ClusterConfig
  readonly #transport: Transport
  readonly #options: ConnectOptions
  readonly #who: readonly [string, string][]

  constructor(
    config: ClusterConfig,
    transport: Transport,
    options: ConnectOptions,
    who: Impersonation | undefined,
  ) {
    this.#config = config
    this.#transport = transport
    this.#options = options
    this.#who = who === undefined ? [] : impersonationHeaders(who)
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const read = isRead(request.method)
    const limit = this.#deadline(request)
    try {
      const first = await this.#attempt(request, limit.signal, read)
      const wait = read ? retryDelay(first) : undefined
      if (wait === undefined || wait >= limit.timeoutMs) return answered(first)
      await systemClock.sleep(wait, limit.signal)
      // out of time: the first answer is the best there is
      if (limit.signal.aborted) return answered(first)
      return answered(await this.#attempt(request, limit.signal, false))
    } finally {
      limit.clear()
    }
  }

  async stream(request: StreamRequest): Promise<Readable> {
    const limit = this.#deadline(request)
    const get = { method: 'GET', ...request }
    try {
      const { status, headers, body } = await this.#transport.open(
        this.#outgoing(get),
        limit.signal,
      )
      if (status < 300) {
        limit.clear()
        // the deadline was for the head; from here on the caller's signal alone ends the body
        const onAbort = () => body.destroy(new Error('the caller ended the stream'))
        request.signal?.addEventListener('abort', onAbort, { once: true })
        body.once('close', () => request.signal?.removeEventListener('abort', onAbort))
        if (request.signal?.aborted) onAbort()
        return body
      }
      if (status === 401) this.#config.invalidate()
      const text = parseBody(headers, await readBody(body, maxBodyBytes))
      throw readError(`GET ${request.path}`, parseStatus(status, text, headers))
    } catch (error) {
      throw this.#mapped(error, get, true)
    } finally {
      limit.clear()
    }
  }

  #deadline({ timeoutMs, signal }: CallOptions): Deadline {
    return deadline(timeoutMs ?? this.#options.timeoutMs ?? defaultTimeoutMs, signal)
  }

  /** One exchange. A failure is thrown, or returned when a second attempt may follow. */
  async #attempt(
    request: ApiRequest,
    signal: AbortSignal,
    retryable: boolean,
  ): Promise<ApiResponse | JackstayError> {
    try {
      const { status, headers, body } = await this.#transport.open(this.#outgoing(request), signal)
      if (status === 401) this.#config.invalidate()
      const text = await readBody(body, request.maxBytes ?? maxBodyBytes)
      return { status, headers, body: parseBody(headers, text) }
    } catch (error) {
      const mapped = this.#mapped(error, request, isRead(request.method))
      if (retryable && !signal.aborted && error instanceof TransportError) return mapped
      throw mapped
    }
  }

  #outgoing(request: ApiRequest): Outgoing {
    const { method, path, query = {}, body, contentType, headers = {}, accept } = request
    const search = searchOf(query)
    const pairs: [string, string][] = [
      ['Accept', accept ?? 'application/json'],
      ['User-Agent', this.#options.userAgent],
      ...this.#who,
      ...Object.entries(headers),
    ]
    if (body !== undefined) pairs.push(['Content-Type', contentType ?? 'application/json'])
    return {
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: pairs,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
  }

  #mapped(
    error: unknown,
    { method, path }: { method: string; path: string },
    read: boolean,
  ): JackstayError {
    if (error instanceof JackstayError) return error
    const why = error instanceof Error ? error.message : String(error)
    if (read && error instanceof TooLarge) {
      return new JackstayError('too_large', `\`${method} ${path}\`: ${why}`, { cause: error })
    }
    const server = this.#config.server.host
    if (read || (error instanceof TransportError && !error.sent)) {
      return new JackstayError(
        'upstream_unavailable',
        `\`${method} ${path}\` got no answer from \`${server}\`: ${why}; check the server and the network`,
        { cause: error },
      )
    }
    return new JackstayError(
      'outcome_unknown',
      `\`${method} ${path}\` was sent to \`${server}\` but not answered: ${why}; read the object before going on`,
      { cause: error },
    )
  }
}

/** Milliseconds until a second attempt, or `undefined` when there is no point in one. */
function retryDelay(first: ApiResponse | JackstayError): number | undefined {
  if (first instanceof JackstayError || first.status === 401) return 0
  if (first.status !== 429) return undefined
  const seconds = parseStatus(429, first.body, first.headers).retryAfterSeconds
  return seconds === undefined ? defaultRetryAfterMs : seconds * 1000
}

function answered(result: ApiResponse | JackstayError): ApiResponse {
  if (result instanceof JackstayError) throw result
  return result
}

function parseBody(headers: HeaderValues, text: string): unknown {
  if (!String(headers['content-type'] ?? '').includes('json')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text // whoever needs an object refuses text, with the request at hand
  }
}

function searchOf(query: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== false) search.set(key, String(value))
  }
  return search.toString()
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
