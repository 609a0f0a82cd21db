import type { Answer } from './attempt.ts'

/** A request that exactly one policy stands in the way of. Always a dry-run: it may be repeated. */
export interface Attack {
  attempt(): Promise<Answer>
  /** What must be there first; returns how it goes again. */
  prepared?(): Promise<() => Promise<void>>
}

export const dryRun = { dryRun: true }
