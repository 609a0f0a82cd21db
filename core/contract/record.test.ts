import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type EventType,
  eventTypes,
  type IntentEvent,
  readEvent,
  stageNames,
  terminalPhases,
} from './history.ts'
import { decisionOf, eventOf, id, needsApproval } from './intent-builder.ts'
import { fold, hasEnded } from './record.ts'

const story = (...types: EventType[]) => types.map((type) => eventOf(type))
const phase = (events: readonly IntentEvent[]) => fold(id, events).phase

const untilDecided = story('authenticated', 'admitted', 'planned', 'decided')
const free = [...untilDecided, eventOf('rehearsed')]
const waiting = [...untilDecided, eventOf('rehearsed', { decision: needsApproval })]
const written = [...free, ...story('dispatched', 'written')]
const undoing = [...written, ...story('executed', 'undoing')]

describe('the phase of an intent', () => {
  it('is the first stage whose result is missing', () => {
    const steps: [IntentEvent, string][] = [
      [eventOf('authenticated'), 'admit'],
      [eventOf('admitted'), 'plan'],
      [eventOf('planned'), 'decide'],
      [eventOf('decided'), 'rehearse'],
      [eventOf('rehearsed', { decision: needsApproval }), 'approve'],
      [eventOf('approved'), 'dispatch'],
      [eventOf('dispatched'), 'execute'],
      [eventOf('written', { outcome: 'conflict' }), 'execute'],
      [eventOf('dispatched', { attempt: 2 }), 'execute'],
      [eventOf('written', { attempt: 2 }), 'execute'],
      [eventOf('executed'), 'verify'],
      [eventOf('undoing'), 'undo'],
      [eventOf('undoDispatched'), 'undo'],
      [eventOf('undone'), 'undo'],
      [eventOf('ended', { phase: 'rolled_back', stage: 'undo', reason: 'undone' }), 'rolled_back'],
    ]
    for (const [i, [, expected]] of steps.entries()) {
      const record = fold(
        id,
        steps.slice(0, i + 1).map(([event]) => event),
      )
      assert.equal(record.phase, expected)
      assert.equal(record.seq, i + 1)
      assert.equal(hasEnded(record), i + 1 === steps.length)
    }
  })

  it('passes by approval where nobody has to approve', () => {
    assert.equal(phase(free), 'dispatch')
    assert.equal(phase(waiting), 'approve')
  })

  it('is undo as soon as something went wrong after a write', () => {
    assert.equal(phase([...written, eventOf('undoing')]), 'undo')
  })

  it('is terminal by one event alone, from every stage', () => {
    const befores = [free, waiting, written, undoing]
    for (const end of terminalPhases) {
      for (const before of befores) {
        const record = fold(id, [...before, eventOf('ended', { phase: end })])
        assert.equal(record.phase, end)
        assert.ok(hasEnded(record))
      }
    }
  })
})

describe('a record', () => {
  it('keeps every write, and of the rest the newest, with its time', () => {
    const record = fold(id, [
      ...free,
      eventOf('dispatched'),
      eventOf('written', { outcome: 'conflict' }),
      { ...eventOf('dispatched', { attempt: 2 }), at: '2026-01-01T00:00:09.000Z' },
      eventOf('written', { attempt: 2 }),
    ])
    assert.deepEqual(
      record.written.map(({ attempt, outcome }) => [attempt, outcome]),
      [
        [1, 'conflict'],
        [2, 'applied'],
      ],
    )
    assert.equal(record.dispatched?.attempt, 2)
    assert.equal(record.dispatched?.at, '2026-01-01T00:00:09.000Z')
    assert.deepEqual(record.undone, [])
    assert.equal(record.authenticated.claims.jti, id)
  })
})

describe('a damaged history', () => {
  const damaged = (events: readonly IntentEvent[], what?: string) =>
    assert.throws(() => fold(id, events), TypeError, what)

  it('does not begin with authenticated', () => {
    damaged([])
    damaged(story('admitted'))
    damaged(story('ended'))
    damaged(story('admitted', 'authenticated'))
  })

  it('authenticates twice: nobody else takes over a signed intent', () => {
    damaged(story('authenticated', 'authenticated'))
    damaged([...free, eventOf('authenticated')])
  })

  it('goes on after its end, be it with another end', () => {
    const ended = [...written, ...story('executed', 'ended')]
    for (const type of eventTypes) damaged([...ended, eventOf(type)], type)
  })

  it('skips a stage, or comes back to one', () => {
    damaged(story('authenticated', 'planned'))
    damaged(story('authenticated', 'admitted', 'decided'))
    damaged([...free, eventOf('written')], 'written, never dispatched')
    damaged([...waiting, eventOf('dispatched')], 'dispatched, never approved')
    damaged([...waiting, ...story('approved', 'approved')])
    damaged([...free, eventOf('approved')], 'approved, though nobody had to')
    damaged([...free, eventOf('undoing')], 'undone, never dispatched')
    damaged([...written, eventOf('undone')])
    damaged([...written, eventOf('rehearsed', { decision: decisionOf() })])
    damaged([...undoing, eventOf('written')], 'written again while it is undone')
    damaged([...undoing, eventOf('executed')])
  })

  it('never passes for a whole one, whatever events stand in it', () => {
    const types = fc.array(fc.constantFrom(...eventTypes), { maxLength: 10 })
    const prefix = fc.constantFrom(
      story('authenticated'),
      untilDecided,
      free,
      waiting,
      written,
      undoing,
    )
    fc.assert(
      fc.property(prefix, types, (before, after) => {
        const events = [...before, ...story(...after)]
        let record: ReturnType<typeof fold>
        try {
          record = fold(id, events)
        } catch (error) {
          assert.ok(error instanceof TypeError)
          return
        }
        const ends = events.filter(({ type }) => type === 'ended').length
        const names: readonly string[] = ends === 1 ? terminalPhases : stageNames
        assert.ok(ends <= 1)
        assert.ok(names.includes(record.phase))
        // whatever was folded before stays true: a history only grows
        if (events.length > 1) assert.equal(hasEnded(fold(id, events.slice(0, -1))), false)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a stored event', () => {
  it('reads back as it was written, every type', () => {
    for (const type of eventTypes) {
      const event = eventOf(type)
      assert.deepEqual(readEvent(JSON.parse(JSON.stringify(event))), event)
    }
  })

  it('of an unknown type is damage', () => {
    for (const type of ['', 'forgotten', 'Ended', 'toString', '__proto__', 'constructor']) {
      assert.throws(() => readEvent({ type, at: '', data: {} }), TypeError, type)
    }
  })

  it('with a field too many, too few or wrong is damage (T16)', () => {
    for (const type of eventTypes) {
      const { at, data } = eventOf(type)
      assert.throws(() => readEvent({ type, at, data: { ...data, approvedBy: 'nobody' } }), type)
      assert.throws(() => readEvent({ type, at, data: {} }), type)
      assert.throws(() => readEvent({ type, at, data: null }), type)
    }
    const { at, data } = eventOf('ended')
    for (const change of [{ phase: 'admit' }, { reason: 'because' }, { stage: 'authenticate' }]) {
      assert.throws(() => readEvent({ type: 'ended', at, data: { ...data, ...change } }))
    }
    const empty = {
      ...eventOf('dispatched').data,
      bindings: [{ write: 'w1', uid: at, resourceVersion: '' }],
    }
    assert.throws(() => readEvent({ type: 'dispatched', at, data: empty }))
  })
})
