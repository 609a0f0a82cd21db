import { type BucketState, take } from '@jackstay/judge/limits'
import type { Store } from '@jackstay/ledger/store'
import type { Allowances, Clock } from '../ports.ts'

/** Agents whose rate is remembered; beyond that the one not heard of for longest starts afresh. */
const remembered = 10_000

export function allowances(store: Pick<Store, 'list'>, clock: Clock): Allowances {
  const states = new Map<string, BucketState>()
  return {
    take(agent, perMinute) {
      const { state, ok } = take(states.get(agent), clock.now(), { perMinute })
      states.delete(agent)
      states.set(agent, state)
      const [oldest] = states.keys()
      if (states.size > remembered && oldest !== undefined) states.delete(oldest)
      return ok
    },
    async pending(agent, except) {
      const open = await store.list({ agent, terminal: false, limit: 1000 })
      return open.filter((intent) => intent.id !== except).length
    },
  }
}
