import { type ErrorCode, errorCodes, JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Call {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly token: string
  /** JSON text, sent as it is. */
  readonly body?: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** What is sent may change something: no answer is then `outcome_unknown`. */
  readonly effect?: boolean
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A program of ours over HTTP. */
export interface Upstream {
  /**
   * @throws JackstayError with the code the other side gave; `upstream_unavailable` when nothing was
   *   received there or the answer is not one of ours; `outcome_unknown` (see {@link Call.effect})
   */
  call(call: Call): Promise<Answer>
}

export interface UpstreamOptions {
  /** As messages name it: `mediator`. */
  readonly name: string
  readonly url: string
  readonly fetch: Fetch
}

const maxAnswerBytes = 4 * 1024 * 1024
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** When to knock again at what cannot be reached. */
const awaySeconds = 5

const codes = Object.keys(errorCodes)
const errorAnswer = z.object({
  error: z.object({
    code: z.custom<ErrorCode>((value) => typeof value === 'string' && codes.includes(value)),
    message: z.string().max(8192),
    retryAfterSeconds: z.number().min(0).max(86_400).optional(),
  }),
})

export function upstream({ name, url, fetch }: UpstreamOptions): Upstream {
  const base = url.replace(/\/+$/, '')
  return {
    async call(call) {
      const deadline = AbortSignal.timeout(call.timeoutMs)
      try {
        const response = await fetch(base + call.path, {
          method: call.method,
          headers: {
            accept: 'application/json',
            authorization: `Bearer ${call.token}`,
            ...(call.body !== undefined && { 'content-type': 'application/json' }),
          },
          redirect: 'error',
          signal: AbortSignal.any([call.signal, deadline]),
          ...(call.body !== undefined && { body: call.body }),
        })
        return settle({ status: response.status, body: await readBody(response) }, name, base)
      } catch (cause) {
        if (call.signal.aborted) throw call.signal.reason
        if (cause instanceof JackstayError) throw cause
        throw noAnswer(cause, call, name, base)
      }
    },
  }
}

async function readBody(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxAnswerBytes) throw new TypeError('the answer is too large')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return undefined // whoever expects a body refuses this one
  }
}

function settle(answer: Answer, name: string, url: string): Answer {
  if (answer.status < 300 && answer.body !== undefined) return answer
  const said = errorAnswer.safeParse(answer.body)
  if (said.success) {
    const { code, message, retryAfterSeconds } = said.data.error
    throw new JackstayError(code, message, {
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
  throw strange(name, `status ${answer.status} from \`${url}\``)
}

/** An answer that the program meant would not give. */
export function strange(name: string, why: string, cause?: unknown): JackstayError {
  return new JackstayError(
    'upstream_unavailable',
    `that is no answer of the ${name} (${why}); check its address and version`,
    { cause },
  )
}

function noAnswer(cause: unknown, call: Call, name: string, url: string): JackstayError {
  const code = causeCode(cause)
  const why = code ?? (cause instanceof Error ? cause.message : String(cause))
  if (call.effect && !neverSent.has(code ?? '')) {
    return new JackstayError(
      'outcome_unknown',
      `the ${name} at \`${url}\` was asked but did not answer (${why})`,
      { cause },
    )
  }
  return new JackstayError(
    'upstream_unavailable',
    `the ${name} at \`${url}\` cannot be reached (${why}); nothing was changed: try again later`,
    { cause, retryAfterSeconds: awaySeconds },
  )
}

function causeCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return causeCode(error.cause)
}
