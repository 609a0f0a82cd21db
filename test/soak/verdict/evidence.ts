import type { IntentEvent } from '@jackstay/contract/history'
import type { JsonMap } from '@jackstay/contract/json'
import type { AuditWrite } from '../witness/audit-event.ts'

/** Something that must not be. */
export interface Violation {
  /** Which promise was broken. */
  readonly promise: string
  readonly what: string
}

export type Event = IntentEvent & { readonly seq: number; readonly leafIndexes: readonly number[] }

/** An intent as the mediator's own store tells it. */
export interface History {
  readonly id: string
  readonly events: readonly Event[]
}

/** A leaf of the log, as its entry reads. */
export interface LogLeaf {
  readonly index: number
  readonly kind: string
  readonly intent?: string
  readonly seq?: number
  /** Of a leaf that many refusals share: how many. */
  readonly refusals?: number
}

/** A stop that people made. Times in milliseconds since the epoch. */
export interface Stop {
  readonly name: string
  readonly scope: 'class' | 'agent' | 'action' | 'target' | 'namespace'
  /** The class, the agent, the action, `Kind namespace/name`, or the namespace. */
  readonly of: string
  readonly undo: 'hold' | 'allow'
  /** When the API server had said yes to it. */
  readonly from: number
  /** Right before it was lifted; absent while it stands. */
  readonly until?: number
}

/** A verdict on an intent's digest that one of our people gave. */
export interface GivenVerdict {
  readonly intent: string
  readonly digest: string
  readonly verdict: 'approve' | 'reject'
}

/** The moment at which a write passed by on its way to the API server. */
export interface Sighting {
  readonly intent: string
  /** Leaves that were durable by then. */
  readonly logSize: number
}

/** A merge patch, or the object was made anew and is as the API server answered. */
export type PersonsEdit = { readonly patch: JsonMap } | 'made'

/** What those who made the soak know themselves. */
export interface Book {
  /** Of requests that our people made: the audit log names them by this. */
  readonly deeds: ReadonlySet<string>
  /** What our people did to targets, by audit id. */
  readonly edits: ReadonlyMap<string, PersonsEdit>
  readonly stops: readonly Stop[]
  readonly verdicts: readonly GivenVerdict[]
  /** Intents that the mediator took: each must be on record. */
  readonly taken: ReadonlySet<string>
  /** Intents that must never have an effect, and why. */
  readonly forbidden: ReadonlyMap<string, string>
  /** Attempts that were let in although they had to be refused at the door. */
  readonly letIn: readonly string[]
}

/** Objects by `resource.group/namespace/name`, without what controllers and the server keep in them. */
export type Snapshot = ReadonlyMap<string, JsonMap>

export interface Evidence {
  readonly writes: readonly AuditWrite[]
  readonly histories: readonly History[]
  readonly leaves: readonly LogLeaf[]
  readonly sightings: readonly Sighting[]
  readonly book: Book
  readonly before: Snapshot
  readonly after: Snapshot
  /** Namespaces in which nothing may change unexplained. */
  readonly governed: ReadonlySet<string>
}

export function eventsOf<T extends Event['type']>(
  { events }: History,
  type: T,
): readonly Extract<Event, { type: T }>[] {
  return events.filter((event): event is Extract<Event, { type: T }> => event.type === type)
}
