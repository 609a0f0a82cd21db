import { JackstayError } from '@jackstay/contract/errors'
import {
  type IntentClaims,
  intentClaims,
  intentLifetime,
  intentSubmission,
  type Reasoning,
  reasoning,
  reasoningDigest,
} from '@jackstay/contract/intent'
import { canonical, sha256, wireLimits } from '@jackstay/contract/json'
import { sign } from '@jackstay/contract/signing'
import { z } from 'zod'
import type { Enrolment } from './enrolment.ts'
import type { SigningKey } from './key.ts'

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
}

export interface Ids {
  /** A UUIDv7. */
  intent(): string
  /** 128 random bits in hex. */
  salt(): string
}

/** What an agent asks for: the body of `POST /v1/actions/{name}`. */
export const actionRequest = z.strictObject({
  target: intentClaims.shape.target,
  params: intentClaims.shape.params,
  reasoning: reasoning.omit({ salt: true }),
  trigger: intentClaims.shape.trigger,
})
export type ActionRequest = z.infer<typeof actionRequest>

export interface SigningContext {
  readonly enrolment: Enrolment
  readonly key: SigningKey
  readonly seq: number
  /** The token it will be sent with. */
  readonly token: string
  readonly clock: Clock
  readonly ids: Ids
}

/** An intent ready to send, and to send again unchanged. */
export interface SignedIntent {
  readonly id: string
  readonly seq: number
  readonly action: string
  readonly target: IntentClaims['target']
  /** Of the trigger it answers. */
  readonly trigger?: string
  readonly jws: string
  /** The canonical body of `POST /v1/intents`. */
  readonly body: string
  readonly token: string
  /** Milliseconds since the epoch; sending later is pointless. */
  readonly expiresAt: number
}

/**
 * Fills in everything an agent has no say in (who, where, when, in which order), and signs it.
 * @throws JackstayError `too_large`
 */
export async function signIntent(
  action: string,
  request: ActionRequest,
  { enrolment, key, seq, token, clock, ids }: SigningContext,
): Promise<SignedIntent> {
  const reasons: Reasoning = { ...request.reasoning, salt: ids.salt() }
  const iat = Math.floor(clock.now() / 1000)
  const claims: IntentClaims = {
    v: 1,
    jti: ids.intent(),
    seq,
    iss: enrolment.agent,
    sub: enrolment.podUid,
    aud: enrolment.clusterUid,
    iat,
    exp: iat + intentLifetime,
    ath: sha256(token),
    action,
    target: request.target,
    params: request.params,
    ...(request.trigger && { trigger: request.trigger }),
    reasoning: { digest: reasoningDigest(reasons) },
  }
  const jws = await sign('jackstay-intent+jws', claims, key)
  const submission = { jws, reasoning: reasons }
  const body = canonical(submission)
  if (!intentSubmission.safeParse(submission).success || body.length > wireLimits.bytes) {
    throw new JackstayError('too_large', 'the params are too large for one intent; send less')
  }
  return {
    ...{ id: claims.jti, seq, action, target: request.target, jws, body, token },
    ...(request.trigger && { trigger: request.trigger.id }),
    expiresAt: claims.exp * 1000,
  }
}
