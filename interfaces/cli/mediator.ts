import { type IntentList, type IntentView, intentList, intentView } from '@jackstay/contract/api'
import { audiences } from '@jackstay/contract/enrolment'
import { type ErrorCode, errorCodes, JackstayError } from '@jackstay/contract/errors'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { KubeClient } from '@jackstay/kube/client'
import { statusOf } from '@jackstay/kube/status'
import { type LedgerStatus, ledgerStatus } from '@jackstay/ledger/ledger-status'
import { z } from 'zod'
import { type Exchanged, exchange } from './exchange.ts'

/** Whose token opens the mediator for reading; made with the user's own rights. */
const reader = { namespace: systemNamespace, name: 'jackstay-reader' }
/** The shortest lifetime the API server gives. */
const tokenSeconds = 600
const timeoutMs = 15_000
const longestBody = 32 * 1024 * 1024

export interface ListQuery {
  readonly limit: number
  readonly before?: string | undefined
  readonly phase?: string | undefined
  readonly namespace?: string | undefined
}

/** The mediator, as far as people read it. */
export interface Mediator {
  readonly url: URL
  list(query: ListQuery): Promise<IntentList>
  intent(id: string): Promise<IntentView>
  ledgerStatus(): Promise<LedgerStatus>
  text(path: string): Promise<string>
  /** Any other answer. `waitMs` is how long it was asked to take. */
  read<T>(path: string, schema: z.ZodType<T>, waitMs?: number): Promise<T>
  /** A request with the reading token, for readers of the log. */
  fetch(url: URL, init: { readonly signal: AbortSignal }): Promise<Response>
}

/** @throws JackstayError as `KubeClient.createToken` does */
export async function openMediator(
  url: URL,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Mediator> {
  const options = { audiences: [audiences.read], expirationSeconds: tokenSeconds, signal }
  const { token } = await client
    .createToken(reader.namespace, reader.name, options)
    .catch((cause: unknown) => {
      throw statusOf(cause)?.code === 403 ? mayNotRead(cause) : cause
    })
  const read = async (path: string, waitMs = 0) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + waitMs)])
    return answer(await request(new URL(path, url), token, limit), url)
  }
  return {
    url,
    fetch: async (at, { signal: limit }) => {
      const headers = { authorization: `Bearer ${token}` }
      // a redirect would carry the token to somebody else
      return fetch(at, { signal: limit, redirect: 'error', headers }).catch((cause: unknown) => {
        throw unreachable(at, cause)
      })
    },
    text: (path) => read(path),
    read: async (path, schema, waitMs) => parse(schema, await read(path, waitMs), url),
    ledgerStatus: async () => parse(ledgerStatus, await read('/ledger/status'), url),
    list: async (query) => parse(intentList, await read(`/v1/intents?${search(query)}`), url),
    intent: async (id) =>
      parse(intentView, await read(`/v1/intents/${encodeURIComponent(id)}`), url),
  }
}

function mayNotRead(cause: unknown): JackstayError {
  const { namespace, name } = reader
  return new JackstayError(
    'forbidden',
    `you may not make a token for \`${namespace}/${name}\`, with which people read the mediator; ask for the ClusterRole \`jackstay-view\``,
    { cause },
  )
}

/** One request that changes something, with a token made for nothing else. */
export async function post<T>(
  url: URL,
  token: string,
  body: unknown,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const text = await answer(await request(url, token, limit, JSON.stringify(body)), url)
  return parse(schema, text, url)
}

async function request(
  url: URL,
  token: string,
  signal: AbortSignal,
  body?: string,
): Promise<Exchanged> {
  try {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    return await exchange(url, { headers: { ...headers, ...type }, body, signal })
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

function unreachable(url: URL, cause: unknown): JackstayError {
  return new JackstayError(
    'upstream_unavailable',
    `the mediator at \`${url.origin}\` does not answer (${reason(cause)}): start it, forward its port with \`kubectl -n jackstay-system port-forward service/jackstay-mediator 7440\`, or name another with --server`,
    { cause },
  )
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  if (cause.name === 'TimeoutError') return 'too slow'
  const inner = cause.cause ?? cause
  return inner instanceof Error && 'code' in inner ? String(inner.code) : cause.message
}

const errorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

async function answer(response: Exchanged, url: URL): Promise<string> {
  const text = await bounded(response, url)
  if (response.status >= 200 && response.status < 300) return text
  const said = errorAnswer.safeParse(jsonOf(text))
  const code = said.data?.error.code ?? ''
  if (said.success && isErrorCode(code)) {
    throw new JackstayError(code, `${said.data.error.message}${advice(code)}`)
  }
  throw new JackstayError(
    'upstream_unavailable',
    `\`${url.origin}\` answered ${response.status} and is no mediator; check --server`,
  )
}

function advice(code: ErrorCode): string {
  switch (code) {
    case 'not_found':
      return '; `jackstay intents list -A` shows what there is'
    case 'unauthenticated':
    case 'forbidden':
      return '; the mediator must serve the cluster of your kubeconfig: check --server and --context'
    default:
      return errorCodes[code].retryable ? '; try again later' : ''
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

async function bounded({ body }: Exchanged, url: URL): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > longestBody) {
      throw new JackstayError(
        'too_large',
        `the answer of \`${url.origin}\` has no end; check --server`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse<T>(schema: z.ZodType<T>, text: string, url: URL): T {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new JackstayError(
    'upstream_unavailable',
    `\`${url.origin}\` answers in a form this version does not know; use a \`jackstay\` of the mediator's version`,
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller's schema refuses it with the address at hand
  }
}

function search({ limit, before, phase, namespace }: ListQuery): string {
  const query = new URLSearchParams({ limit: String(limit) })
  for (const [key, value] of Object.entries({ before, phase, namespace })) {
    if (value !== undefined) query.set(key, value)
  }
  return query.toString()
}
