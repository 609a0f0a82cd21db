import { assertNever } from '@jackstay/contract/errors'
import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'

/** What was spent, by whom it was for. `at` is the latest time that was seen (milliseconds). */
export const budgetState = z.strictObject({
  spent: z.array(z.strictObject({ id: z.string(), amount: z.number().positive(), at: z.number() })),
  at: z.number(),
})
export type BudgetState = Readonly<z.infer<typeof budgetState>>

/** The last so many milliseconds, or the hour, day, week (from Monday) or month of a time zone. */
export type Period =
  | { readonly kind: 'sliding'; readonly ms: number }
  | {
      readonly kind: 'calendar'
      readonly every: 'hour' | 'day' | 'week' | 'month'
      readonly timeZone: string
    }

export interface Budget {
  /** Most that is spent in one period. */
  readonly limit: number
  readonly period: Period
}

export interface Spending {
  /** Of what it is spent for, an intent say: asking again for the same spends once. */
  readonly id: string
  readonly amount: number
  readonly now: number
}

/** Entries of one budget; more are refused, never forgotten. */
const maxEntries = 10_000

/**
 * Spends from a budget, or leaves it as it is and says no. Fifty small changes count as much as the
 * one that they make together (T26). A clock that goes back refills nothing; what is no amount, no
 * time and no zone is refused. Amounts of 0 always pass and are not kept.
 */
export function spend(
  state: BudgetState | undefined,
  { limit, period }: Budget,
  { id, amount, now }: Spending,
): { readonly state: BudgetState; readonly ok: boolean; readonly left: number } {
  const known = state ?? { spent: [], at: now }
  const from = startOf(period, Math.max(now, known.at))
  if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY && from !== undefined)) {
    return { state: state ?? { spent: [], at: 0 }, ok: false, left: 0 }
  }
  const at = Math.max(now, known.at)
  const spent = known.spent.filter((s) => s.at > from)
  const others = spent.filter((s) => s.id !== id)
  const before = spent.find((s) => s.id === id)
  // an intent that is planned again may have grown, and has then spent anew; nothing comes back
  const grown = before === undefined || amount > before.amount
  const own = grown ? amount : before.amount
  const rest = limit - total(others)
  const ok = own <= rest && others.length < maxEntries
  if (!ok) return { state: { spent, at }, ok, left: Math.max(0, limit - total(spent)) || 0 }
  const kept = own > 0 ? [...others, { id, amount: own, at: grown ? at : before.at }] : others
  return { state: { spent: kept, at }, ok, left: rest - own }
}

function total(spent: BudgetState['spent']): number {
  return spent.reduce((sum, s) => sum + s.amount, 0)
}

/** What was spent at this instant or before no longer counts; undefined where nobody can say. */
function startOf(period: Period, at: number): number | undefined {
  if (!Number.isFinite(at)) return undefined
  if (period.kind === 'sliding') return period.ms > 0 ? at - period.ms : undefined
  try {
    const now = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(period.timeZone)
    return began(now, period.every).epochMilliseconds - 1
  } catch {
    return undefined
  }
}

function began(
  now: Temporal.ZonedDateTime,
  every: 'hour' | 'day' | 'week' | 'month',
): Temporal.ZonedDateTime {
  switch (every) {
    case 'hour':
      return now.round({ smallestUnit: 'hour', roundingMode: 'floor' })
    case 'day':
      return now.startOfDay()
    case 'week':
      return now.subtract({ days: now.dayOfWeek - 1 }).startOfDay()
    case 'month':
      return now.with({ day: 1 }).startOfDay()
    default:
      return assertNever(every)
  }
}
