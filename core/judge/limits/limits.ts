import { z } from 'zod'

/** A token bucket between two calls: how many tokens were left, and when (milliseconds). */
export const bucketState = z.strictObject({ tokens: z.number().min(0), at: z.number() })
export type BucketState = Readonly<z.infer<typeof bucketState>>

/**
 * Takes one token from a bucket that holds `perMinute` tokens and refills evenly. Without a state
 * the bucket is full; a clock that goes back refills nothing, a time that is none gives nothing.
 */
export function take(
  state: BucketState | undefined,
  nowMs: number,
  { perMinute }: { readonly perMinute: number },
): { readonly state: BucketState; readonly ok: boolean } {
  if (!Number.isFinite(nowMs)) return { state: state ?? { tokens: 0, at: 0 }, ok: false }
  const at = Math.max(nowMs, state?.at ?? nowMs)
  const refilled = state === undefined ? perMinute : ((at - state.at) * perMinute) / 60_000
  const tokens = Math.min(perMinute, (state?.tokens ?? 0) + refilled)
  const ok = tokens >= 1
  return { state: { tokens: ok ? tokens - 1 : tokens, at }, ok }
}
