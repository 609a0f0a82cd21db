import { z } from 'zod'
import { type Digest, digestOf, type Json } from './json.ts'
import { actionName, apiVersion, digest, dnsLabel, dnsName, kindName, uuid, uuid7 } from './text.ts'

/** What an intent wants changed: one object, named the way the API server names it. */
export const target = z.strictObject({
  apiVersion,
  kind: kindName,
  name: dnsName,
  namespace: dnsLabel.optional(),
  uid: uuid.optional(),
})
export type Target = z.infer<typeof target>

/** `<namespace>/<ServiceAccount>`: what Jackstay calls an agent. */
export const agentName = z
  .string()
  .max(317)
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
    'must be `namespace/serviceaccount`',
  )

/** JSON inside parameters: bounded by the wire limits, checked again by the action's own schema. */
const jsonValue: z.ZodType<Json> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    z.string().max(4096),
    z.array(jsonValue).max(256),
    z.record(z.string().max(253), jsonValue),
  ]),
)

const counter = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const seconds = z.int().min(0).max(253_402_300_799)

/** Longest lifetime of an intent, and how far clocks may differ, in seconds. */
export const intentLifetime = 60
export const clockSkew = 5

/** The signed payload of `typ: jackstay-intent+jws`, in the order it is signed in. Unknown fields are refused. */
export const intentClaims = z.strictObject({
  action: actionName,
  ath: digest,
  aud: uuid,
  exp: seconds,
  iat: seconds,
  iss: agentName,
  jti: uuid7,
  params: z.record(z.string().max(63), jsonValue),
  reasoning: z.strictObject({ digest }),
  seq: counter,
  sub: uuid,
  target,
  trigger: z.strictObject({ id: uuid7 }).optional(),
  v: z.literal(1),
})
export type IntentClaims = z.infer<typeof intentClaims>

/**
 * What an agent says about its reasons. It travels beside the signature, covered by `digest`, so
 * it can be erased while the signature still verifies. It is never believed.
 */
export const reasoning = z.strictObject({
  evidence: z.array(z.strictObject({ digest, uri: z.string().min(1).max(512) })).max(16),
  /** 128 random bits, hex: without it a short text could be guessed from its digest. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  summary: z.string().min(1).max(1024),
})
export type Reasoning = z.infer<typeof reasoning>

export function reasoningDigest(value: Reasoning): Digest {
  return digestOf(value)
}

/** The body of `POST /v1/intents`, in canonical form. */
export const intentSubmission = z.strictObject({
  jws: z
    .string()
    .min(1)
    .max(32 * 1024),
  reasoning,
})
export type IntentSubmission = z.infer<typeof intentSubmission>
