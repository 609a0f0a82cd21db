import { assertAllowed, rateLimiter } from '@jackstay/service/rate'

/** Intents of one agent, far above what a class allows: it guards the store, not the cluster. */
const intents = { perSecond: 2, burst: 60 }
/** Requests beyond that which are read all the same: breakers count those whose signature is right. */
const read = { perSecond: 2, burst: 20 }
const maxKeys = 10_000

export interface Floodgate {
  /**
   * Before a request is read, by the token that was its sender's a while ago. Takes nothing, because a
   * token alone proves nobody; shuts only while the agent has none left anyway and goes on all the same.
   * @throws JackstayError `rate_limited`
   */
  early(agent: string): void
  /** Of an agent whose request is its own beyond doubt. @throws JackstayError `rate_limited` */
  demand(agent: string): void
}

/**
 * Lets each agent begin so many intents. Reading a request to its end costs a hundred times what saying no
 * costs: of a flood only a few are read, so that it takes no time from others (T02).
 */
export function floodgate(clock: () => number): Floodgate {
  const allowed = rateLimiter({ ...intents, maxKeys, clock })
  const refused = rateLimiter({ ...read, maxKeys, clock })
  return {
    early(agent) {
      if (!refused.peek(agent).allowed) assertAllowed(allowed.peek(agent))
    },
    demand(agent) {
      const rate = allowed.take(agent)
      if (!rate.allowed) refused.take(agent)
      assertAllowed(rate)
    },
  }
}
