import { inspect } from 'node:util'
import { type IntentView, intentView, triggerList } from '@jackstay/contract/api'
import { type ErrorCode, errorCodes, JackstayError } from '@jackstay/contract/errors'
import { digest } from '@jackstay/contract/text'
import type { Trigger } from '@jackstay/contract/trigger'
import { z } from 'zod'
import type { Proposal } from './diagnoses/diagnosis.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The agent's whole world: its sidecar on localhost. No credential is needed or held. */
export interface Sidecar {
  triggers(waitSeconds: number, signal: AbortSignal): Promise<readonly Trigger[]>
  get(what: ObjectQuery, signal: AbortSignal): Promise<GetResult>
  list(what: ListQuery, signal: AbortSignal): Promise<ListResult>
  propose(proposal: Proposal, because: Because, signal: AbortSignal): Promise<IntentView>
  intent(id: string, waitSeconds: number, signal: AbortSignal): Promise<IntentView>
}

export interface KindQuery {
  readonly apiVersion: string
  readonly kind: string
  /** Absent for kinds without one. */
  readonly namespace?: string
}
export interface ObjectQuery extends KindQuery {
  readonly name: string
}
export interface ListQuery extends KindQuery {
  readonly labelSelector?: string
  readonly limit: number
  readonly continue?: string
}

const evidence = z.object({ uri: z.string(), digest })
export type Evidence = z.infer<typeof evidence>

const getResult = z.object({ object: z.unknown(), evidence })
export type GetResult = z.infer<typeof getResult>
const listResult = z.object({
  items: z.array(z.unknown()),
  continue: z.string().optional(),
  evidence,
})
export type ListResult = z.infer<typeof listResult>

/** Why the agent asks, for whoever has to approve. */
export interface Because {
  readonly evidence: readonly Evidence[]
  readonly triggerId: string
}

const codes = Object.keys(errorCodes)
const errorAnswer = z.object({
  error: z.object({
    code: z.custom<ErrorCode>((value) => typeof value === 'string' && codes.includes(value)),
    message: z.string(),
  }),
})

/** How long the sidecar may keep us beyond what we are willing to wait: it sends intents again. */
const patienceMs = 90_000
const maxEvidence = 16
const actions = '/v1/actions/'

export function sidecarAt(url: string, fetch: Fetch): Sidecar {
  const base = url.replace(/\/+$/, '')
  const call = async <S extends z.ZodType>(
    schema: S,
    path: string,
    signal: AbortSignal,
    { body, waitSeconds = 0 }: { body?: object; waitSeconds?: number } = {},
  ): Promise<z.output<S>> => {
    const deadline = AbortSignal.timeout(waitSeconds * 1000 + patienceMs)
    let answer: { readonly ok: boolean; readonly json: unknown }
    try {
      const response = await fetch(base + path, {
        method: body === undefined ? 'GET' : 'POST',
        signal: AbortSignal.any([signal, deadline]),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      })
      answer = { ok: response.ok, json: JSON.parse(await response.text()) }
    } catch (cause) {
      signal.throwIfAborted()
      throw unanswered(base, path, cause)
    }
    return understood(schema, answer, path)
  }
  return {
    async triggers(waitSeconds, signal) {
      const path = `/v1/triggers?wait=${waitSeconds}`
      return (await call(triggerList, path, signal, { waitSeconds })).triggers
    },
    // every field: a difference or a mark that is left out would be taken for none
    get: (what, signal) =>
      call(getResult, '/v1/tools/kubernetes-read/get', signal, { body: { ...what, full: true } }),
    list: (what, signal) =>
      call(listResult, '/v1/tools/kubernetes-read/list', signal, { body: { ...what, full: true } }),
    intent: (id, waitSeconds, signal) =>
      call(intentView, `/v1/intents/${id}?wait=${waitSeconds}`, signal, { waitSeconds }),
    propose: ({ action, target, params, summary }, { evidence, triggerId }, signal) =>
      call(intentView, `${actions}${action}`, signal, {
        body: {
          target,
          params,
          reasoning: { summary, evidence: evidence.slice(0, maxEvidence) },
          trigger: { id: triggerId },
        },
      }),
  }
}

/** INVARIANT: an intent that may have been signed and sent is never asked for twice. */
function unanswered(base: string, path: string, cause: unknown): JackstayError {
  const connected = !/ECONNREFUSED/.test(inspect(cause))
  if (path.startsWith(actions) && connected) {
    const message = `no answer of the sidecar at \`${base}\`; look for the intent before going on`
    return new JackstayError('outcome_unknown', message, { cause })
  }
  return new JackstayError(
    'upstream_unavailable',
    `the sidecar at \`${base}\` does not answer; start it, or correct \`--sidecar-url\``,
    { cause },
  )
}

function understood<S extends z.ZodType>(
  schema: S,
  { ok, json }: { ok: boolean; json: unknown },
  path: string,
): z.output<S> {
  if (ok) {
    const parsed = schema.safeParse(json)
    if (parsed.success) return parsed.data
  } else {
    const said = errorAnswer.safeParse(json)
    if (said.success) throw new JackstayError(said.data.error.code, said.data.error.message)
  }
  throw new JackstayError(
    path.startsWith(actions) ? 'outcome_unknown' : 'upstream_unavailable',
    'that is no answer of a sidecar of this version; correct `--sidecar-url`',
  )
}
