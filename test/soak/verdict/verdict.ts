import { effectFaults } from './effects.ts'
import { endingFaults, stopFaults } from './endings.ts'
import type { Evidence, Violation } from './evidence.ts'
import { type Explained, explain } from './explained.ts'
import { leafFaults } from './leaves.ts'
import { stateFaults } from './state.ts'
import { strangerFaults } from './strangers.ts'

export interface Verdict {
  readonly violations: readonly Violation[]
  /** Writes of executors that landed, undos among them. */
  readonly effects: number
  readonly undos: number
  /** How many of the others by each action. */
  readonly byAction: Readonly<Record<string, number>>
  /** How long after a stop stood the last write still came. */
  readonly latestAfterStopMs: number
}

/** How late a write may come after a stop before it is a violation: the figure is told, never asserted close. */
const stopGraceMs = 2_000

/** Whether every promise was kept, from what independent witnesses say. Pure. */
export function judge(evidence: Evidence): Verdict {
  const { explained, violations } = explain(evidence.writes, evidence.histories)
  const stops = stopFaults(evidence, explained, stopGraceMs)
  return {
    violations: [
      ...violations,
      ...effectFaults(evidence, explained),
      ...endingFaults(evidence),
      ...leafFaults(evidence),
      ...strangerFaults(evidence),
      ...stateFaults(evidence, explained),
      ...stops.violations,
    ],
    effects: explained.length,
    undos: explained.filter(({ undo }) => undo).length,
    byAction: byAction(explained),
    latestAfterStopMs: stops.latestMs,
  }
}

function byAction(explained: readonly Explained[]): Record<string, number> {
  const actions = explained
    .filter(({ undo }) => !undo)
    .map(({ write }) => write.extra['jackstay.dev/action']?.[0] ?? '')
    .toSorted()
  return Object.fromEntries(
    [...Map.groupBy(actions, (action) => action)].map(([action, all]) => [action, all.length]),
  )
}
