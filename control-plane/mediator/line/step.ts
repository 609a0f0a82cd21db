import type {
  EventData,
  IntentEvent,
  Reason,
  StageName,
  TerminalPhase,
} from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Leaf, Ports } from '../ports.ts'

/** What a waiting intent waits for; whichever comes first wakes it. */
export interface Wake {
  readonly on: readonly ('approvals' | 'suspensions' | 'target')[]
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Sooner than that it looks all the same, this often; less often where many wait. */
  readonly recheckMs?: number
  /** Changes of the target are gathered for so long before the stage looks again. */
  readonly settleMs?: number
}

/** What a stage concluded: facts for the log, and how the line goes on. */
export type Step =
  | {
      readonly go: 'next'
      readonly events: readonly IntentEvent[]
      readonly leaves: readonly Leaf[]
    }
  | {
      readonly go: 'end'
      readonly events: readonly IntentEvent[]
      readonly leaves: readonly Leaf[]
    }
  | { readonly go: 'wait'; readonly wake: Wake }

/**
 * A stage runs when the intent's phase is its name: when its own result is the first one missing.
 * It gathers, judges (pure), acts through a port, and says what happened.
 */
export interface Stage {
  readonly name: StageName
  /**
   * Changes nothing outside this process: its events may go on record together with those of the next
   * stage, because after a crash in between it only looks and says the same again.
   */
  readonly onlyLooks?: true
  run(record: IntentRecord, ports: Ports): Promise<Step>
}

export function next(event: IntentEvent, ...leaves: readonly Leaf[]): Step {
  return { go: 'next', events: [event], leaves }
}

export function wait(wake: Wake): Step {
  return { go: 'wait', wake }
}

export interface Ending {
  readonly phase: TerminalPhase
  readonly reason: Reason
  readonly message: string
  readonly decision?: EventData<'ended'>['decision']
  readonly grounds?: EventData<'ended'>['grounds']
  readonly approvals?: EventData<'ended'>['approvals']
  readonly observed?: EventData<'ended'>['observed']
}

export function rfc3339(ms: number): string {
  return new Date(ms).toISOString()
}
