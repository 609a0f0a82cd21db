import type { Readable } from 'node:stream'
import { JackstayError } from '@jackstay/contract/errors'
import type { ClusterConfig } from './config.ts'
import type { Impersonation } from './impersonation.ts'
import { Requester } from './requester.ts'
import {
  asObject,
  collectionPath,
  describeRef,
  isRecord,
  type KubeObject,
  objectPath,
  type ResourceRef,
  type ResourceType,
} from './resources.ts'
import { parseStatus, readError } from './status.ts'
import {
  createToken,
  type TokenOptions,
  type TokenResult,
  type TokenReview,
  tokenReview,
} from './tokens.ts'
import { type HeaderValues, Transport } from './transport.ts'
import { mergeBody, type Preconditions, settle, type WriteResult } from './write.ts'

export type { Impersonation } from './impersonation.ts'
export { type ApiStatus, statusOf } from './status.ts'
export type { TokenOptions, TokenResult, TokenReview } from './tokens.ts'
export type { Preconditions, WriteResult } from './write.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Every call ends by its deadline (the client's, unless given here) or when the signal aborts. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Of a read's answer, 64 MiB unless given; more is `too_large`. */
  readonly maxBytes?: number
  /** The form of the answer, one of JSON's; `application/json` unless given. */
  readonly accept?: string
}

export interface ApiRequest extends CallOptions {
  readonly method: string
  readonly path: string
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** `application/json` unless given. */
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** `body` is parsed when the server says JSON, else text. Any status, also failures. */
export interface ApiResponse {
  readonly status: number
  readonly headers: HeaderValues
  readonly body: unknown
}

export interface StreamRequest extends CallOptions {
  readonly path: string
  readonly query?: Query
}

export interface ListOptions extends CallOptions {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
}

export interface KubeList {
  readonly items: readonly KubeObject[]
  /** Empty where the server keeps none (metrics). */
  readonly resourceVersion: string
  /** Pass it to `list` for the next page. */
  readonly continue?: string
}

export interface WriteOptions extends CallOptions {
  /** The server does everything but store. */
  readonly dryRun?: boolean
  readonly fieldManager?: string
  /** `Strict` refuses unknown and duplicate fields, which the server else prunes with a warning. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: string
  /** Put into the patch's metadata; the server refuses the write if the object is another or moved. */
  readonly preconditions?: Preconditions
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  /** Takes fields over from other managers. */
  readonly force?: boolean
  readonly subresource?: string
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly preconditions?: Preconditions
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly gracePeriodSeconds?: number
}

export interface EvictOptions extends WriteOptions {
  /** Of the request itself, for admission to see. */
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly preconditions?: Preconditions
}

/**
 * A client of one API server, as one identity. Reads throw; writes return what became of them.
 *
 * Reads (`get`, `list`, `request` with GET, `stream`) are repeated once after a cut connection, a 401
 * (with fresh credentials) or a 429; writes never. Reads throw JackstayError `not_found`,
 * `too_large`, `cluster_refused`, `cluster_conflict`, `upstream_unavailable`; `statusOf(error)` has the server's words.
 *
 * Writes throw `upstream_unavailable` only when nothing was sent, `invalid_request` when nothing
 * could be.
 */
export interface KubeClient {
  readonly config: ClusterConfig
  /**
   * One request; the answer as it is, whatever its status.
   * @throws JackstayError `upstream_unavailable`; for writes that were sent, `outcome_unknown`
   */
  request(request: ApiRequest): Promise<ApiResponse>
  /**
   * A GET whose body arrives over time (watch, logs). The deadline is for the head alone; the signal
   * also ends the body.
   */
  stream(request: StreamRequest): Promise<Readable>
  get(ref: ResourceRef, options?: CallOptions & { subresource?: string }): Promise<KubeObject>
  list(resource: ResourceType, options?: ListOptions): Promise<KubeList>
  create(
    resource: ResourceType,
    namespace: string | undefined,
    object: unknown,
    options?: WriteOptions,
  ): Promise<WriteResult>
  mergePatch(
    ref: ResourceRef,
    body: Readonly<Record<string, unknown>>,
    options?: PatchOptions,
  ): Promise<WriteResult>
  /** Server-side apply. */
  apply(ref: ResourceRef, object: unknown, options: ApplyOptions): Promise<WriteResult>
  delete(ref: ResourceRef, options?: DeleteOptions): Promise<WriteResult>
  /** Asks the eviction API for a Pod to go: 429, as `refused`, where a disruption budget says not now. */
  evict(ref: ResourceRef, options?: EvictOptions): Promise<WriteResult>
  /** The same connections as somebody else; replaces an earlier `as`. */
  as(who: Impersonation): KubeClient
  /** `authenticated` only if the token was made for one of `audiences`. @throws as a read does */
  tokenReview(
    token: string,
    audiences: readonly string[],
    signal?: AbortSignal,
  ): Promise<TokenReview>
  /** A token of a ServiceAccount. @throws as a read does; `outcome_unknown` when cut */
  createToken(
    namespace: string,
    serviceAccount: string,
    options: TokenOptions,
  ): Promise<TokenResult>
  /** Ends all connections of this client and of those made by `as`. */
  close(): Promise<void>
}

export interface ConnectOptions {
  /** The program's name and version. */
  readonly userAgent: string
  /** For one call with all its parts, in milliseconds; 10 s. */
  readonly timeoutMs?: number
}

/** A client with its own connection pool. Connects on the first request. */
export function connect(config: ClusterConfig, options: ConnectOptions): KubeClient {
  return new Client(config, new Transport(config), options, config.impersonation)
}

class Client implements KubeClient {
  readonly config: ClusterConfig
  readonly #transport: Transport
  readonly #options: ConnectOptions
  readonly #requester: Requester

  constructor(
    config: ClusterConfig,
    transport: Transport,
    options: ConnectOptions,
    who: Impersonation | undefined,
  ) {
    this.config = config
    this.#transport = transport
    this.#options = options
    this.#requester = new Requester(config, transport, options, who)
  }

  as(who: Impersonation): KubeClient {
    if (this.config.impersonation !== undefined) {
      throw new JackstayError(
        'invalid_config',
        `the kubeconfig \`${this.config.source}\` impersonates already; remove its \`as\``,
      )
    }
    return new Client(this.config, this.#transport, this.#options, who)
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    return this.#requester.request(request)
  }

  stream(request: StreamRequest): Promise<Readable> {
    return this.#requester.stream(request)
  }

  async get(
    ref: ResourceRef,
    options: CallOptions & { subresource?: string } = {},
  ): Promise<KubeObject> {
    return asObject(await this.#read(objectPath(ref, options.subresource), {}, options))
  }

  async list(resource: ResourceType, options: ListOptions = {}): Promise<KubeList> {
    const { labelSelector, fieldSelector, limit } = options
    const query = { labelSelector, fieldSelector, limit, continue: options.continue }
    return asList(await this.#read(collectionPath(resource, options.namespace), query, options))
  }

  create(
    resource: ResourceType,
    namespace: string | undefined,
    object: unknown,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    return this.#write(
      {
        method: 'POST',
        path: collectionPath(resource, namespace),
        body: object,
        query: writeQuery(options),
      },
      options,
    )
  }

  mergePatch(
    ref: ResourceRef,
    body: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): Promise<WriteResult> {
    return this.#write(
      {
        method: 'PATCH',
        path: objectPath(ref, options.subresource),
        contentType: 'application/merge-patch+json',
        body: mergeBody(describeRef(ref), body, options.preconditions),
        query: writeQuery(options),
      },
      options,
    )
  }

  apply(ref: ResourceRef, object: unknown, options: ApplyOptions): Promise<WriteResult> {
    return this.#write(
      {
        method: 'PATCH',
        path: objectPath(ref, options.subresource),
        contentType: 'application/apply-patch+yaml', // JSON is YAML
        body: object,
        query: { ...writeQuery(options), force: options.force },
      },
      options,
    )
  }

  delete(ref: ResourceRef, options: DeleteOptions = {}): Promise<WriteResult> {
    const { dryRun, preconditions, propagationPolicy, gracePeriodSeconds } = options
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: preconditions && mergeBody(describeRef(ref), {}, preconditions).metadata,
      propagationPolicy,
      gracePeriodSeconds,
      dryRun: dryRun ? ['All'] : undefined,
    }
    return this.#write({ method: 'DELETE', path: objectPath(ref), body }, options)
  }

  evict(ref: ResourceRef, options: EvictOptions = {}): Promise<WriteResult> {
    const { preconditions, labels, annotations } = options
    const bound = preconditions && mergeBody(describeRef(ref), {}, preconditions).metadata
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: ref.name, namespace: ref.namespace, labels, annotations },
      deleteOptions: { preconditions: bound },
    }
    const path = objectPath(ref, 'eviction')
    return this.#write({ method: 'POST', path, body, query: writeQuery(options) }, options)
  }

  tokenReview(
    token: string,
    audiences: readonly string[],
    signal?: AbortSignal,
  ): Promise<TokenReview> {
    return tokenReview(this, token, audiences, signal)
  }

  createToken(
    namespace: string,
    serviceAccount: string,
    options: TokenOptions,
  ): Promise<TokenResult> {
    return createToken(this, namespace, serviceAccount, options)
  }

  async #read(
    path: string,
    query: Query,
    { signal, timeoutMs, maxBytes, accept }: CallOptions,
  ): Promise<unknown> {
    const call = {
      method: 'GET',
      path,
      query,
      ...(signal && { signal }),
      ...(timeoutMs && { timeoutMs }),
      ...(maxBytes && { maxBytes }),
      ...(accept && { accept }),
    }
    const { status, headers, body } = await this.request(call)
    if (status < 300) return body
    throw readError(`GET ${path}`, parseStatus(status, body, headers))
  }

  async #write(request: ApiRequest, { signal, timeoutMs }: CallOptions): Promise<WriteResult> {
    try {
      return settle(
        await this.request({
          ...request,
          ...(signal && { signal }),
          ...(timeoutMs && { timeoutMs }),
        }),
      )
    } catch (cause) {
      if (cause instanceof JackstayError && cause.code === 'outcome_unknown')
        return { kind: 'unknown', cause }
      throw cause
    }
  }
}

function writeQuery({ dryRun, fieldManager, fieldValidation }: WriteOptions): Query {
  return { dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation }
}

/** Items of a list come without apiVersion and kind; with them they equal what `get` returns. */
function asList(value: unknown): KubeList {
  const kind = isRecord(value) && typeof value.kind === 'string' ? value.kind : ''
  if (!isRecord(value) || !isRecord(value.metadata) || !kind.endsWith('List')) {
    throw new JackstayError(
      'upstream_unavailable',
      'the answer is not a kubernetes list; check that the server address is an API server',
    )
  }
  const { resourceVersion, continue: next } = value.metadata
  const items: readonly unknown[] = Array.isArray(value.items) ? value.items : []
  const type = { apiVersion: value.apiVersion, kind: kind.slice(0, -'List'.length) }
  return {
    items: items.map((item) => asObject(isRecord(item) ? { ...type, ...item } : item)),
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    ...(typeof next === 'string' && next !== '' ? { continue: next } : {}),
  }
}
