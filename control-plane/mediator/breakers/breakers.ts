import type { Refusal } from '@jackstay/actions/action'
import type { BreakerCause, BreakerScope, BreakerView } from '@jackstay/contract/api'
import type { Json } from '@jackstay/contract/json'
import type { IntentRecord } from '@jackstay/contract/record'
import {
  ask,
  atRest,
  type BreakerState,
  breakerState,
  type EvidenceKind,
  isIdle,
  letGo,
  observe,
  reset,
  type Sample,
  type Trip,
} from '@jackstay/judge/breaker'
import type { Thresholds } from '@jackstay/judge/breaker-thresholds'
import type { Clock } from '../ports.ts'
import { callOf, evidenceOf } from './evidence.ts'
import type { BreakerNotes } from './notes.ts'
import type { ResetRequest } from './reset.ts'

/** Whose breaker: each belongs to one class, so nothing an agent does reaches another class. */
export interface BreakerName {
  readonly scope: BreakerScope
  readonly class: string
  readonly key: string
}

export interface Transition extends BreakerName {
  readonly to: 'open' | 'half-open' | 'closed'
  readonly trip: Trip
}

/** An authenticated agent whose request was refused before an intent existed. */
export interface Sender {
  readonly agent: string
  readonly class: string
}

export interface Breakers {
  /** Why the intent may not go on, or undefined; takes the place of the probe where one is due. */
  gate(record: IntentRecord): Promise<Refusal | undefined>
  /** An intent ended; told twice it counts once. */
  ended(record: IntentRecord): void
  /** A request that never became an intent, though the signature was right. */
  outright(sender: Sender, cause: 'malformed' | 'flood'): void
  /** The intent is gone without an end: its place goes to the next. */
  abandon(id: string): void
  reset(request: ResetRequest): void
  /** Those that are open, half-open or closed not long ago. */
  views(): readonly BreakerView[]
  /** Writes what is not written yet. */
  flush(): Promise<void>
}

export interface BreakersOptions {
  readonly thresholds: Thresholds
  /** Without the wall clock's jumps. */
  readonly clock: Clock
  readonly notes: BreakerNotes
  readonly newId: () => string
  readonly onChange: (transition: Transition) => void
}

/** Beyond that, those at rest and not heard of for longest are forgotten. */
const remembered = 4096
const changeKinds: ReadonlySet<EvidenceKind> = new Set(['good', 'failed', 'undone'])

interface Kept {
  readonly name: BreakerName
  readonly state: BreakerState
}

/** The breakers of one mediator, told by how intents end, kept in the store. */
export function breakers(options: BreakersOptions, loaded: readonly Kept[]): Breakers {
  const { thresholds, clock, notes, newId, onChange } = options
  const kept = new Map<string, Kept>(loaded.map((one) => [noteName(one.name), one]))

  const stateOf = (name: BreakerName) => kept.get(noteName(name))?.state ?? atRest
  const put = (name: BreakerName, state: BreakerState) => {
    const id = noteName(name)
    const before = kept.get(id)?.state ?? atRest
    if (state === before) return
    kept.delete(id)
    kept.set(id, { name, state })
    const { trip } = state
    const to = trip && phaseOf(trip)
    const moved = trip !== undefined && trip !== before.trip
    notes.put(id, state, { soon: !moved })
    if (moved && to !== undefined) onChange({ ...name, to, trip })
    if (kept.size > remembered) makeRoom()
  }
  const makeRoom = () => {
    const now = clock.now()
    for (const [id, { name, state }] of kept) {
      const idle = isIdle(state, now, thresholds[name.scope])
      if (!idle && (state.trip !== undefined || kept.size <= remembered * 2)) continue
      kept.delete(id)
      notes.remove(id)
      if (kept.size <= remembered) return
    }
  }
  const tell = (name: BreakerName, sample: Sample) => {
    const own = name.scope === 'agent' || changeKinds.has(sample.kind)
    const state = stateOf(name)
    // what agents share opens by what became of changes, never by what one of them asks for
    put(name, own ? observe(state, sample, thresholds[name.scope]) : letGo(state, sample.id))
  }

  return {
    async gate(record) {
      const names = namesOf(record)
      const now = clock.now()
      const gates = names.map((name) => ({ name, gate: ask(stateOf(name), record.id, now) }))
      for (const { name, gate } of gates) {
        if (!gate.pass) return { refused: 'breaker_open', message: why(name, gate.trip) }
      }
      // nothing was awaited since the question: of two intents one takes the place
      const probing = gates.filter(({ gate }) => gate.pass && gate.probe)
      for (const { name, gate } of probing) if (gate.pass) put(name, gate.state)
      // on record before it goes on, or a restart would let a second one try beside it
      if (probing.length > 0) await notes.flush()
      return undefined
    },
    ended(record) {
      const { ended, authenticated, id } = record
      if (ended === undefined) return
      const at = Math.min(clock.now(), Date.parse(ended.at))
      const kind = evidenceOf(record)
      const by = authenticated.agent.name
      const sample = { id, at, kind, by, call: callOf(record) }
      for (const name of namesOf(record)) {
        // refusals of ours must not keep a breaker open
        if (ended.reason === 'breaker_open') put(name, letGo(stateOf(name), id))
        else tell(name, sample)
      }
    },
    outright({ agent, class: owner }, cause) {
      const sample = { id: newId(), at: clock.now(), kind: cause, by: agent }
      const name = { scope: 'agent', class: owner, key: agent } as const
      // nothing that never became an intent is a probe
      if (stateOf(name).trip?.closedAt === undefined && stateOf(name).trip !== undefined) return
      tell(name, sample)
    },
    abandon(id) {
      for (const { name, state } of [...kept.values()]) put(name, letGo(state, id))
    },
    reset({ class: owner, before, only }) {
      const now = clock.now()
      for (const { name, state } of [...kept.values()]) {
        if (name.class !== owner) continue
        if (only && (only.scope !== name.scope || only.key !== name.key)) continue
        put(name, reset(state, before, now))
      }
    },
    views() {
      const now = clock.now()
      return [...kept.values()].flatMap(({ name, state: { trip } }) =>
        trip === undefined || isForgotten(trip, now, thresholds[name.scope].forgetMs)
          ? []
          : [viewOf(name, trip, now)],
      )
    },
    flush: () => notes.flush(),
  }
}

/** What the store says of a breaker; what does not read counts as open, until a person resets it. */
export function readKept(
  { name: id, value }: { readonly name: string; readonly value: Json },
  now: number,
  thresholds: Thresholds,
): Kept | undefined {
  const name = nameOf(id)
  if (name === undefined) return undefined
  const { openMs, maxOpenMs } = thresholds[name.scope]
  const parsed = breakerState.safeParse(value)
  if (!parsed.success) {
    const times = { openedAt: now, retryAt: now + openMs, strikes: 1, counts: {} }
    return { name, state: { samples: [], trip: { cause: 'failed', ...times } } }
  }
  const { trip, samples } = parsed.data
  if (trip === undefined) return { name, state: { samples } }
  // a clock that was set back meanwhile keeps nothing open for longer than it may be
  const retryAt = Math.min(trip.retryAt, now + maxOpenMs)
  return { name, state: { samples, trip: { ...trip, retryAt } } }
}

export const notePrefix = 'breaker/'

function noteName({ scope, class: owner, key }: BreakerName): string {
  return `${notePrefix}${scope}/${owner}/${key}`
}

function nameOf(id: string): BreakerName | undefined {
  const [, scope, owner, key] =
    /^breaker\/(agent|class|action|target)\/([^/]+)\/(.+)$/.exec(id) ?? []
  if (owner === undefined || key === undefined) return undefined
  const found = (['agent', 'class', 'action', 'target'] as const).find((one) => one === scope)
  return found && { scope: found, class: owner, key }
}

function namesOf({ authenticated: { agent, claims } }: IntentRecord): readonly BreakerName[] {
  const { kind, namespace, name } = claims.target
  const of = (scope: BreakerScope, key: string) => ({ scope, class: agent.class, key })
  return [
    of('agent', agent.name),
    of('class', agent.class),
    of('action', claims.action),
    of('target', `${kind} ${namespace ?? ''}/${name}`),
  ]
}

function phaseOf({ closedAt, probe }: Trip): Transition['to'] {
  if (closedAt !== undefined) return 'closed'
  return probe === undefined ? 'open' : 'half-open'
}

function isForgotten({ closedAt }: Trip, now: number, forgetMs: number): boolean {
  return closedAt !== undefined && now - closedAt > forgetMs
}

function viewOf(name: BreakerName, trip: Trip, now: number): BreakerView {
  const { cause, openedAt, retryAt, counts } = trip
  const phase = phaseOf(trip)
  return {
    ...name,
    state: phase === 'open' && now >= retryAt ? 'half-open' : phase,
    cause,
    openedAt: new Date(openedAt).toISOString(),
    retryAt: new Date(retryAt).toISOString(),
    counts,
  }
}

const causes: Readonly<Record<BreakerCause, string>> = {
  refused: 'its intents were refused',
  failed: 'changes failed',
  undone: 'changes had to be taken back',
  malformed: 'requests were malformed',
  repeated: 'the same call came again and again',
  flood: 'requests came faster than the class allows',
  oscillation: 'a field was turned to and fro',
}

/** Which breaker, why it opened and until when, for people. */
export function why({ scope, key }: BreakerName, trip: Trip): string {
  const { cause, counts, probe } = trip
  const number = counts[cause] ?? 0
  const of = counts.ended === undefined ? '' : ` of ${counts.ended}`
  const when =
    probe === undefined
      ? `one intent may try after ${new Date(trip.retryAt).toISOString()}`
      : 'one intent tries now, and how it ends decides'
  return `the breaker of the ${scope} \`${key}\` is open because ${causes[cause]} (${number}${of}); ${when}`
}
