import type { BreakerScope } from '@jackstay/contract/api'
import { z } from 'zod'
import { type BreakerRules, breakerRules } from './breaker.ts'

const minute = 60_000
const time = { openMs: minute, maxOpenMs: 30 * minute, forgetMs: 30 * minute }

const changes = { withinMs: 30 * minute, share: 0.5 }

/** What holds where nobody says otherwise. */
export const defaultThresholds: Readonly<Record<BreakerScope, BreakerRules>> = {
  agent: {
    ...time,
    voices: 1,
    rules: {
      refused: { atLeast: 20, withinMs: 5 * minute, share: 0.8 },
      failed: { atLeast: 3, ...changes },
      undone: { atLeast: 3, ...changes },
      malformed: { atLeast: 10, withinMs: minute, share: 0 },
      repeated: { atLeast: 8, withinMs: 2 * minute, share: 0 },
      flood: { atLeast: 30, withinMs: minute, share: 0 },
      oscillation: { atLeast: 3, withinMs: 10 * minute, share: 0 },
    },
  },
  class: {
    ...time,
    voices: 2,
    rules: { failed: { atLeast: 8, ...changes }, undone: { atLeast: 8, ...changes } },
  },
  action: {
    ...time,
    voices: 2,
    rules: { failed: { atLeast: 5, ...changes }, undone: { atLeast: 5, ...changes } },
  },
  target: {
    ...time,
    voices: 2,
    rules: { failed: { atLeast: 3, ...changes }, undone: { atLeast: 3, ...changes } },
  },
}

export type Thresholds = typeof defaultThresholds

const scope = breakerRules.partial()

/** The file that changes thresholds: what it leaves out stays; a scope's `rules` are replaced whole. */
export const thresholdsFile = z.strictObject({
  agent: scope.optional(),
  class: scope.optional(),
  action: scope.optional(),
  target: scope.optional(),
})

export function thresholdsFrom(file: z.infer<typeof thresholdsFile>): Thresholds {
  const of = (name: BreakerScope): BreakerRules => {
    const { rules, voices, openMs, maxOpenMs, forgetMs } = file[name] ?? {}
    const found = defaultThresholds[name]
    return {
      rules: rules ?? found.rules,
      voices: voices ?? found.voices,
      openMs: openMs ?? found.openMs,
      maxOpenMs: maxOpenMs ?? found.maxOpenMs,
      forgetMs: forgetMs ?? found.forgetMs,
    }
  }
  return { agent: of('agent'), class: of('class'), action: of('action'), target: of('target') }
}
