import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExitCode } from './exit-codes.ts'
import { run } from './program.ts'
import type { Terminal } from './terminal.ts'

// For the tests of this package: an API server and a mediator in this process.

export interface Answer {
  readonly status: number
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body: unknown
}

/** By `METHOD /path`; a function sees the request. */
export type Routes = Readonly<Record<string, Answer | ((request: Seen) => Answer)>>

export interface Seen {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly body: unknown
}

export interface Fake {
  readonly origin: string
  readonly seen: readonly Seen[]
  routes: Routes
  stop(): Promise<void>
}

export async function startFake(): Promise<Fake> {
  const seen: Seen[] = []
  const fake = { seen, routes: {} as Routes, origin: '', stop: () => stop(server) }
  const server = createServer((request, response) => void serve(fake, seen, request, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return Object.assign(fake, { origin: `http://127.0.0.1:${port}` })
}

async function serve(
  fake: { routes: Routes },
  seen: Seen[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = await request.toArray()
  const text = Buffer.concat(chunks).toString()
  const url = new URL(request.url ?? '/', 'http://fake')
  const { method = 'GET', headers } = request
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  const got: Seen = { method, url, authorization: headers.authorization, body }
  seen.push(got)
  const route = fake.routes[`${method} ${url.pathname}`] ?? notFound
  const answer = typeof route === 'function' ? route(got) : route
  const raw = typeof answer.body === 'string' || answer.body instanceof Uint8Array
  response.writeHead(answer.status, { 'content-type': raw ? 'text/plain' : 'application/json' })
  response.end(raw ? answer.body : JSON.stringify(answer.body))
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((done) => server.close(() => done()))
}

/** A failure in the API server's words. */
export function status(code: number, reason: string, message: string): Answer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', code, reason, message } }
}

const notFound = status(404, 'NotFound', 'the server could not find the requested resource')

export const tokenRoute: Routes = {
  'POST /api/v1/namespaces/jackstay-system/serviceaccounts/jackstay-reader/token': {
    status: 201,
    body: {
      kind: 'TokenRequest',
      metadata: {},
      status: { token: 'reading-token', expirationTimestamp: '2026-01-01T00:00:00Z' },
    },
  },
}

export interface Ran {
  readonly exit: ExitCode
  readonly out: string
  readonly err: string
}

/** A home with a kubeconfig for the API server, in which command lines run. */
export class Desk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'jackstay-cli-'))
  readonly kubeconfig = join(this.#folder, 'config')
  readonly #mediator: string

  constructor(api: string, mediator: string) {
    this.#mediator = mediator
    writeFileSync(
      this.kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: api } }],
        users: [{ name: 'alice', user: { token: 'the-users-token' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'alice', namespace: 'shop' } }],
        'current-context': 'x',
      }),
    )
  }

  /** What the user types when asked, one after another; without it nobody is there. */
  async run(
    line: readonly string[],
    answer?: string | readonly string[],
    piped = '',
  ): Promise<Ran> {
    const answers = typeof answer === 'string' ? [answer] : [...(answer ?? [])]
    let out = ''
    let err = ''
    const terminal: Terminal = {
      env: {
        KUBECONFIG: this.kubeconfig,
        JACKSTAY_SERVER: this.#mediator,
        HOME: this.#folder,
        USER: 'alice',
      },
      interactive: answer !== undefined,
      colours: false,
      signal: AbortSignal.timeout(20_000),
      out: (text) => {
        out += text
      },
      err: (text) => {
        err += text
      },
      input: async function* () {
        yield Buffer.from(piped)
      },
      ask: async (question) => {
        out += question
        const next = answers.shift()
        if (next === undefined) throw new Error(`asked once more: ${question}`)
        return next
      },
    }
    return { exit: await run(line, terminal), out, err }
  }

  clean(): void {
    rmSync(this.#folder, { recursive: true })
  }
}
