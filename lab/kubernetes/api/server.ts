import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { JackstayError } from '@jackstay/contract/errors'
import type { Rbac } from '../access/rbac.ts'
import type { TokenSettings } from '../access/tokens.ts'
import type { Identities } from '../identities.ts'
import { PatchRefusal } from '../patch/refusal.ts'
import type { Registry } from '../resources/registry.ts'
import type { ObjectStore } from '../store/store.ts'
import type { Call } from './call.ts'
import type { Gates } from './gates.ts'
import { list } from './list.ts'
import { type ContainerLogs, log } from './logs.ts'
import { type ResourceRequest, requestInfo } from './path.ts'
import { NoPage, Plain, path } from './paths.ts'
import { serve } from './serve.ts'
import { shaped, shapeOf } from './shape.ts'
import { ApiError, methodNotAllowed, noSuchPath, notServed, refusal } from './status.ts'
import { isElsewhereCollection } from './unserved.ts'
import { watch } from './watch.ts'

export interface ApiServerOptions {
  readonly store: ObjectStore
  readonly registry: Registry
  readonly gates: Gates
  readonly rights: Rbac
  readonly tokens: TokenSettings
  readonly ids: Identities
  readonly logs: ContainerLogs
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 takes a free one. */
  readonly port: number
  /** PEM; without it plain HTTP is spoken, for tests alone. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string }
  /** What went wrong within, never a request that was refused. */
  readonly onError: (error: unknown) => void
}

export interface ApiServer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Serves the cluster on loopback until it is closed. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const ending = new AbortController()
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response, options, ending.signal)
  const server = newServer(options, handle)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listen(server, options.port)
  return {
    ...{ port, url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}` },
    async close() {
      ending.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, 200).unref()
      await closed
    },
  }
}

function newServer(
  { tls }: ApiServerOptions,
  handle: (i: IncomingMessage, o: ServerResponse) => void,
): Server {
  if (tls === undefined) return createServer(handle)
  // whoever shows a certificate of another authority is nobody, as on a real server
  return createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, handle)
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, port)))
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.removeAllListeners('error')
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  const why = error.code === 'EACCES' ? 'is not allowed' : 'is in use'
  const message = `port ${port} ${why}: name another one, or none to have a free one taken`
  return new JackstayError('invalid_config', message, { cause: error })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ApiServerOptions,
  ending: AbortSignal,
): Promise<void> {
  response.setHeader('audit-id', randomUUID())
  response.setHeader('cache-control', 'no-cache, private')
  try {
    const url = new URL(request.url ?? '/', 'http://lab')
    const info = requestInfo(request.method ?? 'GET', url)
    const user = await options.gates.authenticate(request, info)
    options.gates.authorize(user, info)
    if (info.kind === 'path') {
      const isAggregated = request.headers.accept?.includes('as=APIGroupDiscoveryList') ?? false
      send(response, 200, path({ ...info, isAggregated }, options.registry))
    } else await resourceRequest(request, response, { info, url, user }, options, ending)
  } catch (error) {
    if (error instanceof NoPage) {
      send(response, 404, new Plain('404 page not found\n'))
      return
    }
    const said = refusalOf(error)
    if (said === undefined) options.onError(error)
    if (response.headersSent) response.destroy()
    else {
      const { status } = said ?? internal()
      if (status.code === 429) response.setHeader('retry-after', '1')
      send(response, status.code, status)
    }
  }
}

type About = { readonly info: ResourceRequest; readonly url: URL } & Pick<Call, 'user'>

async function resourceRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { info, url, user }: About,
  options: ApiServerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { store, registry, now } = options
  const resource = registry.find(info.group, info.version, info.plural)
  if (resource === undefined) throw noSuch(info, registry)
  const query = url.searchParams
  const shape = shapeOf(request.headers.accept, query.get('includeObject'))
  const dryRun = query.getAll('dryRun').includes('All')
  const warnings: string[] = []
  const call: Call = { request, info, resource, query, user, shape, dryRun, warnings }
  if (info.subresource !== '') {
    if (!resource.subresources.includes(info.subresource))
      throw notServed(`\`${info.plural}/${info.subresource}\``)
  } else if (!resource.verbs.includes(info.verb)) throw methodNotAllowed()
  if (info.subresource === 'log' && info.verb === 'get') {
    log(call, response, { store, now, signal, logs: options.logs })
  } else if (info.verb === 'watch') watch(call, response, { store, now, signal })
  else if (info.verb === 'list') send(response, 200, list(call, store, now()))
  else {
    const { code, body, object } = await serve(call, options)
    for (const text of warnings)
      response.appendHeader('warning', `299 - "${text.replaceAll('"', '\\"')}"`)
    send(response, code, object === undefined ? body : shaped(shape, resource, object, now()))
  }
}

function noSuch({ group: name, version, plural }: ResourceRequest, registry: Registry): Error {
  if (isElsewhereCollection(name, plural)) {
    return notServed(`\`${name === '' ? plural : `${plural}.${name}`}\``)
  }
  const isServed = registry.all().some((one) => one.group === name && one.version === version)
  return isServed ? noSuchPath() : new NoPage()
}

function send(response: ServerResponse, code: number, body: object): void {
  const plain = body instanceof Plain
  const text = plain ? body.text : `${JSON.stringify(body)}\n`
  const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const isDiscovery = !plain && Reflect.get(body, 'kind') === 'APIGroupDiscoveryList'
  response.writeHead(code, {
    'content-type': plain
      ? 'text/plain; charset=utf-8'
      : isDiscovery
        ? aggregatedType
        : 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  if (!(error instanceof PatchRefusal)) return undefined
  const { code, reason, message, causes } = error
  return refusal(code, reason, message, causes.length > 0 ? { causes } : undefined)
}

function internal(): ApiError {
  return refusal(500, 'InternalError', 'Internal error occurred: a bug of the lab; see its log')
}
