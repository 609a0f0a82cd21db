import { JackstayError } from '@jackstay/contract/errors'

export interface RateOptions {
  /** Tokens that come back per second. */
  readonly perSecond: number
  /** Tokens a key starts with and can save up. */
  readonly burst: number
  /** Keys remembered; those beyond share one bucket until room is made. */
  readonly maxKeys: number
  /** Milliseconds that never run backwards, such as `() => performance.now()`. */
  readonly clock: () => number
}

export type Rate =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly retryAfterMs: number }

export interface RateLimiter {
  take(key: string, tokens?: number): Rate
  /** What {@link take} would say, without taking. */
  peek(key: string, tokens?: number): Rate
  /** @throws JackstayError `rate_limited` */
  demand(key: string, tokens?: number): void
  readonly keys: number
}

interface Bucket {
  tokens: number
  at: number
}

const scanned = 16

/**
 * A token bucket per key. Only a bucket that is full again is forgotten, so nobody escapes a limit
 * by making others fill the map (T02); while the map is full of limited keys, new ones share one
 * bucket.
 */
export function rateLimiter({ perSecond, burst, maxKeys, clock }: RateOptions): RateLimiter {
  if (!(perSecond > 0 && burst >= 1 && maxKeys >= 1)) {
    throw new JackstayError('invalid_config', 'a rate needs perSecond > 0, burst ≥ 1, maxKeys ≥ 1')
  }
  const buckets = new Map<string, Bucket>() // in order of last use
  const overflow: Bucket = { tokens: burst, at: clock() }

  const refill = (bucket: Bucket, now: number) => {
    bucket.tokens = Math.min(
      burst,
      bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond,
    )
    bucket.at = Math.max(bucket.at, now)
  }
  const makeRoom = (now: number) => {
    let left = scanned
    for (const [key, bucket] of buckets) {
      refill(bucket, now)
      if (bucket.tokens >= burst) return buckets.delete(key)
      if (--left === 0) return false
    }
    return false
  }
  const bucketOf = (key: string, now: number): Bucket => {
    const known = buckets.get(key)
    if (known) {
      buckets.delete(key)
      buckets.set(key, known)
      return known
    }
    if (buckets.size >= maxKeys && !makeRoom(now)) return overflow
    const bucket = { tokens: burst, at: now }
    buckets.set(key, bucket)
    return bucket
  }

  const ask = (key: string, tokens: number, taken: number): Rate => {
    const now = clock()
    const bucket = bucketOf(key, now)
    refill(bucket, now)
    if (bucket.tokens >= tokens) {
      bucket.tokens -= taken
      return { allowed: true }
    }
    return {
      allowed: false,
      retryAfterMs: Math.ceil(((tokens - bucket.tokens) / perSecond) * 1000),
    }
  }
  const take: RateLimiter['take'] = (key, tokens = 1) => ask(key, tokens, tokens)
  return {
    take,
    peek: (key, tokens = 1) => ask(key, tokens, 0),
    demand(key, tokens) {
      assertAllowed(take(key, tokens))
    },
    get keys() {
      return buckets.size
    },
  }
}

/** @throws JackstayError `rate_limited` */
export function assertAllowed(rate: Rate): void {
  if (rate.allowed) return
  throw new JackstayError(
    'rate_limited',
    `too many requests; try again in ${rate.retryAfterMs} ms`,
    { retryAfterSeconds: Math.ceil(rate.retryAfterMs / 1000) },
  )
}
