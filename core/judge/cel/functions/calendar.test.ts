import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { gives, result } from './cases.ts'

const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']

/** What the calendar says, read by another library. */
function readings(iso: string, zone: string): readonly (readonly [string, number])[] {
  const t = Temporal.Instant.from(iso).toZonedDateTimeISO(zone)
  return [
    ['getFullYear', t.year],
    ['getMonth', t.month - 1],
    ['getDate', t.day],
    ['getDayOfMonth', t.day - 1],
    ['getDayOfWeek', t.dayOfWeek % 7],
    ['getDayOfYear', t.dayOfYear - 1],
    ['getHours', t.hour],
    ['getMinutes', t.minute],
    ['getSeconds', t.second],
    ['getMilliseconds', t.millisecond],
  ]
}

function agrees(at: Date, zone: string): void {
  const iso = at.toISOString()
  for (const [name, expected] of readings(iso, zone)) {
    const expression = `timestamp("${iso}").${name}("${zone}")`
    assert.equal(result(expression), BigInt(expected), expression)
    if (zone !== 'UTC') continue
    assert.equal(result(`timestamp("${iso}").${name}()`), BigInt(expected), iso)
  }
}

describe('the calendar', () => {
  it('agrees with another library in any zone at any time', () => {
    const times = fc.date({
      ...{ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z') },
      noInvalidDate: true,
    })
    fc.assert(fc.property(times, fc.constantFrom(...zones), agrees), { numRuns: 50 })
  })
  it('agrees around both edges of summer time', () => {
    const edges = ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z', '2026-04-04T15:00:00Z']
    const edge = fc.constantFrom(...edges).map((iso) => Date.parse(iso))
    const near = fc.integer({ min: -7_200_000, max: 7_200_000 })
    fc.assert(
      fc.property(edge, near, fc.constantFrom(...zones), (at, by, zone) =>
        agrees(new Date(at + by), zone),
      ),
      { numRuns: 50 },
    )
  })
  gives('knows the hour that is missing and the one that comes twice', [
    ['timestamp("2026-03-29T00:59:59Z").getHours("Europe/Berlin")', 1n],
    ['timestamp("2026-03-29T01:00:00Z").getHours("Europe/Berlin")', 3n],
    ['timestamp("2026-10-25T00:30:00Z").getHours("Europe/Berlin")', 2n],
    ['timestamp("2026-10-25T01:30:00Z").getHours("Europe/Berlin")', 2n],
  ])
  gives('takes fixed offsets and literal names of zones alone', [
    ['timestamp("2026-01-01T00:30:00Z").getHours("-00:31")', 23n],
    ['timestamp("2026-01-01T00:30:00Z").getHours("+05:45")', 6n],
    ['timestamp("2026-01-01T00:30:00Z").getHours("05:45")', 6n],
    ['timestamp(0).getHours("Mars/Olympus")', '`Mars/Olympus` is no time zone'],
    ['timestamp(0).getHours("+99:00")', '`+99:00` is no time zone'],
    ['timestamp(0).getHours("U" + "TC")', 'write the time zone as a literal text'],
  ])
  gives('reads times that exist', [
    ['timestamp("2026-02-28T23:59:59.5+01:00") == timestamp("2026-02-28T22:59:59.500Z")', true],
    ['timestamp("2024-02-29T00:00:00Z").getDate()', 29n],
    ['timestamp("2026-02-29T00:00:00Z")', 'error'],
    ['timestamp("2026-01-01T24:00:00Z")', 'error'],
    ['timestamp("2026-01-01")', 'error'],
    ['timestamp("0000-12-31T23:59:59Z")', 'error'],
    ['timestamp(253402300800)', 'error'],
    ['int(timestamp(5))', 5n],
    ['duration("1h30m").getMinutes()', 90n],
    ['duration("-1.5s") + duration("2s") == duration("500ms")', true],
    ['duration("90s").getSeconds() == 90 && duration("90s") > duration("1m")', true],
    ['timestamp(60) - timestamp(0) == duration("1m")', true],
    ['duration(5)', 'error'],
  ])
})
