import type { Cosigner } from '../log/cosignature.ts'
import type { Clock } from '../store/store.ts'
import { addCheckpointLimit, parseAddCheckpoint, sizeContentType } from './add-checkpoint.ts'
import { boundedText } from './http-body.ts'
import { decideAddCheckpoint, type KnownLogs, originOf, type WitnessedTree } from './witness.ts'

/** What a witness keeps; whoever hosts it decides where. */
export interface WitnessState {
  read(origin: string): Promise<WitnessedTree | undefined>
  /**
   * Replaces the tree when it still is `expected`, and resolves once that is durable. False when
   * somebody else was faster.
   */
  replace(
    origin: string,
    expected: WitnessedTree | undefined,
    next: WitnessedTree,
  ): Promise<boolean>
}

export interface WitnessOptions {
  readonly cosigner: Cosigner
  readonly logs: KnownLogs
  readonly state: WitnessState
  readonly clock: Clock
}

/**
 * A witness behind HTTP (https://c2sp.org/tlog-witness). Needs no credentials: only what a known
 * log signed changes anything. Errors of the state pass through, and nothing is signed then.
 */
export function witnessHandler(options: WitnessOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!new URL(request.url).pathname.endsWith('/add-checkpoint')) return answer(404, 'not here')
    if (request.method !== 'POST') return answer(405, 'use POST')
    const body = await boundedText(request.body, addCheckpointLimit)
    if (body === undefined) return answer(413, `more than ${addCheckpointLimit} bytes`)
    return addCheckpoint(body, options)
  }
}

async function addCheckpoint(body: string, options: WitnessOptions): Promise<Response> {
  const { cosigner, logs, state, clock } = options
  const request = parseAddCheckpoint(body)
  if (request === undefined) return answer(400, 'the body is no add-checkpoint request')
  const seen = await state.read(originOf(request) ?? '')
  const decision = decideAddCheckpoint(request, logs, seen)
  if (decision.kind === 'refuse') return refusal(decision.status, decision.message, decision.size)
  const { origin, text, next } = decision
  if (!(await state.replace(origin, seen, next))) {
    return refusal(409, 'another checkpoint came first', (await state.read(origin))?.size ?? 0)
  }
  return answer(200, cosigner.cosign(text, Math.floor(clock.now() / 1000)).trimEnd())
}

function refusal(status: number, message: string, size: number | undefined): Response {
  if (size === undefined) return answer(status, message)
  return new Response(`${size}\n`, { status, headers: { 'content-type': sizeContentType } })
}

function answer(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain' } })
}
