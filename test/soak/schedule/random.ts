/** A stream of chance that a seed and a name fix: the same again in every run. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [low, high]. */
  between(low: number, high: number): number
  /** @throws RangeError for an empty list */
  pick<T>(from: readonly T[]): T
  /** True that often. */
  chance(share: number): boolean
  /** The time until the next of things that come every `mean` on average, and never in step. */
  wait(mean: number): number
}

/** mulberry32 by Tommy Ettinger (public domain), seeded with FNV-1a of seed and name. */
export function random(seed: number, name: string): Random {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(`${seed}/${name}`)) {
    state = Math.imul(state ^ byte, 0x01000193)
  }
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const self: Random = {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick(from) {
      const picked = from[Math.floor(next() * from.length)]
      if (picked === undefined) throw new RangeError('nothing to pick from')
      return picked
    },
    chance: (share) => next() < share,
    wait: (mean) => -Math.log(1 - next()) * mean,
  }
  return self
}
