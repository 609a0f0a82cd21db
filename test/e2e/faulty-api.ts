import { readFile, writeFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  request as plain,
  type ServerResponse,
} from 'node:http'
import { request as secure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline, Transform } from 'node:stream'
import { loadConfig, type TlsMaterial } from '@jackstay/kube/config'

/** A request on its way to the API server. */
export interface ApiCall {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** The intent it is made for, where an executor makes it. */
  readonly intent: string | undefined
  readonly authorization: string | undefined
  readonly watches: boolean
  /** Changes something: no read, no watch, no dry run, no review. */
  readonly writes: boolean
}

/** What becomes of a call: `cut` breaks the connection, `answer` is given in the API server's place. */
export type Fate =
  | { readonly kind: 'pass' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter?: number }

export const pass: Fate = { kind: 'pass' }

/** Stands between a program and the API server, on loopback, and can do to calls what networks do. */
export interface FaultyApi extends AsyncDisposable {
  /** Sends the mediator through here, by its kubeconfig. */
  lead(path: string): Promise<void>
  /** Asked before a call is passed on. */
  before: (call: ApiCall) => Fate | Promise<Fate>
  /** Asked when the API server has answered, before the program learns of it. */
  after: (call: ApiCall, status: number) => Fate | Promise<Fate>
  /** Awaited before each piece of an answer goes on: one that never resolves makes a stuck server. */
  piece: (call: ApiCall) => void | Promise<void>
  /** Every write that the API server took, in order. */
  readonly taken: ApiCall[]
  /** Breaks every connection, watches included. */
  cutAll(): void
}

export async function faultyApi(): Promise<FaultyApi> {
  let upstream: { readonly server: URL; readonly ca: TlsMaterial['ca'] } | undefined
  const taken: ApiCall[] = []
  const open = new Set<ServerResponse>()
  const server = createServer((from, to) => {
    open.add(to)
    to.once('close', () => open.delete(to))
    // the program went away in the middle: nobody is left to tell
    from.on('error', () => to.destroy())
    void handle(from, to).catch(() => to.destroy())
  })
  const handle = async (from: IncomingMessage, to: ServerResponse) => {
    const call = callOf(from)
    if (!carryOn(await api.before(call), to)) return
    const answer = await forward(from)
    const status = answer.statusCode ?? 502
    if (call.writes && status < 300) taken.push(call)
    if (!carryOn(await api.after(call, status), to)) {
      answer.destroy()
      return
    }
    to.writeHead(status, answer.headers)
    to.flushHeaders()
    pipeline(
      answer,
      held(() => api.piece(call)),
      to,
      () => undefined,
    )
  }
  const forward = (from: IncomingMessage) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      if (upstream === undefined) throw new Error('nobody was led through here')
      const { hostname, port, protocol } = upstream.server
      const send = protocol === 'https:' ? secure : plain
      const { host: _, ...headers } = from.headers
      const to = { hostname, port, path: from.url, method: from.method, headers, ca: upstream.ca }
      from.pipe(send(to, resolve).on('error', reject))
    })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const api: FaultyApi = {
    async lead(path) {
      if (!path.endsWith('jackstay-mediator.kubeconfig')) return
      const config = loadConfig({ kubeconfig: path })
      const { tls } = await config.credentials(new AbortController().signal)
      upstream = { server: config.server, ca: tls.ca }
      const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await writeFile(path, (await readFile(path, 'utf8')).replace(/server: .*/, `server: ${here}`))
    },
    before: () => pass,
    after: () => pass,
    piece: () => undefined,
    taken,
    cutAll: () => {
      for (const one of open) one.destroy()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return api
}

function held(piece: () => void | Promise<void>): Transform {
  return new Transform({
    transform(chunk, _, done) {
      void Promise.resolve(piece()).then(() => done(null, chunk))
    },
  })
}

/** Whether the call goes on as it was. */
function carryOn(fate: Fate, to: ServerResponse): boolean {
  if (fate.kind === 'pass') return true
  if (fate.kind === 'cut') {
    to.destroy()
    return false
  }
  const { status, retryAfter } = fate
  const message = 'the test stands in the way'
  to.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  })
  to.end(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status }),
  )
  return false
}

function callOf({ method = 'GET', url = '/', headers }: IncomingMessage): ApiCall {
  const { pathname: path, searchParams: query } = new URL(url, 'http://api')
  const intent = headers['impersonate-extra-jackstay.dev%2fintent']
  const reads = method === 'GET' || query.has('dryRun') || /reviews$/.test(path)
  const { authorization } = headers
  const watches = query.get('watch') === 'true'
  return { method, path, query, intent: intent?.toString(), authorization, watches, writes: !reads }
}
