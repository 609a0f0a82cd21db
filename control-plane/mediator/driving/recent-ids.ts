import { clockSkew, intentLifetime } from '@jackstay/contract/intent'

/** Longer than any signature is taken for. */
const rememberedMs = (intentLifetime + 2 * clockSkew) * 1000

/** Ids of intents that came so lately that the same request may come again. */
export interface RecentIds {
  add(id: string): void
  /** Whether it came lately, or came before anything is remembered. */
  mayHaveCome(id: string): boolean
}

/** @param now milliseconds of a clock that nobody sets */
export function recentIds(now: () => number, most = 50_000): RecentIds {
  /** By when they came, the oldest first. */
  const seen = new Map<string, number>()
  let completeSince = now()
  const forget = () => {
    const from = now() - rememberedMs
    for (const [id, at] of seen) {
      if (at > from && seen.size <= most) return
      seen.delete(id)
      // one that might come again is forgotten, so nothing is certain for a while
      if (at > from) completeSince = now()
    }
  }
  return {
    add(id) {
      seen.set(id, now())
      forget()
    },
    mayHaveCome: (id) => seen.has(id) || now() - completeSince < rememberedMs,
  }
}
