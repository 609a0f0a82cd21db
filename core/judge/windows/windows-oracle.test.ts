import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import fc from 'fast-check'
import { RRuleTemporal } from 'rrule-temporal'
import { Temporal } from 'temporal-polyfill'
import { cronWindow, ruleWindow } from '../samples.ts'
import { compileWindow, isOpen, preview } from './windows.ts'

/**
 * Two judges that share nothing with our code: clocks read minute by minute from `Intl`, and the
 * library reckoning in the zone itself.
 */

const minute = 60_000
const dayMs = 24 * 60 * minute

/** Zones and days on which their clocks change: by an hour, by half, by two, at midnight, by a day. */
const changes = [
  ['UTC', '2026-03-29'],
  ['Asia/Kathmandu', '2026-03-29'],
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['America/St_Johns', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Antarctica/Troll', '2026-03-29'],
  ['Antarctica/Troll', '2026-10-25'],
  ['Africa/Cairo', '2026-04-24'],
  ['America/Santiago', '2026-09-06'],
  ['America/Havana', '2026-11-01'],
  ['Pacific/Apia', '2011-12-30'],
] as const

/** What clocks on the wall show at each minute, as if it were UTC. */
function clocks(zone: string, first: number, count: number): readonly number[] {
  const parts = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', ...parts, hour: 'numeric', minute: 'numeric' },
  })
  return Array.from({ length: count }, (_, i) => {
    const shown = new Map(format.formatToParts(first + i * minute).map((p) => [p.type, p.value]))
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(shown.get(type))
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
  })
}

interface Daily {
  readonly hours: readonly number[]
  readonly minutes: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
  readonly minutesOpen: number
  readonly effect: 'allow' | 'freeze'
}

function begins({ hours, minutes, weekdays }: Daily, wall: number): boolean {
  const shown = new Date(wall)
  return (
    hours.includes(shown.getUTCHours()) &&
    minutes.includes(shown.getUTCMinutes()) &&
    weekdays.includes(shown.getUTCDay())
  )
}

/** Minute by minute: whether the window is open, by the two sentences of the documentation. */
function stepped(daily: Daily, walls: readonly number[]): readonly boolean[] {
  const seen = new Set<number>()
  let openFor = 0
  return walls.map((wall, i) => {
    const again = seen.has(wall)
    seen.add(wall)
    let opens = begins(daily, wall) && (daily.effect === 'freeze' || !again)
    for (let lost = (walls[i - 1] ?? wall) + minute; lost < wall; lost += minute) {
      if (daily.effect === 'freeze' && begins(daily, lost)) opens = true
    }
    openFor = opens ? daily.minutesOpen : openFor - 1
    return openFor > 0
  })
}

const daily: fc.Arbitrary<Daily> = fc.record({
  hours: fc.subarray([0, 1, 2, 3, 12, 22, 23], { minLength: 1, maxLength: 3 }),
  minutes: fc.subarray([0, 15, 30, 45], { minLength: 1, maxLength: 2 }),
  weekdays: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
  minutesOpen: fc.integer({ min: 1, max: 720 }),
  effect: fc.constantFrom('allow', 'freeze'),
})

function specsOf(d: Daily, zone: string): readonly ChangeWindowSpec[] {
  const names = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
  const by = `BYDAY=${d.weekdays.map((w) => names[w])};BYHOUR=${d.hours};BYMINUTE=${d.minutes}`
  const line = `${d.minutes} ${d.hours} * * ${d.weekdays}`
  const [lasts, effect] = [`${d.minutesOpen}m`, { effect: d.effect }]
  return [
    cronWindow(line, lasts, zone, effect),
    ruleWindow(`FREQ=WEEKLY;${by}`, '2010-01-01T00:00', lasts, zone, effect),
    ruleWindow(`FREQ=DAILY;${by}`, '2010-01-01T00:00', lasts, zone, effect),
  ]
}

describe('windows against clocks read minute by minute', () => {
  for (const [zone, date] of changes) {
    it(`agree around ${date} in ${zone}`, () => {
      const first = Date.parse(`${date}T00:00:00Z`) - 2 * dayMs
      const walls = clocks(zone, first, 4 * 24 * 60)
      // what opened before the first minute is unknown to the clocks
      const known = 12 * 60
      fc.assert(
        fc.property(daily, (d) => {
          const expected = stepped(d, walls)
          for (const spec of specsOf(d, zone)) {
            const window = compileWindow({ name: 'w', spec })
            for (let i = known; i < walls.length; i++) {
              const now = first + i * minute
              if (isOpen(window, now) === expected[i]) continue
              assert.fail(`${JSON.stringify(spec)} at ${new Date(now).toISOString()}`)
            }
          }
        }),
        { numRuns: 30 },
      )
    })
  }
})

/** BYSETPOS chooses before a time that does not exist is left out here, after it there: ask at noon. */
const startOf = (rule: string) => `2020-01-15T${rule.includes('BYSETPOS') ? '12' : '02'}:30`

const rules = fc
  .record({
    FREQ: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    INTERVAL: fc.option(fc.integer({ min: 1, max: 5 })),
    BYMONTH: fc.option(fc.subarray([2, 3, 10, 11], { minLength: 1 })),
    BYDAY: fc.option(fc.subarray(['MO', 'WE', 'SU'], { minLength: 1 })),
    BYHOUR: fc.option(fc.subarray([1, 2, 3, 23], { minLength: 1 })),
    BYSETPOS: fc.option(fc.constantFrom(1, -1, 2)),
  })
  .filter((r) => r.BYSETPOS === null || (r.BYDAY !== null && r.BYHOUR === null))
  .map((r) =>
    Object.entries(r)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  )

describe('windows against the library in the zone itself', () => {
  it('open at the times of RFC 5545 over twenty years', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')
    const when = fc.integer({ min: 0, max: 20 * 366 })
    fc.assert(
      fc.property(rules, zones, when, (rule, zone, days) => {
        const from = Date.parse('2020-01-01T00:00:00Z') + days * dayMs
        const to = from + 40 * dayMs
        const start = startOf(rule)
        const window = compileWindow({ name: 'w', spec: ruleWindow(rule, start, '1m', zone) })
        assert.equal(window.problem, undefined, rule)
        const dtstart = Temporal.PlainDateTime.from(start).toZonedDateTime(zone)
        const library = new RRuleTemporal({ rruleString: rule, dtstart, strict: true })
        assert.deepEqual(
          window.openings(from, to).map((o) => o.from),
          library
            .between(new Date(from), new Date(to), true)
            .map((z) => z.epochMilliseconds)
            .filter((ms) => ms >= from && ms < to),
          rule,
        )
      }),
      { numRuns: 300 },
    )
  })
})

describe('preview', () => {
  it('agrees with isOpen at every edge, before it and between', () => {
    const zones = fc.constantFrom(...changes.map(([zone]) => zone))
    const when = fc.integer({ min: 0, max: 1000 * 24 * 60 })
    fc.assert(
      fc.property(daily, zones, when, fc.nat(2), (d, zone, minutes, which) => {
        const now = Date.parse('2026-01-01T00:00:00Z') + minutes * minute
        const spec = specsOf(d, zone)[which]
        if (spec === undefined) assert.fail()
        const window = compileWindow({ name: 'w', spec })
        let last = now
        for (const { from, until } of preview(window, now, 5)) {
          if (from > last) {
            assert.ok(!isOpen(window, from - 1))
            assert.ok(!isOpen(window, Math.floor((last + from) / 2)))
          } else assert.ok(isOpen(window, now) && last === now)
          assert.ok(isOpen(window, from))
          if (until === undefined) break
          assert.ok(isOpen(window, until - 1) && !isOpen(window, until))
          assert.ok(isOpen(window, Math.floor((Math.max(from, now) + until) / 2)))
          last = until
        }
      }),
      { numRuns: 100 },
    )
  })
})
