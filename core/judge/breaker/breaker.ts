import { type BreakerCause, breakerCauses } from '@jackstay/contract/api'
import { z } from 'zod'

/** How one intent ended, as a breaker counts it; `good` and `other` speak against opening. */
export const evidenceKinds = [...breakerCauses, 'good', 'other'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

const sample = z.strictObject({
  /** Of the intent, so that what is told twice counts once. */
  id: z.string(),
  /** Milliseconds. */
  at: z.number(),
  kind: z.enum(evidenceKinds),
  /** The agent. */
  by: z.string(),
  /** What was asked for: equal for identical calls. */
  call: z.string().exactOptional(),
})
export type Sample = Readonly<z.infer<typeof sample>>

const trip = z.strictObject({
  cause: z.enum(breakerCauses),
  openedAt: z.number(),
  retryAt: z.number(),
  /** Openings in a row: each lasts twice as long as the one before. */
  strikes: z.int().min(1),
  counts: z.record(z.string(), z.int().min(0)),
  /** The one intent that may try; absent while nobody does. */
  probe: z.string().exactOptional(),
  /** When it closed again; remembered for a while, so that the next opening lasts longer. */
  closedAt: z.number().exactOptional(),
})
export type Trip = Readonly<z.infer<typeof trip>>

export const breakerState = z.strictObject({ samples: z.array(sample), trip: trip.exactOptional() })
export type BreakerState = Readonly<z.infer<typeof breakerState>>

export const atRest: BreakerState = { samples: [] }

const rule = z.strictObject({
  /** So many within the time. */
  atLeast: z.int().min(2).max(50),
  withinMs: z
    .int()
    .min(1000)
    .max(24 * 3600_000),
  /** And at least this part of all that ended meanwhile; 0 where the number alone counts. */
  share: z.number().min(0).max(1),
})
export type BreakerRule = Readonly<z.infer<typeof rule>>

export const breakerRules = z.strictObject({
  rules: z.partialRecord(z.enum(breakerCauses), rule),
  /** So many agents must have brought it about: 1 for an agent's own, 2 for what agents share. */
  voices: z.int().min(1),
  openMs: z.int().min(1000),
  maxOpenMs: z.int().min(1000),
  /** So long after it closed an opening counts as the first again. */
  forgetMs: z.int().min(1000),
})
export type BreakerRules = Readonly<z.infer<typeof breakerRules>>

/** Kept of each of the two kinds of evidence: cheap refusals never push failures out. */
const kept = 64
const ofChanges: ReadonlySet<EvidenceKind> = new Set(['good', 'failed', 'undone'])

export type Gate =
  | { readonly pass: true; readonly state: BreakerState; readonly probe: boolean }
  | { readonly pass: false; readonly trip: Trip; readonly probing: boolean }

/**
 * Whether an intent may go on. Closed: yes. Open: no, until its time is up; then exactly one may
 * try, and everybody else waits for how it ends. Asking again for the same intent answers the same.
 */
export function ask(state: BreakerState, id: string, now: number): Gate {
  const { trip: found } = state
  if (found === undefined || found.closedAt !== undefined)
    return { pass: true, state, probe: false }
  if (found.probe === id) return { pass: true, state, probe: true }
  // written so that a time that is none opens nothing
  const due = now >= found.retryAt
  if (found.probe !== undefined || !due) {
    return { pass: false, trip: found, probing: found.probe !== undefined }
  }
  return { pass: true, state: { ...state, trip: { ...found, probe: id } }, probe: true }
}

/** Gives the place of the probe back: its intent said nothing about what the breaker watches. */
export function letGo(state: BreakerState, id: string): BreakerState {
  if (state.trip?.probe !== id) return state
  const { probe: _, ...rest } = state.trip
  return { ...state, trip: rest }
}

/**
 * The state after an intent ended. While open only the probe counts: it closes the breaker, opens
 * it anew for longer, or, having said nothing, leaves the place to the next.
 */
export function observe(state: BreakerState, next: Sample, rules: BreakerRules): BreakerState {
  const { trip: found } = state
  if (found !== undefined && found.closedAt === undefined) {
    if (found.probe !== next.id) return state
    if (next.kind === 'good') return { samples: [], trip: closed(found, next.at) }
    if (next.kind === 'other') return letGo(state, next.id)
    return { samples: [], trip: opened(found, next.kind, { [next.kind]: 1 }, next.at, rules) }
  }
  // told again after a restart: it was counted before somebody closed it
  if (found !== undefined && next.at <= (found.closedAt ?? found.openedAt)) return state
  if (state.samples.some(({ id, kind }) => id === next.id && kind === next.kind)) return state
  const samples = withNext(state.samples, next)
  const remembered = found?.closedAt !== undefined && next.at - found.closedAt > rules.forgetMs
  const before = remembered ? undefined : found
  const over = exceeded(samples, next.at, rules)
  if (over !== undefined) {
    return { samples: [], trip: opened(before, over.cause, over.counts, next.at, rules) }
  }
  return { samples, ...(before && { trip: before }) }
}

/** A person closes it; what was counted is forgotten. */
export function reset(state: BreakerState, before: number, now: number): BreakerState {
  const { trip: found } = state
  if (found === undefined || found.closedAt !== undefined || found.openedAt >= before) return state
  const { probe: _, ...rest } = found
  // a person looked: the next opening is a first one
  return { samples: [], trip: { ...rest, strikes: 1, closedAt: now } }
}

/** Whether nothing of it is worth keeping any more. */
export function isIdle(state: BreakerState, now: number, rules: BreakerRules): boolean {
  const { trip: found, samples } = state
  if (found !== undefined && found.closedAt === undefined) return false
  if (found?.closedAt !== undefined && now - found.closedAt <= rules.forgetMs) return false
  const longest = Math.max(0, ...Object.values(rules.rules).map((r) => r.withinMs))
  return samples.every(({ at }) => now - at > longest)
}

function closed(found: Trip, now: number): Trip {
  const { probe: _, ...rest } = found
  return { ...rest, closedAt: now }
}

function opened(
  before: Trip | undefined,
  cause: BreakerCause,
  counts: Trip['counts'],
  now: number,
  { openMs, maxOpenMs }: BreakerRules,
): Trip {
  const strikes = (before?.strikes ?? 0) + 1
  // beyond 2^30 it is the longest time anyway
  const lasts = Math.min(maxOpenMs, openMs * 2 ** Math.min(strikes - 1, 30))
  return { cause, openedAt: now, retryAt: now + lasts, strikes, counts }
}

function withNext(samples: readonly Sample[], next: Sample): Sample[] {
  const same = (s: Sample) => ofChanges.has(s.kind) === ofChanges.has(next.kind)
  const mine = samples.filter(same)
  const oldest = mine.length >= kept ? mine[0] : undefined
  return [...samples.filter((s) => s !== oldest), next]
}

function exceeded(
  samples: readonly Sample[],
  now: number,
  { rules, voices }: BreakerRules,
): { readonly cause: BreakerCause; readonly counts: Trip['counts'] } | undefined {
  for (const cause of breakerCauses) {
    const found = rules[cause]
    if (found === undefined) continue
    // a clock that goes back makes nothing old
    const recent = samples.filter(({ at }) => !(now - at > found.withinMs))
    const told =
      cause === 'repeated' ? mostRepeated(recent) : recent.filter((s) => s.kind === cause)
    const bad = ofSeveral(told, found, voices)
    if (bad.length < found.atLeast) continue
    const changes = cause === 'failed' || cause === 'undone'
    const all = changes ? recent.filter((s) => ofChanges.has(s.kind)) : recent
    if (told.length < found.share * all.length) continue
    return { cause, counts: { [cause]: bad.length, ended: all.length } }
  }
  return undefined
}

/** Of what agents share no one agent brings together more than its part. */
function ofSeveral(
  samples: readonly Sample[],
  { atLeast }: BreakerRule,
  voices: number,
): readonly Sample[] {
  if (voices === 1) return samples
  const part = Math.min(atLeast - 1, Math.ceil(atLeast / voices))
  return [...Map.groupBy(samples, (s) => s.by).values()].flatMap((mine) => mine.slice(-part))
}

function mostRepeated(samples: readonly Sample[]): readonly Sample[] {
  const calls = Map.groupBy(
    samples.filter((s) => s.call !== undefined),
    (s) => s.call,
  )
  let most: readonly Sample[] = []
  for (const same of calls.values()) if (same.length > most.length) most = same
  return most
}
