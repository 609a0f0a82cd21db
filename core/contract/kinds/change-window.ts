import { z } from 'zod'
import { duration, durationSeconds } from '../duration.ts'
import { type Digest, digestOf } from '../json.ts'
import { actionName, digest, dnsLabel, instant } from '../text.ts'
import { approvalQuorum } from './agent-class.ts'
import { conditions, defineKind, observedGeneration, ruled, type TwinRule } from './kind.ts'

/** What clocks on the wall show, to the minute: `2026-01-05T09:00`. */
const wallTime = z
  .string()
  .max(16)
  .regex(
    /^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$/,
    'must be a local time like `2026-01-05T09:00`',
  )

/** One expression in both worlds: RE2 there, ours here. */
function matching(pattern: string, message: string): TwinRule<string> {
  const read = new RegExp(pattern)
  return { rule: `self.matches('${pattern}')`, message, test: (text) => read.test(text) }
}

/** As much as a schema can say; what it means is read by the judge, and said in the status. */
const recurrenceRule = ruled(
  z.string().min(1).max(256),
  matching(
    '^[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*$',
    'a rule is like `FREQ=WEEKLY;BYDAY=MO,TU`: capitals, `;` between its parts, no `RRULE:` before them',
  ),
  matching(
    '(^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;|$)',
    'a rule has a `FREQ` of `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`; list hours in `BYHOUR` or use `cron`',
  ),
)

const months = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'
const cronFields = [
  '[0-5]?[0-9]',
  '[01]?[0-9]|2[0-3]',
  '0?[1-9]|[12][0-9]|3[01]',
  `0?[1-9]|1[0-2]|${months}`,
  '[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT',
].map((value) => {
  const one = `([*]|(${value})(-(${value}))?)(/[1-9][0-9]?)?`
  return `${one}(,${one})*`
})

const cronLine = ruled(
  z.string().min(9).max(128),
  matching(
    '^[^ ]+( [^ ]+){4}$',
    'a cron line has five fields with one space between them, like `0 9 * * 1-5`',
  ),
  matching(
    `^${cronFields.join(' ')}$`,
    'a field is out of its range, or more than numbers, names and `* , - /`: minute 0-59, hour 0-23, day of month 1-31, month 1-12, day of week 0-7',
  ),
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
    effect: z
      .enum(['allow', 'freeze', 'breakGlass'])
      .describe(
        '`allow` and `freeze` open and shut; `breakGlass` lifts freezes once it is approved',
      ),
    rrule: z
      .strictObject({
        start: wallTime.describe(
          'local time of the first opening, DTSTART, like `2026-01-05T09:00`',
        ),
        rule: recurrenceRule.describe('what stands after `RRULE:` in RFC 5545'),
      })
      .optional()
      .describe('openings by a recurrence rule'),
    cron: cronLine
      .optional()
      .describe('openings by five fields: minute, hour, day of month, month, day of week'),
    once: z
      .strictObject({
        from: instant.describe('when it opens, in UTC'),
        until: instant.describe('when it ends; it is shut then'),
      })
      .optional()
      .describe('one opening from an instant to an instant'),
    duration: duration.optional().describe('real time from each opening, with `rrule` and `cron`'),
    timeZone: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'must be an IANA time zone such as `Europe/Berlin`')
      .optional()
      .describe('IANA name such as `Europe/Berlin`, with `rrule` and `cron`'),
    actions: z
      .array(z.union([z.literal('*'), actionName]))
      .min(1)
      .max(64)
      .describe('actions of the catalogue that it is about, or `*` alone'),
    namespaces: z
      .array(z.union([z.literal('*'), dnsLabel]))
      .min(1)
      .max(64)
      .describe('namespaces of targets, or `*` alone'),
    reason: z.string().min(1).max(1024).optional().describe('why; people read it in every refusal'),
    madeBy: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('who makes a break-glass window: you, as the API server knows you'),
    /** How many approvals, by whom but its maker, make a break-glass window effective. */
    grant: approvalQuorum
      .optional()
      .describe('who must agree to a break-glass window, its maker not counted'),
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
    rule: "self.effect != 'breakGlass' || (has(self.once) && has(self.reason) && has(self.madeBy) && has(self.grant) && !self.madeBy.startsWith('system:') && timestamp(self.once.until) - timestamp(self.once.from) <= duration('24h'))",
    message:
      'a break-glass window is `once`, for 24 hours at most, with a `reason`, the person in `madeBy` and a `grant`',
    test: ({ effect, once, reason, madeBy, grant }) =>
      effect !== 'breakGlass' ||
      (once !== undefined &&
        reason !== undefined &&
        grant !== undefined &&
        madeBy?.startsWith('system:') === false &&
        onceMs(once) <= maxBreakGlassMs),
  },
  {
    rule: "self.effect == 'breakGlass' || !has(self.grant)",
    message: 'only a break-glass window has a `grant`; an allow or freeze is in force as written',
    test: ({ effect, grant }) => effect === 'breakGlass' || grant === undefined,
  },
)
export type ChangeWindowSpec = z.infer<typeof changeWindowSpec>

export const changeWindow = defineKind({
  kind: 'ChangeWindow',
  plural: 'changewindows',
  singular: 'changewindow',
  shortName: 'cw',
  scope: 'Cluster',
  summary:
    'When change is allowed or frozen. A freeze beats an allow window; outside of every allow window that names an action and a namespace nothing changes there; a break-glass window, once approved, lifts both for a while.',
  spec: changeWindowSpec,
  status: z.strictObject({
    observedGeneration: observedGeneration.optional(),
    specHash: digest.optional().describe('what Approvals of a break-glass window name'),
    nextChange: z
      .string()
      .max(32)
      .optional()
      .describe('when it opens or closes next, RFC 3339; absent where that is not in sight'),
    conditions: conditions.optional(),
  }),
  immutable: false,
  columns: [
    { name: 'Effect', type: 'string', jsonPath: '.spec.effect' },
    {
      name: 'Valid',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Valid")].status',
    },
    {
      name: 'InForce',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="InForce")].status',
    },
    { name: 'Next', type: 'string', jsonPath: '.status.nextChange' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="InForce")].message',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})

/** What people approve of a break-glass window: any edit is another. */
export function windowHash(spec: ChangeWindowSpec): Digest {
  return digestOf(spec)
}

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
