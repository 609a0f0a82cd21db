/** A token bucket between two calls: how many tokens were left, and when (milliseconds). */
export interface BucketState {
  readonly tokens: number
  readonly at: number
}

/**
 * Takes one token from a bucket that holds `perMinute` tokens and refills evenly. Without a state
 * the bucket is full; a clock that goes back refills nothing.
 */
export function take(
  state: BucketState | undefined,
  nowMs: number,
  { perMinute }: { readonly perMinute: number },
): { readonly state: BucketState; readonly ok: boolean } {
  const at = Math.max(nowMs, state?.at ?? nowMs)
  const refilled = state === undefined ? perMinute : ((at - state.at) * perMinute) / 60_000
  const tokens = Math.min(perMinute, (state?.tokens ?? 0) + refilled)
  const ok = tokens >= 1
  return { state: { tokens: ok ? tokens - 1 : tokens, at }, ok }
}
