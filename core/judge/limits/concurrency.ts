import { z } from 'zod'

/** Who holds a place, and until when. `at` is the latest time that was seen (milliseconds). */
export const leasesState = z.strictObject({
  leases: z.array(z.strictObject({ holder: z.string(), until: z.number() })),
  at: z.number(),
})
export type LeasesState = Readonly<z.infer<typeof leasesState>>

export interface LeaseQuestion {
  readonly holder: string
  readonly now: number
  /** Most places at once. */
  readonly max: number
  /** How long a place is kept without being asked for again. */
  readonly lastsMs: number
}

/**
 * Takes one of `max` places, or renews the holder's own. A place whose holder went silent is free
 * at its end, so a crash blocks nobody for ever. A clock that goes back frees nothing.
 */
export function acquire(
  state: LeasesState | undefined,
  { holder, now, max, lastsMs }: LeaseQuestion,
): { readonly state: LeasesState; readonly ok: boolean } {
  const { leases, at } = current(state, now)
  const others = leases.filter((lease) => lease.holder !== holder)
  // written so that a number that is none refuses
  const ok = others.length < max && lastsMs > 0 && Number.isFinite(now)
  const kept = ok ? [...others, { holder, until: at + lastsMs }] : leases
  return { state: { leases: kept, at }, ok }
}

/** Gives a place back. */
export function release(state: LeasesState | undefined, holder: string, now: number): LeasesState {
  const { leases, at } = current(state, now)
  return { leases: leases.filter((lease) => lease.holder !== holder), at }
}

/** Who holds a place. */
export function holders(state: LeasesState | undefined, now: number): readonly string[] {
  return current(state, now).leases.map((lease) => lease.holder)
}

function current(state: LeasesState | undefined, now: number): LeasesState {
  const seen = state?.at ?? Number.NEGATIVE_INFINITY
  const at = Number.isFinite(now) ? Math.max(now, seen) : (state?.at ?? 0)
  return { leases: (state?.leases ?? []).filter((lease) => lease.until > at), at }
}
