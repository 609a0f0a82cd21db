import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import {
  ask,
  atRest,
  type BreakerState,
  breakerState,
  type EvidenceKind,
  evidenceKinds,
  observe,
  reset,
} from './breaker.ts'
import { defaultThresholds, thresholdsFile, thresholdsFrom } from './thresholds.ts'

const rules = defaultThresholds.agent
let serial = 0

function see(
  state: BreakerState,
  kind: EvidenceKind,
  at: number,
  { by = 'a', id = `i${++serial}`, call }: { by?: string; id?: string; call?: string } = {},
  with_ = rules,
): BreakerState {
  return observe(state, { id, at, kind, by, ...(call !== undefined && { call }) }, with_)
}

function times(n: number, kind: EvidenceKind, state = atRest): BreakerState {
  return Array.from({ length: n }).reduce<BreakerState>((s, _, i) => see(s, kind, i), state)
}

function isOpen({ trip }: BreakerState): boolean {
  return trip !== undefined && trip.closedAt === undefined
}

describe('a breaker', () => {
  for (const cause of [
    'failed',
    'undone',
    'malformed',
    'flood',
    'oscillation',
    'refused',
  ] as const) {
    it(`opens at the threshold of \`${cause}\` and not before`, () => {
      const { atLeast } = rules.rules[cause] ?? { atLeast: 0 }
      assert.ok(!isOpen(times(atLeast - 1, cause)))
      assert.equal(times(atLeast, cause).trip?.cause, cause)
    })
  }

  it('counts failures by their part of what was changed, which refusals never dilute', () => {
    const good = times(6, 'good')
    assert.ok(!isOpen(times(3, 'failed', good)), '3 of 9')
    const diluted = times(200, 'other', times(2, 'failed'))
    assert.ok(isOpen(see(diluted, 'failed', 100)), 'cheap refusals push no failure out')
  })

  it('opens when one call is made again and again, whatever becomes of it', () => {
    let state = atRest
    for (let i = 0; i < 8; i++) state = see(state, 'other', i, { call: `c${i}` })
    assert.ok(!isOpen(state))
    for (let i = 0; i < 8; i++) state = see(state, 'good', i, { call: 'same' })
    assert.equal(state.trip?.cause, 'repeated')
  })

  it('counts one intent once, however often it is told', () => {
    let state = atRest
    for (let i = 0; i < 50; i++) state = see(state, 'failed', i, { id: 'one' })
    assert.ok(!isOpen(state))
  })

  it('of what agents share is opened by two of them, never by one (T74)', () => {
    const shared = defaultThresholds.target
    let state = atRest
    for (let i = 0; i < 50; i++) state = see(state, 'failed', i, {}, shared)
    assert.ok(!isOpen(state))
    assert.ok(isOpen(see(state, 'failed', 51, { by: 'b' }, shared)))
  })

  it('stays open for its time, lets one try, and closes when that went well', () => {
    const open = times(3, 'failed')
    const { retryAt = 0 } = open.trip ?? {}
    assert.ok(!ask(open, 'x', retryAt - 1).pass)
    const gate = ask(open, 'x', retryAt)
    assert.ok(gate.pass && gate.probe)
    assert.ok(!ask(gate.state, 'y', retryAt + 1e9).pass, 'one probe, however long it takes')
    assert.ok(ask(gate.state, 'x', retryAt).pass, 'asked again after a crash')
    const after = see(gate.state, 'good', retryAt + 1, { id: 'x' })
    assert.ok(ask(after, 'y', retryAt + 2).pass)
  })

  it('opens for twice as long when the probe fails, up to a bound', () => {
    let state = times(3, 'failed')
    let before = 0
    for (let i = 0; i < 10; i++) {
      const { retryAt = 0, openedAt = 0 } = state.trip ?? {}
      const lasts = retryAt - openedAt
      assert.equal(lasts, i === 0 ? rules.openMs : Math.min(before * 2, rules.maxOpenMs))
      before = lasts
      const gate = ask(state, `p${i}`, retryAt)
      assert.ok(gate.pass)
      state = see(gate.state, 'failed', retryAt, { id: `p${i}` })
    }
  })

  it('is let go by a probe that said nothing, and takes the next', () => {
    const open = times(3, 'failed')
    const { retryAt = 0 } = open.trip ?? {}
    const gate = ask(open, 'x', retryAt)
    assert.ok(gate.pass)
    const after = see(gate.state, 'other', retryAt, { id: 'x' })
    assert.ok(isOpen(after) && ask(after, 'y', retryAt).pass)
  })

  it('is not kept open by what others still had under way', () => {
    const open = times(3, 'failed')
    assert.deepEqual(times(50, 'failed', open), open)
  })

  it('is closed by a person only when it opened before', () => {
    const open = times(3, 'failed')
    assert.ok(isOpen(reset(open, 2, 100)), 'it opened at 2')
    const closed = reset(open, 3, 100)
    assert.ok(!isOpen(closed))
    assert.ok(!isOpen(times(3, 'failed', closed)), 'told again after a restart')
    const again = [101, 102, 103].reduce((s, at) => see(s, 'failed', at), closed)
    assert.ok(isOpen(again))
  })
})

const step = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    id: fc.integer({ min: 0, max: 5 }),
    ms: fc.integer({ min: -1000, max: 200_000 }),
  }),
  fc.record({
    do: fc.constant('see' as const),
    id: fc.integer({ min: 0, max: 5 }),
    ms: fc.integer({ min: -1000, max: 200_000 }),
    kind: fc.constantFrom(...evidenceKinds),
  }),
)

test('T74 whatever happens in whatever order, one probe at most is out, and none before its time', () => {
  let opened = 0
  let probed = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let state = times(3, 'failed')
      let now = 10
      let out: string | undefined
      for (const s of steps) {
        now += s.ms
        const id = `p${s.id}`
        const before = state.trip
        if (s.do === 'see') {
          state = see(state, s.kind, now, { id: isOpen(state) ? id : `${id}-${++serial}` })
          if (out === id || !isOpen(state)) out = undefined
        } else {
          const gate = ask(state, id, now)
          if (!gate.pass) continue
          if (gate.probe && out !== id) {
            assert.equal(out, undefined, 'two probes')
            assert.ok(before !== undefined && now >= before.retryAt, 'before its time')
            out = id
            probed++
          }
          state = gate.state
        }
        if (isOpen(state)) opened++
        assert.deepEqual(breakerState.parse(JSON.parse(JSON.stringify(state))), state)
        assert.ok(state.samples.length <= 128, 'bounded')
      }
    }),
  )
  assert.ok(opened > 100 && probed > 50, 'the property looked at something')
})

test('thresholds left out of the file stay, and a misspelt one is refused', () => {
  const given = thresholdsFrom(thresholdsFile.parse({ agent: { openMs: 5000 } }))
  assert.equal(given.agent.openMs, 5000)
  assert.deepEqual(given.agent.rules, rules.rules)
  assert.deepEqual(given.class, defaultThresholds.class)
  assert.ok(!thresholdsFile.safeParse({ agent: { openMS: 5000 } }).success)
  assert.ok(!thresholdsFile.safeParse({ agent: { rules: { refuse: {} } } }).success)
})

test('the reference lists every threshold that holds', () => {
  const page = new URL('../../../docs/reference/breakers.md', import.meta.url)
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => /^\| (agent|class|action|target) /.test(line))
  const held = Object.entries(defaultThresholds).flatMap(([scope, { rules: of, voices }]) =>
    Object.entries(of).map(
      ([cause, { atLeast, withinMs, share }]) =>
        `| ${scope} | ${cause} | ${atLeast} | ${withinMs / 60_000} min | ${share * 100} % | ${voices} |`,
    ),
  )
  assert.deepEqual(rows, held)
})
