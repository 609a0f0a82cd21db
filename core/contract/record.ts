import {
  type EventData,
  type EventType,
  type IntentEvent,
  type Phase,
  type StageName,
  stageNames,
} from './history.ts'
import type { Redactions } from './redaction.ts'

type Stamped<T extends EventType> = EventData<T> & { readonly at: string }

/** An intent as its events tell it. Nothing else says what happened. */
export interface IntentRecord {
  readonly id: string
  /** Number of events folded. */
  readonly seq: number
  readonly phase: Phase
  readonly authenticated: Stamped<'authenticated'>
  readonly admitted?: Stamped<'admitted'>
  readonly planned?: Stamped<'planned'>
  readonly decided?: Stamped<'decided'>
  readonly rehearsed?: Stamped<'rehearsed'>
  readonly approved?: Stamped<'approved'>
  /** The newest attempt. */
  readonly dispatched?: Stamped<'dispatched'>
  readonly written: readonly Stamped<'written'>[]
  readonly executed?: Stamped<'executed'>
  readonly undoing?: Stamped<'undoing'>
  readonly undoDispatched?: Stamped<'undoDispatched'>
  readonly undone: readonly Stamped<'undone'>[]
  readonly ended?: Stamped<'ended'>
  /** What was erased from any event, and which leaf says why. */
  readonly redacted: Redactions
}

/** The stage an intent is in: the first one whose result is not among its events. */
function stageOf(record: Omit<IntentRecord, 'phase'>): StageName {
  if (record.undoing) return 'undo'
  if (record.executed) return 'verify'
  if (record.dispatched) return 'execute'
  if (record.approved) return 'dispatch'
  const { rehearsed } = record
  if (rehearsed) return rehearsed.decision.requirements.length > 0 ? 'approve' : 'dispatch'
  if (record.decided) return 'rehearse'
  if (record.planned) return 'decide'
  return record.admitted ? 'plan' : 'admit'
}

/** The stages that write each event. What stands anywhere else did not come from the line. */
const writtenIn: { readonly [T in EventType]: readonly StageName[] } = {
  authenticated: [],
  admitted: ['admit'],
  planned: ['plan'],
  decided: ['decide'],
  rehearsed: ['rehearse'],
  approved: ['approve'],
  dispatched: ['dispatch', 'execute'],
  written: ['execute'],
  executed: ['execute'],
  undoing: ['execute', 'verify'],
  undoDispatched: ['undo'],
  undone: ['undo'],
  ended: stageNames,
}

/**
 * Folds an intent's events, oldest first.
 * @throws TypeError when they do not begin with `authenticated`, stand in an order the line does not
 * write, or go on after `ended`: damage.
 */
export function fold(id: string, events: readonly IntentEvent[]): IntentRecord {
  const [first, ...rest] = events
  if (first?.type !== 'authenticated') {
    throw new TypeError(`the history of \`${id}\` does not begin with \`authenticated\``)
  }
  const begun = {
    id,
    seq: 1,
    authenticated: { ...first.data, at: first.at },
    written: [],
    undone: [],
    redacted: first.data.redacted ?? {},
  }
  return extend(begun, rest)
}

/**
 * The record after further events.
 * @throws TypeError as {@link fold} does
 */
export function extend(
  before: Omit<IntentRecord, 'phase'>,
  events: readonly IntentEvent[],
): IntentRecord {
  const { id } = before
  let record = { ...before, seq: before.seq + events.length }
  for (const event of events) {
    if (record.ended) throw new TypeError(`the history of \`${id}\` goes on after its end`)
    const stage = stageOf(record)
    if (!writtenIn[event.type].includes(stage)) {
      throw new TypeError(
        `the history of \`${id}\` has \`${event.type}\` in the stage \`${stage}\``,
      )
    }
    const stamped = { ...event.data, at: event.at }
    if ('redacted' in event.data) {
      record = { ...record, redacted: { ...event.data.redacted, ...record.redacted } }
    }
    record =
      event.type === 'written' || event.type === 'undone'
        ? { ...record, [event.type]: [...record[event.type], stamped] }
        : { ...record, [event.type]: stamped }
  }
  return { ...record, phase: record.ended?.phase ?? stageOf(record) }
}

/** Whether the intent has reached its one terminal phase. */
export function hasEnded(record: IntentRecord): boolean {
  return record.ended !== undefined
}
