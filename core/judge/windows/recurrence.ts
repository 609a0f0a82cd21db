import { instantMs } from '@jackstay/contract/kinds/change-window'
import { RRuleTemporal } from 'rrule-temporal'
import { Temporal } from 'temporal-polyfill'
import { nearest } from '../cel/fields.ts'

/**
 * When something begins by clocks on the wall. Wall times are carried as if they were UTC, so that
 * the library meets no time zone; local-time.ts turns them into instants.
 */
export interface Recurrence {
  /** Wall times from `from` to before `to`, ascending, as milliseconds. */
  between(from: number, to: number): readonly number[]
  /** No opening begins after this instant. */
  readonly until?: number
}

export type Read = { readonly recurrence: Recurrence } | { readonly problem: string }

/** Openings on one day: more make a window that is always open, at a price. */
export const maxPerDay = 24
const maxCount = 1000

const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']
const days = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** What the value of each part looks like; numbers lie between the two bounds, 0 excluded if negative. */
const numbers: Readonly<Record<string, readonly [number, number]>> = {
  BYMONTH: [1, 12],
  BYMONTHDAY: [-31, 31],
  BYYEARDAY: [-366, 366],
  BYWEEKNO: [-53, 53],
  BYHOUR: [0, 23],
  BYMINUTE: [0, 59],
  BYSETPOS: [-366, 366],
}
const partNames = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'WKST', ...Object.keys(numbers)]

/** Thrown inside this file alone and caught at its door. */
class Refused extends Error {}

/**
 * Reads a recurrence rule of RFC 5545. The library skips what it does not understand, which would
 * be a window other than the one written, so everything is checked here first; what it costs to
 * evaluate is bounded by what is accepted.
 */
export function readRecurrence(rule: string, start: string): Read {
  try {
    const parts = partsOf(rule)
    for (const [name, value] of parts) checkPart(name, value)
    checkTogether(parts)
    const until = parts.get('UNTIL')
    const text = [...parts].filter(([name]) => name !== 'UNTIL').map((pair) => pair.join('='))
    const dtstart = Temporal.PlainDateTime.from(start, { overflow: 'reject' })
    return {
      recurrence: {
        between: generator(text.join(';'), dtstart.toZonedDateTime('UTC')),
        ...(until !== undefined && { until: untilMs(until) }),
      },
    }
  } catch (error) {
    if (error instanceof Refused) return { problem: error.message }
    const why = error instanceof Error ? error.message : 'unknown'
    return { problem: `cannot be read: ${why}` }
  }
}

function generator(rruleString: string, dtstart: Temporal.ZonedDateTime): Recurrence['between'] {
  const rule = new RRuleTemporal({ rruleString, dtstart, strict: true, cache: false })
  return (from, to) =>
    rule
      .between(new Date(from), new Date(to), true)
      .map((at) => at.epochMilliseconds)
      .filter((ms) => ms >= from && ms < to)
}

function partsOf(rule: string): Map<string, string> {
  if (rule.startsWith('RRULE:')) throw new Refused('leave out `RRULE:` and begin with `FREQ=`')
  const parts = new Map<string, string>()
  for (const text of rule.split(';')) {
    const [, name, value] = /^([A-Z]+)=([A-Z0-9,+-]+)$/.exec(text) ?? []
    if (name === undefined || value === undefined) {
      throw new Refused(`\`${text}\` is no part of a rule; write it like \`BYDAY=MO,TU\``)
    }
    if (parts.has(name)) throw new Refused(`\`${name}\` stands twice; keep one`)
    parts.set(name, value)
  }
  return parts
}

function checkPart(name: string, value: string): void {
  const values = value.split(',')
  const bounds = numbers[name]
  if (name === 'BYSECOND') throw new Refused('windows open on the minute; leave out `BYSECOND`')
  if (!partNames.includes(name)) {
    const near = nearest(name, partNames)
    const hint = near === undefined ? '' : `; did you mean \`${near}\``
    throw new Refused(`unknown part \`${name}\`${hint}`)
  }
  if (bounds !== undefined) {
    if (new Set(values.map(Number)).size !== values.length) {
      throw new Refused(`\`${name}\` names a value twice`)
    }
    for (const one of values) checkNumber(name, one, bounds)
  }
  if (name === 'INTERVAL') checkNumber(name, value, [1, 366])
  if (name === 'COUNT') checkNumber(name, value, [1, maxCount])
  if (name === 'FREQ' && !frequencies.includes(value)) {
    const hint = 'windows open once a day or less often; list hours in `BYHOUR` or use `cron`'
    throw new Refused(`\`FREQ=${value}\` is none of ${frequencies.join(', ')}: ${hint}`)
  }
  if (name === 'WKST' && !days.includes(value)) {
    throw new Refused(`\`${value}\` is no weekday; there are ${days.join(', ')}`)
  }
  if (name === 'BYDAY') {
    for (const one of values) {
      const [, ordinal, weekday = ''] = /^([+-]?[1-9][0-9]?)?([A-Z]{2})$/.exec(one) ?? []
      if (!days.includes(weekday) || Math.abs(Number(ordinal ?? 0)) > 53) {
        throw new Refused(`\`${one}\` is no weekday; write it like \`MO\` or \`-1FR\``)
      }
    }
  }
  if (name === 'UNTIL' && Number.isNaN(untilMs(value))) {
    throw new Refused(`\`UNTIL=${value}\` is no instant; write it like \`20261231T230000Z\``)
  }
}

function checkNumber(name: string, text: string, [least, most]: readonly [number, number]): void {
  const value = Number(text)
  const whole = /^[+-]?[0-9]{1,4}$/.test(text)
  if (!whole || value < least || value > most || (least < 0 && value === 0)) {
    throw new Refused(`\`${name}=${text}\` is not between ${least} and ${most}`)
  }
}

function checkTogether(parts: ReadonlyMap<string, string>): void {
  const freq = parts.get('FREQ')
  if (freq === undefined) throw new Refused('a rule needs `FREQ`, such as `FREQ=WEEKLY`')
  if (parts.has('COUNT') && parts.has('UNTIL')) {
    throw new Refused('`COUNT` and `UNTIL` exclude each other; keep one')
  }
  if (parts.has('BYWEEKNO') && (parts.has('BYYEARDAY') || freq !== 'YEARLY')) {
    throw new Refused('`BYWEEKNO` goes with `FREQ=YEARLY` alone, without `BYYEARDAY`')
  }
  if (/[0-9]/.test(parts.get('BYDAY') ?? '') && !/^(MONTHLY|YEARLY)$/.test(freq)) {
    throw new Refused('`BYDAY` with a number goes with `FREQ=MONTHLY` or `FREQ=YEARLY`')
  }
  const size = (name: string) => parts.get(name)?.split(',').length ?? 1
  if (size('BYHOUR') * size('BYMINUTE') > maxPerDay) {
    throw new Refused(`opens more than ${maxPerDay} times a day; use a longer \`duration\``)
  }
}

function untilMs(text: string): number {
  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? ([] as string[])
  return y === undefined ? Number.NaN : instantMs(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
}
