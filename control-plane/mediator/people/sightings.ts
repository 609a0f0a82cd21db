const most = 10_000

/** When each Pod was last heard of, since the program started; bounded, the longest silent go first. */
export interface Sightings {
  saw(podUid: string): void
  at(podUid: string): string | undefined
  /** Whether nothing was heard of it for so long; at a start everybody was heard of just now. */
  silentFor(podUid: string, ms: number): boolean
}

export function sightings(now: () => number): Sightings {
  const seen = new Map<string, number>()
  const startedAt = now()
  return {
    saw(podUid) {
      seen.delete(podUid)
      seen.set(podUid, now())
      if (seen.size > most) seen.delete(seen.keys().next().value ?? '')
    },
    at(podUid) {
      const ms = seen.get(podUid)
      return ms === undefined ? undefined : new Date(ms).toISOString()
    },
    silentFor: (podUid, ms) => now() - (seen.get(podUid) ?? startedAt) >= ms,
  }
}
