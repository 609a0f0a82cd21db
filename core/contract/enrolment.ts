import { z } from 'zod'
import { publicKey, thumbprint } from './signing.ts'
import { digest, uuid } from './text.ts'

/**
 * The signed payload of `typ: jackstay-enrol+jws`: proof that the caller holds the private key,
 * bound by `ath` to the one token it came with and by `aud` to one cluster.
 */
export const enrolmentProof = z.strictObject({
  v: z.literal(1),
  aud: uuid,
  iat: z.int().min(0),
  exp: z.int().min(0),
  ath: digest,
  jwk: publicKey,
})
export type EnrolmentProof = z.infer<typeof enrolmentProof>

/** The body of `POST /v1/enrolments`, in canonical form. */
export const enrolmentRequest = z.strictObject({ proof: z.string().min(1).max(8192) })

/** Its answer. */
export const enrolmentAnswer = z.strictObject({
  /** The AgentKey object, `namespace/name`. */
  agentKey: z.string(),
  kid: thumbprint,
  agent: z.string(),
  class: z.string(),
})
export type EnrolmentAnswer = z.infer<typeof enrolmentAnswer>

/** Token audiences. None of them is the API server's own, and only the first can enrol (T81). */
export const audiences = {
  enrol: 'jackstay-enrol',
  intent: 'jackstay-intent',
  tools: 'jackstay-tools',
  model: 'jackstay-model',
  read: 'jackstay-read',
} as const

/** The ServiceAccount for which people make tokens to say that something happened. */
export const triggerMaker = 'jackstay-trigger-maker'

/**
 * The one audience a person's token for the trigger maker has. An admission policy holds the name in
 * it to whoever makes the token, so the API server vouches for who it was.
 */
export function triggerAudience(username: string): string {
  return `${triggerAudiencePrefix}${username}`
}
export const triggerAudiencePrefix = 'jackstay-trigger:'
