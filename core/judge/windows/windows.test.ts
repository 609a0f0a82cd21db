import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ChangeWindowSpec, changeWindowSpec } from '@jackstay/contract/kinds/change-window'
import fc from 'fast-check'
import { cronWindow, onceWindow, ruleWindow } from '../samples.ts'
import { compileWindow, isOpen, nextChange, noWindows, preview, windowFact } from './windows.ts'

function compiled(spec: ChangeWindowSpec, name = 'w') {
  const window = compileWindow({ name, spec: changeWindowSpec.parse(spec) })
  assert.equal(window.problem, undefined)
  return window
}
const at = (text: string) => Date.parse(text)
const text = (ms: number | undefined) => ms && new Date(ms).toISOString().replace('.000', '')
const spans = (spec: ChangeWindowSpec, from: string, count: number) =>
  preview(compiled(spec), at(from), count).map((s) => [text(s.from), text(s.until)])

const grant = { count: 1, groups: ['oncall'] }
const office = ruleWindow(
  'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
  '2026-01-05T09:00',
  '9h',
  'Europe/Berlin',
)

describe('a window', () => {
  it('is open from its opening on, and no longer at its end (T28)', () => {
    const window = compiled(office)
    const open = (clock: string) => isOpen(window, at(`2026-02-02T${clock}+01:00`))
    assert.deepEqual(
      ['08:59:59.999', '09:00:00', '17:59:59', '17:59:59.999', '18:00:00', '18:00:01'].map(open),
      [false, true, true, true, false, false],
    )
    assert.equal(isOpen(window, at('2026-01-31T12:00:00Z')), false, 'Saturday')
  })
  it('says when it opens and closes next', () => {
    const window = compiled(office)
    const next = (clock: string) => {
      const { open, at: when } = nextChange(window, at(clock))
      return [open, text(when)]
    }
    assert.deepEqual(next('2026-02-02T10:00:00Z'), [true, '2026-02-02T17:00:00Z'])
    assert.deepEqual(next('2026-02-06T17:00:00Z'), [false, '2026-02-09T08:00:00Z'])
    const past = compiled(onceWindow('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'))
    assert.deepEqual(nextChange(past, at('2026-02-01T00:00:00Z')), { open: false, at: undefined })
  })
  it('keeps its wall time when the clocks change, and lasts real time', () => {
    const nightly = cronWindow('0 22 * * *', '8h', 'Europe/Berlin')
    // 7 hours by the wall in spring end at 07:00, 9 in autumn at 05:00
    assert.deepEqual(spans(nightly, '2026-03-28T12:00:00Z', 2), [
      ['2026-03-28T21:00:00Z', '2026-03-29T05:00:00Z'],
      ['2026-03-29T20:00:00Z', '2026-03-30T04:00:00Z'],
    ])
    assert.deepEqual(spans(nightly, '2026-10-24T12:00:00Z', 2), [
      ['2026-10-24T20:00:00Z', '2026-10-25T04:00:00Z'],
      ['2026-10-25T21:00:00Z', '2026-10-26T05:00:00Z'],
    ])
  })
  for (const spec of [
    cronWindow('30 2 * * *', '1h', 'Europe/Berlin'),
    ruleWindow('FREQ=DAILY', '2026-01-01T02:30', '1h', 'Europe/Berlin'),
  ]) {
    const how = spec.cron === undefined ? 'RRULE' : 'cron'
    it(`that allows does not open at 02:30 where there is none, and once where it is twice (${how})`, () => {
      assert.deepEqual(spans(spec, '2026-03-28T12:00:00Z', 1), [
        ['2026-03-30T00:30:00Z', '2026-03-30T01:30:00Z'],
      ])
      assert.deepEqual(spans(spec, '2026-10-24T12:00:00Z', 2), [
        ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
        ['2026-10-26T01:30:00Z', '2026-10-26T02:30:00Z'],
      ])
    })
    it(`that freezes begins when the clocks jump over 02:30, and twice where it is twice (${how})`, () => {
      const freeze = { ...spec, effect: 'freeze' as const, duration: '30m' }
      assert.deepEqual(spans(freeze, '2026-03-28T12:00:00Z', 1), [
        ['2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z'],
      ])
      assert.deepEqual(spans(freeze, '2026-10-24T12:00:00Z', 2), [
        ['2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z'],
        ['2026-10-25T01:30:00Z', '2026-10-25T02:00:00Z'],
      ])
    })
  }
  it('takes no other day where the chosen one has no such time', () => {
    const rule = 'FREQ=WEEKLY;BYDAY=SA,SU;BYSETPOS=-1'
    const last = ruleWindow(rule, '2026-01-04T02:30', '1h', 'Europe/Berlin')
    assert.deepEqual(spans(last, '2026-03-23T00:00:00Z', 1), [
      ['2026-04-05T00:30:00Z', '2026-04-05T01:30:00Z'],
    ])
    const freeze = { ...last, effect: 'freeze' as const }
    assert.deepEqual(spans(freeze, '2026-03-23T00:00:00Z', 1), [
      ['2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
    ])
  })
  it('ends for good at UNTIL and after COUNT', () => {
    const until = ruleWindow('FREQ=DAILY;UNTIL=20260103T090000Z', '2026-01-01T09:00', '1h')
    assert.equal(spans(until, '2026-01-01T00:00:00Z', 9).length, 3)
    const before = ruleWindow('FREQ=DAILY;UNTIL=20260103T085959Z', '2026-01-01T09:00', '1h')
    assert.equal(spans(before, '2026-01-01T00:00:00Z', 9).length, 2)
    const counted = ruleWindow('FREQ=DAILY;COUNT=4', '2026-01-01T09:00', '1h')
    assert.equal(spans(counted, '2020-01-01T00:00:00Z', 9).length, 4)
    assert.equal(isOpen(compiled(counted), at('2026-01-05T09:30:00Z')), false)
  })
  it('is shown as one where its openings touch or overlap, also where it never closes', () => {
    const halves = cronWindow('0 9,13 * * *', '4h')
    assert.deepEqual(spans(halves, '2026-01-01T00:00:00Z', 1), [
      ['2026-01-01T09:00:00Z', '2026-01-01T17:00:00Z'],
    ])
    const always = cronWindow('0 * * * *', '1h')
    assert.deepEqual(spans(always, '2026-01-01T00:30:00Z', 3), [
      ['2026-01-01T00:00:00Z', undefined],
    ])
  })
  it('forgets nothing and remembers nothing when the clock jumps (T09)', () => {
    const window = compiled(office)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -700, max: 700 }), { minLength: 1 }), (minutes) => {
        for (const m of minutes) {
          const now = at('2026-03-27T17:00:00Z') + m * 60_000
          assert.equal(isOpen(window, now), isOpen(compiled(office), now))
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('all windows together', () => {
  const question = { action: 'workload.scale', namespace: 'shop', at: at('2026-02-02T10:00:00Z') }
  const open = compiled(office, 'office')
  const freeze = compiled(
    onceWindow('2026-02-01T00:00:00Z', '2026-02-03T00:00:00Z', { effect: 'freeze' }),
    'sale',
  )
  const glass = compiled(
    onceWindow('2026-02-02T09:00:00Z', '2026-02-02T11:00:00Z', {
      ...{ effect: 'breakGlass', reason: 'the shop is down', madeBy: 'ann', grant },
    }),
    'glass',
  )
  it('a freeze beats what allows, break-glass beats a freeze and says so', () => {
    assert.deepEqual(windowFact([], question), noWindows)
    const fact = (windows: Parameters<typeof windowFact>[0]) => {
      const { open, frozen, breakGlass, names } = windowFact(windows, question)
      return [open, frozen, breakGlass, ...names]
    }
    assert.deepEqual(fact([open]), [true, false, false, 'office'])
    assert.deepEqual(fact([open, freeze]), [false, true, false, 'office', 'sale'])
    assert.deepEqual(fact([freeze]), [false, true, false, 'sale'])
    assert.deepEqual(fact([glass, freeze]), [true, false, true, 'glass', 'sale'])
    const later = { ...question, at: at('2026-02-02T11:00:00Z') }
    assert.equal(windowFact([glass, freeze], later).frozen, true)
  })
  it('only those speak that name the action and the namespace', () => {
    const bank = compiled({ ...office, namespaces: ['bank'], actions: ['workload.scale'] })
    assert.equal(windowFact([bank], question).open, false)
    assert.equal(windowFact([bank], { ...question, namespace: 'bank' }).open, true)
    const other = { ...question, namespace: 'bank', action: 'workload.restart' }
    assert.equal(windowFact([bank], other).open, false)
  })
  it('what cannot be read is as strict as it can be', () => {
    const broken = (effect: 'allow' | 'freeze') =>
      compileWindow({ name: 'b', spec: { ...office, effect, timeZone: 'Europe/Nowhere' } })
    assert.match(broken('allow').problem ?? '', /no time zone `Europe\/Nowhere`/)
    assert.equal(windowFact([broken('allow')], question).open, false)
    assert.deepEqual(windowFact([open, broken('freeze')], question).frozen, true)
  })
  it('an instant that is none, or beyond every calendar, is frozen (T09)', () => {
    for (const at of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15]) {
      const { open: opened, frozen } = windowFact([open], { ...question, at })
      assert.deepEqual([opened, frozen], [false, true], String(at))
    }
  })
  it('one more freeze never opens anything, one more allow never lifts a freeze; order is nothing', () => {
    const pool = [open, freeze, glass, compiled(cronWindow('0 * * * *', '30m'), 'half')]
    const some = fc.array(fc.constantFrom(...pool), { maxLength: 4 })
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 2880 }), (windows, minute) => {
        const now = { ...question, at: at('2026-02-01T20:00:00Z') + minute * 60_000 }
        const fact = windowFact(windows, now)
        assert.deepEqual(windowFact(windows.toReversed(), now), fact)
        assert.ok(!(fact.open && fact.frozen))
        const frozen = windowFact([...windows, freeze], now)
        assert.ok(fact.open || !frozen.open || frozen.breakGlass)
        assert.ok(!fact.frozen || windowFact([...windows, open], now).frozen)
      }),
    )
  })
})

describe('a window spec', () => {
  it('says exactly one schedule, completely', () => {
    const refused = (spec: object) => assert.ok(!changeWindowSpec.safeParse(spec).success)
    const { timeZone, duration, ...bare } = office
    assert.ok(timeZone && duration)
    refused(bare)
    refused({ ...office, cron: '0 9 * * *' })
    refused({ ...office, timezone: 'UTC' })
    refused({ ...office, duration: '30s' })
    refused({ ...office, duration: '169h' })
    refused({ ...office, timeZone: '+02:00' })
    refused(onceWindow('2026-02-30T00:00:00Z', '2026-03-03T00:00:00Z'))
    refused(onceWindow('2026-02-03T00:00:00Z', '2026-02-03T00:00:00Z'))
    refused({ ...onceWindow('2026-02-03T00:00:00Z', '2026-02-04T00:00:00Z'), duration: '1h' })
  })
  it('lets only a person break the glass, with a reason and an end within a day', () => {
    const glass = (changes: Partial<ChangeWindowSpec>, until = '2026-02-02T12:00:00Z') =>
      changeWindowSpec.safeParse(
        onceWindow('2026-02-02T00:00:00Z', until, {
          ...{ effect: 'breakGlass', reason: 'down', madeBy: 'ann', grant, ...changes },
        }),
      ).success
    assert.ok(glass({}))
    assert.ok(!glass({}, '2026-02-03T00:00:01Z'))
    assert.ok(!glass({ reason: undefined }))
    assert.ok(!glass({ madeBy: undefined }))
    assert.ok(!glass({ grant: undefined }))
    assert.ok(!glass({ madeBy: 'system:serviceaccount:shop:bot' }))
    const recurring = { ...office, effect: 'breakGlass', reason: 'down', madeBy: 'ann', grant }
    assert.ok(!changeWindowSpec.safeParse({ ...office, grant }).success)
    assert.ok(!changeWindowSpec.safeParse(recurring).success)
  })
})
