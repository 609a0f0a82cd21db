/** Bounds of a jittered exponential backoff, in milliseconds. */
export interface Backoff {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * The delay before attempt `attempt` (0 = first retry), in milliseconds: uniform between `minMs` and
 * an upper bound that doubles with each attempt up to `maxMs`. Full jitter with a floor, after
 * "Exponential Backoff And Jitter" (Brooker): without jitter every client of a restarted API server
 * returns in the same millisecond.
 * @param random a number in [0, 1)
 */
export function backoffDelay(attempt: number, { minMs, maxMs }: Backoff, random: number): number {
  const upper = Math.min(maxMs, minMs * 2 ** Math.min(attempt + 1, 30))
  return minMs + random * Math.max(0, upper - minMs)
}
