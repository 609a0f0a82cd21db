import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cronWindow, ruleWindow } from '../samples.ts'
import { readCron } from './cron-line.ts'
import { maxPerDay, readRecurrence } from './recurrence.ts'
import { compileWindow, isOpen, preview, windowFact } from './windows.ts'

const start = '2026-01-05T09:00'
const problem = (rule: string, from = start) => {
  const read = readRecurrence(rule, from)
  return 'problem' in read ? read.problem : undefined
}
const cronProblem = (line: string) => {
  const read = readCron(line)
  return 'problem' in read ? read.problem : undefined
}

describe('a recurrence rule', () => {
  it('is refused where the library would skip what it does not understand', () => {
    for (const [rule, why] of [
      ['FREQ=DAILY;BYHOUR=25', /`BYHOUR=25` is not between 0 and 23/],
      ['FREQ=DAILY;BYHUOR=2', /unknown part `BYHUOR`; did you mean `BYHOUR`/],
      ['FREQ=DAILY;FREQ=WEEKLY', /`FREQ` stands twice/],
      ['FREQ=DAILY;', /`` is no part of a rule/],
      ['FREQ=DAILY;BYMONTHDAY=0', /is not between -31 and 31/],
      ['FREQ=DAILY;BYMONTH=1.5', /is no part of a rule/],
      ['FREQ=DAILY;BYMONTH=1e1', /is no part of a rule/],
      ['FREQ=DAILY;BYMONTH=1E1', /is not between 1 and 12/],
      ['FREQ=MONTHLY;BYDAY=60FR', /`60FR` is no weekday/],
      ['FREQ=WEEKLY;BYDAY=1MO', /with a number goes with/],
      ['FREQ=WEEKLY;BYDAY=XX', /no weekday/],
      ['FREQ=WEEKLY;BYMONTHDAY=3', /BYMONTHDAY/],
      ['FREQ=DAILY;BYSETPOS=1', /BYSETPOS/],
      ['FREQ=YEARLY;BYWEEKNO=1;BYYEARDAY=200', /without `BYYEARDAY`/],
      ['FREQ=DAILY;UNTIL=20260230T000000Z', /is no instant/],
      ['FREQ=DAILY;UNTIL=20260301', /write it like `20261231T230000Z`/],
      ['FREQ=DAILY;UNTIL=20260301T000000Z;COUNT=2', /exclude each other/],
      ['freq=daily', /is no part of a rule/],
      ['RRULE:FREQ=DAILY', /leave out `RRULE:`/],
      ['BYDAY=MO', /needs `FREQ`/],
      ['FREQ=DAILY\nEXDATE=20260101', /is no part of a rule/],
    ] as const) {
      assert.match(problem(rule) ?? 'accepted', why, rule)
    }
    assert.match(problem('FREQ=DAILY', '2026-02-30T09:00') ?? '', /cannot be read/)
  })
  it('is refused where it costs more than a window is worth', () => {
    for (const rule of [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY',
      'FREQ=HOURLY',
      'FREQ=DAILY;BYSECOND=1',
      'FREQ=DAILY;COUNT=1001',
      'FREQ=DAILY;COUNT=0',
      'FREQ=DAILY;INTERVAL=0',
      'FREQ=DAILY;INTERVAL=99999',
      'FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5',
      'FREQ=DAILY;BYHOUR=1,1,1',
    ]) {
      assert.notEqual(problem(rule), undefined, rule)
    }
  })
  it('of the worst accepted kind is still answered', () => {
    const hours = `BYHOUR=${Array.from({ length: maxPerDay }, (_, i) => i)}`
    for (const rule of [
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000',
      `FREQ=DAILY;${hours}`,
      `FREQ=YEARLY;BYYEARDAY=${Array.from({ length: 40 }, (_, i) => i + 1)};${hours};BYSETPOS=-366`,
      'FREQ=YEARLY;INTERVAL=366;BYWEEKNO=53;BYDAY=SU',
      'FREQ=DAILY;UNTIL=20991231T000000Z',
      'FREQ=MONTHLY;BYDAY=+5FR,-5FR;BYSETPOS=2',
    ]) {
      const window = compileWindow({
        name: 'w',
        spec: ruleWindow(rule, '2000-01-01T00:00', '168h'),
      })
      assert.equal(window.problem, undefined, rule)
      isOpen(window, Date.parse('2026-05-01T00:00:00Z'))
      assert.ok(preview(window, Date.parse('2026-05-01T00:00:00Z'), 5).length <= 5)
    }
  })
})

describe('a cron line', () => {
  it('has five plain fields', () => {
    for (const line of [
      '@daily',
      '0 9 * *',
      '0 0 9 * * *',
      '0  9 * * *',
      '60 9 * * *',
      '0 24 * * *',
      '0 9 0 * *',
      '0 9 L * *',
      '0 9 ? * *',
      '0 9 * * MON#1',
      '0 9 * * 8',
      '5-1 9 * * *',
      '*/0 9 * * *',
      '0 9 * * +1',
      '0 9 * * 1,,2',
    ]) {
      assert.notEqual(cronProblem(line), undefined, line)
    }
    for (const line of ['0 9 * * 1-5', '0 9 * JAN,FEB MON-FRI', '*/30 9-17/2 1,15 * *']) {
      assert.equal(cronProblem(line), undefined, line)
    }
  })
  it('opens at most so many times a day', () => {
    assert.match(cronProblem('* * * * *') ?? '', /more than 24 times a day/)
    assert.match(cronProblem('*/30 0-12 * * 1') ?? '', /more than 24 times a day/)
    assert.equal(cronProblem('0 * * * *'), undefined)
  })
  it('that never comes opens nothing', () => {
    const window = compileWindow({ name: 'w', spec: cronWindow('0 9 30 2 *', '1h') })
    assert.deepEqual(preview(window, 0, 3), [])
  })
})

describe('openings between two wall times', () => {
  it('begin with the first and end before the second', () => {
    const [from, to] = [Date.UTC(2026, 1, 2, 9), Date.UTC(2026, 1, 4, 9)]
    for (const read of [readRecurrence('FREQ=DAILY', start), readCron('0 9 * * *')]) {
      assert.ok('recurrence' in read)
      assert.deepEqual(read.recurrence.between(from, to), [from, Date.UTC(2026, 1, 3, 9)])
    }
  })
})

describe('whatever the text', () => {
  const piece = fc.constantFrom(
    ...'FREQ= DAILY YEARLY ; BYDAY= MO 1FR , BYSETPOS= -1 366 BYHOUR= 0 23 COUNT= UNTIL= 20260101T000000Z INTERVAL= BYWEEKNO= 53 * / - 5 _ é'.split(
      ' ',
    ),
  )
  const texts = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(piece, { maxLength: 14 }).map((p) => p.join('')),
    fc.array(piece, { maxLength: 14 }).map((p) => `FREQ=YEARLY;${p.join('')}`),
    fc.array(piece, { minLength: 5, maxLength: 5 }).map((p) => p.join(' ')),
  )
  it('reading never throws, and what is read is answered', () => {
    fc.assert(
      fc.property(texts, texts, (text, zone) => {
        for (const spec of [
          ruleWindow(text, start, '1h', 'Europe/Berlin'),
          cronWindow(text, '1h', 'Europe/Berlin'),
          cronWindow('0 9 * * *', '1h', zone),
        ]) {
          const window = compileWindow({ name: 'w', spec: { ...spec, effect: 'freeze' } })
          const question = { action: 'a', namespace: 'n', at: 1.8e12 }
          const { frozen } = windowFact([window], question)
          if (window.problem !== undefined) assert.ok(frozen)
        }
      }),
      { numRuns: 300 },
    )
  })
})
