import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import fc from 'fast-check'
import { cronWindow, onceWindow } from '../samples.ts'
import { closedBy, strictestFact } from './closed.ts'
import { type CompiledWindow, compileWindow } from './windows.ts'

const at = (text: string) => Date.parse(text)
const named = (name: string, spec: ChangeWindowSpec) => compileWindow({ name, spec })
const about = { action: 'workload.scale', namespace: 'shop' }
const day = named('day', onceWindow('2026-03-02T09:00:00Z', '2026-03-02T18:00:00Z'))
const peak = named(
  'peak',
  onceWindow('2026-03-02T12:00:00Z', '2026-03-02T13:00:00Z', { effect: 'freeze', reason: 'sale' }),
)
const glass = named(
  'glass',
  onceWindow('2026-03-02T12:30:00Z', '2026-03-02T12:45:00Z', { effect: 'breakGlass' }),
)
const closed = (windows: readonly CompiledWindow[], ...times: readonly string[]) =>
  closedBy(windows, { ...about, at: times.map(at) })

describe('what windows shut, in words', () => {
  it('is nothing where none is about it', () => {
    const elsewhere = named(
      'elsewhere',
      onceWindow('2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z', {
        effect: 'freeze',
        namespaces: ['lab'],
      }),
    )
    assert.equal(closed([], '2026-03-02T03:00:00Z'), undefined)
    assert.equal(closed([elsewhere], '2026-03-02T03:00:00Z'), undefined)
  })

  it('is the time outside of an allow window, its end included (T28)', () => {
    assert.equal(closed([day], '2026-03-02T17:59:59Z'), undefined)
    assert.equal(
      closed([day], '2026-03-02T18:00:00Z'),
      'outside of every window that allows it: `day`',
    )
    assert.equal(
      closed([day], '2026-03-02T08:00:00Z'),
      'outside of every window that allows it: `day`; the next opens at 2026-03-02T09:00:00Z',
    )
  })

  it('is a freeze, which says why and until when, and which glass may break', () => {
    const frozen = 'frozen by the window `peak` (sale), until 2026-03-02T13:00:00Z'
    assert.equal(closed([day, peak], '2026-03-02T12:10:00Z'), frozen)
    assert.equal(closed([day, peak, glass], '2026-03-02T12:30:00Z'), undefined)
    assert.equal(closed([day, peak, glass], '2026-03-02T12:45:00Z'), frozen)
  })

  it('names the clock it goes by where two disagree, whichever comes first (T09)', () => {
    const [inside, outside] = ['2026-03-02T17:55:00Z', '2026-03-02T18:05:00Z']
    for (const times of [
      [inside, outside],
      [outside, inside],
    ]) {
      assert.equal(
        closed([day], ...times),
        'outside of every window that allows it: `day`; clocks disagree, this is by the one at 2026-03-02T18:05:00Z',
      )
    }
    // asked about the other clock, the freeze would be long over and seem to begin next year
    const yearly = named('close', { ...cronWindow('0 12 2 3 *', '1h'), effect: 'freeze' })
    assert.equal(
      closed([yearly], '2026-03-02T13:05:00Z', '2026-03-02T12:55:00Z'),
      'frozen by the window `close`, until 2026-03-02T13:00:00Z; clocks disagree, this is by the one at 2026-03-02T12:55:00Z',
    )
    assert.equal(closed([day], inside, '2026-03-02T17:50:00Z'), undefined)
  })

  it('is everything at an instant that is none, and at none', () => {
    for (const times of [[Number.NaN], [], [at('2026-03-02T10:00:00Z'), Number.NaN]]) {
      const why = closedBy([day], { ...about, at: times })
      assert.match(why ?? 'open', /what the windows say cannot be reckoned with now/)
    }
  })

  it('shuts exactly what the strictest of all clocks shuts', () => {
    const spec = fc.record({
      effect: fc.constantFrom('allow' as const, 'freeze' as const, 'breakGlass' as const),
      hours: fc.integer({ min: 0, max: 23 }),
      lasts: fc.constantFrom('30m', '2h', '0s'),
      namespaces: fc.constantFrom('*', 'shop', 'lab').map((name) => [name]),
    })
    const minute = fc.integer({ min: 0, max: 48 * 60 })
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 4 }), fc.array(minute, { maxLength: 3 }), (s, m) => {
        const windows = s.map(({ effect, hours, lasts, namespaces }, i) =>
          named(`w${i}`, { ...cronWindow(`0 ${hours} * * *`, lasts), effect, namespaces }),
        )
        const question = { ...about, at: m.map((n) => at('2026-03-02T00:00:00Z') + n * 60_000) }
        const fact = strictestFact(windows, question)
        const restricted = windows.some(
          (w) => w.spec.effect === 'allow' && !w.spec.namespaces.includes('lab'),
        )
        const shut = fact.frozen || (restricted && !fact.open)
        assert.equal(closedBy(windows, question) !== undefined, shut)
      }),
    )
  })
})
