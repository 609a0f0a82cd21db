import { z } from 'zod'
import { duration, durationSeconds } from './duration.ts'
import { ruled } from './kinds/kind.ts'
import { actionName, dnsLabel, instant } from './text.ts'

/** What clocks on the wall show, to the minute: `2026-01-05T09:00`. */
const wallTime = z
  .string()
  .max(16)
  .regex(
    /^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$/,
    'must be a local time like `2026-01-05T09:00`',
  )

const day = 24 * 3600_000

/** Longest time that a break-glass window is open. */
const maxBreakGlassMs = day
/** Longest time that one window from an instant to an instant lasts. */
const maxOnceMs = 366 * day

/**
 * When change is allowed or frozen. Recurring windows open by a rule of RFC 5545 or a cron line, by
 * the clocks of a time zone, and last exactly `duration`; `once` is from an instant to an instant.
 * `breakGlass` lifts freezes for a while: a person makes it, with a reason and an end.
 */
export const changeWindowSpec = ruled(
  z.strictObject({
    effect: z.enum(['allow', 'freeze', 'breakGlass']),
    /** `start` is DTSTART, `rule` what stands after `RRULE:`. */
    rrule: z.strictObject({ start: wallTime, rule: z.string().min(1).max(256) }).optional(),
    /** Five fields: minute, hour, day of month, month, day of week. */
    cron: z.string().min(9).max(128).optional(),
    once: z.strictObject({ from: instant, until: instant }).optional(),
    /** Real time from each opening, with `rrule` and `cron`. */
    duration: duration.optional(),
    /** IANA name such as `Europe/Berlin`, with `rrule` and `cron`. */
    timeZone: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'must be an IANA time zone such as `Europe/Berlin`')
      .optional(),
    /** Names from the catalogue, or `*` alone. */
    actions: z
      .array(z.union([z.literal('*'), actionName]))
      .min(1)
      .max(64),
    /** Namespaces of targets, or `*` alone. */
    namespaces: z
      .array(z.union([z.literal('*'), dnsLabel]))
      .min(1)
      .max(64),
    reason: z.string().min(1).max(1024).optional(),
    /** Who makes a break-glass window: a person, never a `system:` identity. */
    madeBy: z.string().min(1).max(253).optional(),
  }),
  {
    rule: '[has(self.rrule), has(self.cron), has(self.once)].filter(x, x).size() == 1',
    message: 'a window has exactly one of `rrule`, `cron` and `once`',
    test: (w) => [w.rrule, w.cron, w.once].filter((x) => x !== undefined).length === 1,
  },
  {
    rule: 'has(self.duration) != has(self.once) && has(self.timeZone) != has(self.once)',
    message: '`rrule` and `cron` need `duration` and `timeZone`, `once` has neither',
    test: (w) =>
      (w.duration !== undefined) !== (w.once !== undefined) &&
      (w.timeZone !== undefined) !== (w.once !== undefined),
  },
  {
    rule: "!has(self.duration) || duration(self.duration) >= duration('1m')",
    message: 'a window lasts at least a minute',
    test: (w) => w.duration === undefined || durationSeconds(w.duration) >= 60,
  },
  {
    rule: "!has(self.once) || (timestamp(self.once.from) < timestamp(self.once.until) && timestamp(self.once.until) - timestamp(self.once.from) <= duration('8784h'))",
    message: '`once.until` is after `once.from`, by 366 days at most',
    test: ({ once }) => once === undefined || (onceMs(once) > 0 && onceMs(once) <= maxOnceMs),
  },
  {
    rule: "self.effect != 'breakGlass' || (has(self.once) && has(self.reason) && has(self.madeBy) && !self.madeBy.startsWith('system:') && timestamp(self.once.until) - timestamp(self.once.from) <= duration('24h'))",
    message:
      'a break-glass window is `once`, for 24 hours at most, with a `reason` and the person in `madeBy`',
    test: ({ effect, once, reason, madeBy }) =>
      effect !== 'breakGlass' ||
      (once !== undefined &&
        reason !== undefined &&
        madeBy?.startsWith('system:') === false &&
        onceMs(once) <= maxBreakGlassMs),
  },
)
export type ChangeWindowSpec = z.infer<typeof changeWindowSpec>

/** NaN where one is no real date, such as 30 February. */
function onceMs({ from, until }: { readonly from: string; readonly until: string }): number {
  return instantMs(until) - instantMs(from)
}

/** Milliseconds since the epoch; NaN for a date that no calendar has. */
export function instantMs(text: string): number {
  const ms = Date.parse(text)
  // V8 reads 30 February as 2 March
  const same = !Number.isNaN(ms) && new Date(ms).toISOString() === text.replace('Z', '.000Z')
  return same ? ms : Number.NaN
}
