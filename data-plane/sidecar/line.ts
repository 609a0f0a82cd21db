import {
  type ClusterInfo,
  clusterInfo,
  type IntentView,
  intentView,
  type TriggerList,
  triggerList,
} from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import type { ReadVerb } from '@jackstay/contract/reads'
import type { Log } from '@jackstay/service/log'
import { z } from 'zod'
import type { Enroller } from './enrolment.ts'
import {
  type ActionRequest,
  type Clock,
  type Ids,
  type SignedIntent,
  signIntent,
} from './intent.ts'
import type { SigningKey } from './key.ts'
import type { Receipts } from './receipts.ts'
import type { Sequence } from './sequence.ts'
import { type SubmitOptions, submit } from './submit.ts'
import type { Tokens } from './tokens.ts'
import { type Answer, strange, type Upstream } from './upstream.ts'

export interface LineParts {
  readonly key: SigningKey
  readonly sequence: Sequence
  readonly receipts: Receipts
  readonly enroller: Enroller
  readonly tokens: Tokens
  readonly mediator: Upstream
  readonly tools: Upstream
  readonly clock: Clock
  readonly ids: Ids
  readonly sleep: SubmitOptions['sleep']
  readonly log: Log
  /** Fires when the program ends: no longer sends what is still being sent. */
  readonly stopping: AbortSignal
  /** How long an agent is kept beyond its own `wait` while its intent is being sent. */
  readonly patienceMs?: number
}

/**
 * What an agent can do, whichever way it speaks: plain HTTP and MCP both end here. Waits are in
 * seconds. Everything throws JackstayError, of the control plane or `upstream_unavailable`.
 */
export interface Line {
  cluster(signal: AbortSignal): Promise<ClusterInfo>
  triggers(wait: number, signal: AbortSignal): Promise<TriggerList>
  intent(id: string, wait: number, signal: AbortSignal): Promise<IntentView>
  /** Signs and submits; goes on sending when the agent has stopped listening. */
  propose(
    action: string,
    request: ActionRequest,
    wait: number,
    signal: AbortSignal,
  ): Promise<IntentView>
  read(
    verb: ReadVerb,
    question: unknown,
    signal: AbortSignal,
  ): Promise<Record<string, z.core.util.JSONType>>
}

export const upstreamMs = 10_000
/** Being sent at once: each holds its bytes and one connection. */
const sendingAtOnce = 32

export function lineOf(parts: LineParts): Line {
  const { mediator, tokens, receipts, tools } = parts
  let sending = 0
  /** The next poll says that these arrived; an answer that was lost comes again. */
  let received: readonly string[] = []
  const get = async (path: string, wait: number, signal: AbortSignal): Promise<Answer> => {
    const token = await tokens.read('intent')
    const timeoutMs = wait * 1000 + upstreamMs
    return await mediator.call({ method: 'GET', path, token, timeoutMs, signal })
  }
  return {
    cluster: async (signal) => expected(clusterInfo, await get('/v1/cluster', 0, signal)),
    async triggers(wait, signal) {
      const seen = received.length === 0 ? '' : `&seen=${received.join(',')}`
      const found = expected(
        triggerList,
        await get(`/v1/triggers?wait=${wait}${seen}`, wait, signal),
      )
      received = found.triggers.map(({ id }) => id)
      return found
    },
    async intent(id, wait, signal) {
      const view = expected(intentView, await get(`/v1/intents/${id}?wait=${wait}`, wait, signal))
      await receipts.learn(view)
      return view
    },
    async propose(action, request, wait, signal) {
      if (sending >= sendingAtOnce) {
        const message = `${sendingAtOnce} intents are being sent already; wait for one of them`
        throw new JackstayError('overloaded', message, { retryAfterSeconds: 1 })
      }
      sending++
      let intent: SignedIntent
      try {
        intent = await signed(action, request, parts)
      } catch (error) {
        sending--
        throw error
      }
      const sent = send(intent, wait, parts).finally(() => sending--)
      return await patiently(sent, intent, wait * 1000 + (parts.patienceMs ?? upstreamMs), signal)
    },
    async read(verb, question, signal) {
      const answer = await tools.call({
        method: 'POST',
        path: `/v1/tools/${verb}`,
        token: await tokens.read('tools'),
        body: JSON.stringify(question),
        timeoutMs: upstreamMs,
        signal,
      })
      return expected(z.record(z.string(), z.json()), answer, 'kubernetes-read tool')
    },
  }
}

async function signed(
  action: string,
  request: ActionRequest,
  { clock, enroller, ids, key, log, receipts, sequence, tokens }: LineParts,
): Promise<SignedIntent> {
  const enrolment = enroller.current()
  const token = await tokens.read('intent')
  const seq = await sequence.next()
  const intent = await signIntent(action, request, { enrolment, key, seq, token, clock, ids })
  await receipts.open(intent)
  log.info({ intentId: intent.id, seq, action, target: request.target }, 'intent signed')
  return intent
}

async function send(
  intent: SignedIntent,
  wait: number,
  { clock, enroller, log, mediator, receipts, sleep, stopping }: LineParts,
): Promise<IntentView> {
  const intentId = intent.id
  const onResend = (err: JackstayError) => log.warn({ intentId, err }, 'intent sent again')
  const options = { mediator, clock, sleep, settling: enroller.settling, onResend }
  try {
    const view = expected(intentView, await submit(intent, wait, options, stopping))
    log.info({ intentId, phase: view.summary.phase }, 'intent answered')
    await receipts.learn(view)
    return view
  } catch (error) {
    if (error instanceof JackstayError) await receipts.fail(intentId, error)
    log.warn({ intentId, err: error }, 'intent not answered')
    throw error
  }
}

/** Waits for the answer as long as the agent does, and then says where to ask for it. */
async function patiently(
  sent: Promise<IntentView>,
  { id, expiresAt }: SignedIntent,
  ms: number,
  signal: AbortSignal,
): Promise<IntentView> {
  sent.catch(() => {}) // its receipt has it; whoever still waits sees it too
  const ended = Promise.withResolvers<never>()
  const giveUp = () => {
    const until = new Date(expiresAt).toISOString()
    const message = `intent \`${id}\` is kept and sent, the same bytes, until ${until}; nobody has answered it yet: ask for its outcome before you propose anything else`
    ended.reject(new JackstayError('outcome_unknown', message, { retryAfterSeconds: 5 }))
  }
  const timer = setTimeout(giveUp, ms)
  const leave = () => ended.reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    return await Promise.race([sent, ended.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}

function expected<S extends z.ZodType>(
  schema: S,
  { body }: Answer,
  name = 'mediator',
): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw strange(name, 'unexpected body', parsed.error)
}
