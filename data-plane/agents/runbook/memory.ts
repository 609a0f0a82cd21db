import { canonical } from '@jackstay/contract/json'
import type { Proposal } from './diagnoses/diagnosis.ts'

/** What the agent asked for already, and how often it looked into each alert. */
export interface Memory {
  /** Whether this was asked for before: for the same alert ever, for another one lately. */
  asked(proposal: Proposal, triggerId: string): boolean
  /** Before it is sent, so that an answer that never comes counts as well. */
  ask(proposal: Proposal, triggerId: string): void
  /** It ended without having been judged or done: it may be asked for again. */
  forget(proposal: Proposal): void
  /** Whether an alert that is offered again rests: each look into it doubles the pause. */
  rests(triggerId: string): boolean
  looked(triggerId: string): void
}

const lately = 30 * 60_000
/** Shorter than the five minutes after which an alert is offered again. */
const firstRest = 4 * 60_000
const longestRest = 3600_000
/** Of each, the newest. */
const kept = 1000

export function memory(clock: { now(): number }): Memory {
  const proposals = new Map<string, { readonly at: number; readonly triggers: Set<string> }>()
  const looks = new Map<string, { readonly until: number; readonly rest: number }>()
  return {
    asked(proposal, triggerId) {
      const before = proposals.get(keyOf(proposal))
      if (before === undefined) return false
      return before.triggers.has(triggerId) || clock.now() - before.at < lately
    },
    ask(proposal, triggerId) {
      const key = keyOf(proposal)
      const triggers = new Set([...(proposals.get(key)?.triggers ?? []), triggerId].slice(-kept))
      remember(proposals, key, { at: clock.now(), triggers })
    },
    forget: (proposal) => void proposals.delete(keyOf(proposal)),
    rests: (triggerId) => clock.now() < (looks.get(triggerId)?.until ?? 0),
    looked(triggerId) {
      const rest = Math.min((looks.get(triggerId)?.rest ?? firstRest / 2) * 2, longestRest)
      remember(looks, triggerId, { until: clock.now() + rest, rest })
    },
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > kept && oldest !== undefined) map.delete(oldest)
}

/** The same change of the same object, however the summary words it. */
function keyOf({ action, target, params }: Proposal): string {
  return canonical({ action, target, params })
}
