import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import { type BucketState, take } from '@jackstay/judge/limits'
import type { Allowances, Clock } from '../ports.ts'

/** Agents whose rate is remembered; beyond that the one not heard of for longest starts afresh. */
const remembered = 10_000

/** Exact within one mediator. After a restart the histories tell it again what is open. */
export function allowances(clock: Clock): Allowances {
  const states = new Map<string, BucketState>()
  /** Ids of the agents' open intents; as many as the store has open. */
  const open = new Map<string, Set<string>>()
  const forget = ({ id, authenticated: { agent } }: IntentRecord) => {
    const own = open.get(agent.name)
    own?.delete(id)
    if (own?.size === 0) open.delete(agent.name)
  }
  return {
    take(agent, perMinute) {
      const { state, ok } = take(states.get(agent), clock.now(), { perMinute })
      states.delete(agent)
      states.set(agent, state)
      const [oldest] = states.keys()
      if (states.size > remembered && oldest !== undefined) states.delete(oldest)
      return ok
    },
    pending(agent, except) {
      const own = open.get(agent)
      return own === undefined ? 0 : own.size - Number(own.has(except))
    },
    note(record) {
      if (hasEnded(record)) {
        forget(record)
        return
      }
      const { name } = record.authenticated.agent
      open.set(name, (open.get(name) ?? new Set()).add(record.id))
    },
    forget,
  }
}
