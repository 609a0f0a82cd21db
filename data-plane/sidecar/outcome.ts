import type { IntentView } from '@jackstay/contract/api'
import {
  type Phase,
  type Reason,
  type TerminalPhase,
  terminalPhases,
} from '@jackstay/contract/history'
import { z } from 'zod'

/** Where an intent stands, and what its agent may do next. */
export interface Outcome {
  readonly intent: string
  readonly action: string
  readonly target: string
  readonly phase: Phase
  /** Nothing more will happen. */
  readonly final: boolean
  readonly reason?: string
  readonly message?: string
  /** RFC 3339; people have until then. */
  readonly approveBefore?: string
  readonly next: string
}

const ended = z.object({ message: z.string() })
const rehearsed = z.object({ approveBefore: z.string() })

/** What the control plane said when it ended the intent. */
export function endingOf(events: IntentView['events']): { readonly message?: string } {
  const parsed = ended.safeParse(events.findLast(({ type }) => type === 'ended')?.data)
  return parsed.success ? { message: parsed.data.message } : {}
}

export function outcomeOf({ summary, events }: IntentView): Outcome {
  const { id, action, target, phase, reason } = summary
  const waits = rehearsed.safeParse(events.findLast(({ type }) => type === 'rehearsed')?.data)
  return {
    ...{ intent: id, action, target, phase, final: isTerminal(phase) },
    ...(reason && { reason }),
    ...endingOf(events),
    ...(phase === 'approve' && waits.success && { approveBefore: waits.data.approveBefore }),
    next: nextAfter(phase, reason),
  }
}

function isTerminal(phase: Phase): phase is TerminalPhase {
  return terminalPhases.some((one) => one === phase)
}

/** What did not come about: an agent has to notice. */
export function isSetback(phase: Phase): boolean {
  return isTerminal(phase) && phase !== 'verified' && phase !== 'proposed'
}

function nextAfter(phase: Phase, reason: string | undefined): string {
  if (phase === 'approve') {
    return 'people have to approve it: follow it with `await_outcome`, and do not propose it again meanwhile'
  }
  if (!isTerminal(phase)) return 'it is under way: follow it with `await_outcome`'
  // `reason` is a word of the control plane's list; one of a later version has the phase's advice
  return reasonAdvice.get(reason ?? '') ?? phaseAdvice[phase]
}

const phaseAdvice: Readonly<Record<TerminalPhase, string>> = {
  refused: 'do not propose the same again: change what the reason names, or leave it to people',
  rejected: 'a person said no: do not propose it again, leave it to people',
  expired:
    'nobody approved in time: look at the cluster again, propose it once more if it is still needed',
  cancelled: 'a person took it back: do not propose it again',
  obsolete: 'the ground moved under it: look at the cluster again before you propose anything',
  proposed: 'it stands as a proposal and will not be carried out: nothing more to do',
  verified: 'it is done and was seen to hold: read the cluster to see what it changed',
  failed: 'nothing was changed: read the message, look at the cluster again',
  rolled_back: 'it did not help and was taken back: look for another cause',
  rollback_failed: 'it could not be taken back and is held for people: change nothing more here',
}

const advice: Readonly<Partial<Record<Reason, string>>> = {
  suspended:
    'people stopped changes here: propose nothing until they lift it, reading stays allowed',
  rate_limited: 'you propose too often: wait a minute, then propose only what matters most',
  budget_exhausted: 'the class has used up what it may change: wait as long as the message says',
  breaker_open: 'too much went wrong lately: wait as long as the message says, look for the cause',
  outside_class:
    'your class may not do this: choose an action of `tools/list` and a target it may name',
  class_not_granted:
    'people have to grant your class first: nothing will be carried out until then',
  more_than_reads:
    'people have to take rights from your identity first: nothing will be carried out until then',
  target_not_found: 'there is no such object: read the cluster and correct the target',
  unknown_action: 'there is no such action: choose one of `tools/list`',
  invalid_params: 'correct the params as the message says, then propose it once more',
  no_change: 'the object is like that already: nothing to do',
  denied: 'a policy forbids it: do not propose the same again, leave it to people',
  window_closed: 'changes are not allowed at this time: wait as long as the message says',
  trigger_resolved: 'what it was about is over: nothing to do',
  target_changed:
    'somebody changed the object meanwhile: read it again before you propose anything',
}
const reasonAdvice: ReadonlyMap<string, string> = new Map(Object.entries(advice))
