import { type CelFunc, CelScalar, celFunc, celMethod, objectType } from '@bufbuild/cel'
import { create } from '@bufbuild/protobuf'
import {
  DurationSchema,
  type Timestamp,
  TimestampSchema,
  timestampFromMs,
} from '@bufbuild/protobuf/wkt'
import { described, type Family } from './family.ts'
import { type LocalTime, utc, type Zones } from './zones.ts'

const { INT, STRING } = CelScalar
const timestamp = objectType(TimestampSchema)
const duration = objectType(DurationSchema)
const day = 86_400_000

/** What the calendar of UTC, or of a zone, says; months, days of month, week and year from 0. */
const readings: readonly (readonly [string, string, (time: LocalTime) => number])[] = [
  ['getFullYear', 'The year.', (t) => t.year],
  ['getMonth', 'The month from 0.', (t) => t.month],
  ['getDate', 'The day of the month from 1.', (t) => t.day],
  ['getDayOfMonth', 'The day of the month from 0.', (t) => t.day - 1],
  ['getDayOfWeek', 'The day of the week; 0 is Sunday.', (t) => new Date(midnight(t)).getUTCDay()],
  [
    'getDayOfYear',
    'The day of the year from 0.',
    (t) => Math.round((midnight(t) - midnight({ ...t, month: 0, day: 1 })) / day),
  ],
  ['getHours', 'The hour; of a duration, all its hours.', (t) => t.hour],
  ['getMinutes', 'The minute; of a duration, all its minutes.', (t) => t.minute],
  ['getSeconds', 'The second; of a duration, all its seconds.', (t) => t.second],
]
export const calendarFunctions: ReadonlySet<string> = new Set([
  ...readings.map(([name]) => name),
  'getMilliseconds',
])

function midnight({ year, month, day: date }: LocalTime): number {
  // `Date.UTC` takes the years 0 to 99 for 1900 to 1999
  return new Date(0).setUTCFullYear(year, month, date)
}

/**
 * Times. The library's calendar goes through the machine's own zone, where an hour may be missing;
 * its `timestamp(int)` takes milliseconds where CEL says seconds, and 30 February for 2 March.
 */
export function times(zones: Zones): Family {
  const ofDuration = new Set(['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'])
  const signatures = (name: string) => [
    `Timestamp.${name}() → int`,
    `Timestamp.${name}("zone") → int`,
    ...(ofDuration.has(name) ? [`Duration.${name}() → int`] : []),
  ]
  return {
    title: 'Times',
    functions: [
      described(
        'timestamp',
        ['timestamp(string) → Timestamp', 'timestamp(int) → Timestamp'],
        'A moment in RFC 3339, or as seconds since 1970.',
      ),
      described('duration', ['duration(string) → Duration'], 'A span such as `1h30m` or `-2.5s`.'),
      ...readings.map(([name, summary]) => described(name, signatures(name), summary)),
      described(
        'getMilliseconds',
        signatures('getMilliseconds'),
        'The milliseconds beside the seconds.',
      ),
    ],
    implementations: [
      celFunc('timestamp', [STRING], timestamp, readTimestamp),
      celFunc('timestamp', [INT], timestamp, (seconds) =>
        inRange(create(TimestampSchema, { seconds })),
      ),
      celFunc('duration', [INT], duration, () => {
        throw new TypeError('give a duration as text, such as `duration("90s")`')
      }),
      ...readings.flatMap(([name, , read]) => onCalendar(name, zones, read)),
      ...['', 'zone'].map((zone) =>
        celMethod('getMilliseconds', timestamp, zone === '' ? [] : [STRING], INT, function () {
          return BigInt(Math.floor(this.message.nanos / 1_000_000))
        }),
      ),
    ],
  }
}

function onCalendar(
  name: string,
  zones: Zones,
  read: (time: LocalTime) => number,
): readonly CelFunc[] {
  return [
    celMethod(name, timestamp, [], INT, function () {
      return BigInt(read(utc(milliseconds(this.message))))
    }),
    celMethod(name, timestamp, [STRING], INT, function (zone) {
      return BigInt(read(zones.at(milliseconds(this.message), zone)))
    }),
  ]
}

function milliseconds({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000)
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

function readTimestamp(text: string): Timestamp {
  const match = rfc3339.exec(text)
  if (match === null) throw new TypeError('not a time such as `2026-01-31T12:00:00Z`')
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number)
  const [, , , , , , , fraction = '', sign, hours = '0', minutes = '0'] = match
  const start = new Date(0)
  start.setUTCFullYear(year, month - 1, date)
  const exists = start.getUTCMonth() === month - 1 && start.getUTCDate() === date
  if (!exists || hour > 23 || minute > 59 || second > 59) {
    throw new TypeError('there is no such day or time of day')
  }
  if (Number(hours) > 23 || Number(minutes) > 59) throw new TypeError('there is no such offset')
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60)
  const moment = timestampFromMs(
    start.getTime() + ((hour * 60 + minute) * 60 + second - offset) * 1000,
  )
  return inRange({ ...moment, nanos: Number(fraction.padEnd(9, '0')) })
}

/** The years 1 to 9999. */
function inRange(moment: Timestamp): Timestamp {
  const { seconds } = moment
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n) {
    throw new RangeError('the time is before the year 1 or after the year 9999')
  }
  return moment
}
