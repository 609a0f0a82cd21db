import { JackstayError } from '@jackstay/contract/errors'
import type { Clock, SignedIntent } from './intent.ts'
import type { Answer, Upstream } from './upstream.ts'

export interface SubmitOptions {
  readonly mediator: Upstream
  readonly clock: Clock
  /** Resolves after `ms`, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** The mediator may not have heard of a key enrolled a moment ago. */
  readonly settling: () => boolean
  readonly onResend: (error: JackstayError) => void
}

const graceMs = 10_000
/** Stop sending so long before the end that the mediator's clock may be ahead. */
const marginMs = 5_000
const firstDelayMs = 200
const maxDelayMs = 5_000

/** What is needed of a signed intent to send it. */
export type Sendable = Pick<SignedIntent, 'id' | 'body' | 'token' | 'expiresAt'>

/**
 * Sends an intent until it is answered: always the same bytes, which the mediator answers the same
 * way however often they arrive. When its lifetime ends without an answer, asks what became of it.
 * @throws JackstayError of the mediator; `upstream_unavailable` when it certainly never arrived;
 *   `outcome_unknown` naming the id to ask for
 */
export async function submit(
  intent: Sendable,
  waitSeconds: number,
  options: SubmitOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { mediator, clock, sleep } = options
  let unsure = false
  for (let delay = firstDelayMs; ; delay = Math.min(delay * 2, maxDelayMs)) {
    try {
      return await mediator.call({
        method: 'POST',
        path: `/v1/intents?wait=${waitSeconds}`,
        token: intent.token,
        body: intent.body,
        timeoutMs: waitSeconds * 1000 + graceMs,
        signal,
        effect: true,
      })
    } catch (error) {
      if (signal.aborted || !(error instanceof JackstayError)) throw error
      if (!mayResend(error, options)) throw error
      unsure ||= mayHaveArrived(error)
      if (clock.now() + delay > intent.expiresAt - marginMs) {
        if (unsure) return await settle(intent, mediator, error, signal)
        throw error
      }
      options.onResend(error)
      await sleep(delay, signal)
      signal.throwIfAborted()
    }
  }
}

function mayResend(error: JackstayError, { settling }: SubmitOptions): boolean {
  if (error.code === 'unknown_key') return settling()
  if (error.code === 'rate_limited') return false // the agent has to slow down, not we
  return error.retryable || error.code === 'outcome_unknown'
}

function mayHaveArrived({ code }: JackstayError): boolean {
  return !['not_ready', 'overloaded', 'draining', 'unknown_key', 'upstream_unavailable'].includes(
    code,
  )
}

async function settle(
  { id, token }: Sendable,
  mediator: Upstream,
  cause: JackstayError,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    return await mediator.call({
      method: 'GET',
      path: `/v1/intents/${id}`,
      token,
      timeoutMs: graceMs,
      signal,
    })
  } catch (error) {
    if (signal.aborted || !(error instanceof JackstayError)) throw error
    throw new JackstayError(
      'outcome_unknown',
      `intent \`${id}\` was sent but the mediator did not answer; ask \`GET /v1/intents/${id}\` before you try anything else`,
      { cause },
    )
  }
}
