import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type EventData, type EventType, eventTypes, readEvent } from './history.ts'
import { reasoningDigest } from './intent.ts'
import { claimsOf, decisionOf, eventOf, id, planOf, reasoningOf, uid } from './intent-builder.ts'
import { type Json, sha256 } from './json.ts'
import { fold } from './record.ts'
import {
  type ErasableName,
  erasableNames,
  erasedText,
  redactEvent,
  withImplied,
} from './redaction.ts'
import { publicKey, readUnverified, sign, thumbprintOf, verifySignature } from './signing.ts'

/** A word that stands wherever a value of this name does. */
const word = (name: ErasableName) => `the-${name}-word`

const said = {
  reasoning: reasoningOf({ summary: word('reasoning') }),
  decision: decisionOf({
    reason: word('messages'),
    fired: [
      {
        ...{ id: 'base/a', effect: 'deny', mode: 'enforce', outcome: 'error' },
        message: word('messages'),
      },
    ],
  }),
  plan: planOf({
    summary: word('plan'),
    reads: [{ of: 'x', path: '/y', value: { is: word('plan') } }],
    writes: planOf().writes.map((write) => ({
      ...write,
      body: { spec: word('plan') },
      before: [{ of: 'x', path: '/spec', value: { is: word('plan') } }],
      after: [{ of: 'x', path: '/spec', value: { is: word('plan') } }],
      inverse: { body: { spec: word('plan') } },
    })),
    observed: { a: word('plan') },
  }),
  grounds: {
    digest: sha256('facts'),
    facts: { intent: word('facts') },
    defaultApproval: { count: 1, groups: ['oncall'] },
  },
  approvals: [
    {
      ...{ name: 'a', uid, approver: 'alice', groups: ['sre'], at: '2026-01-01T00:00:00Z' },
      ...{ verdict: 'approve' as const, reason: word('messages') },
    },
  ],
}

const { reasoning, decision, plan, grounds, approvals } = said
const message = word('messages')
/** Each event with its word in every place where somebody's value may stand. */
const changes: { readonly [T in EventType]: Partial<EventData<T>> } = {
  authenticated: {
    claims: claimsOf({ params: { value: word('params') } }),
    jws: `x.${word('params')}.y`,
    reasoning,
    trigger: {
      ...{ id, source: 'alertmanager', status: 'firing', fingerprint: 'f', startsAt: 'now' },
      ...{ receivedAt: 'now', groupKey: word('trigger') },
      ...{ labels: { [word('trigger')]: 'a' }, annotations: { b: word('trigger') } },
    },
  },
  admitted: {},
  planned: { plan },
  decided: { decision, grounds },
  rehearsed: { plan, decision, grounds },
  approved: { approvals },
  dispatched: { decision },
  written: { message },
  executed: {},
  undoing: { message },
  undoDispatched: {},
  undone: { message },
  ended: { message, decision, grounds, approvals, observed: { a: word('plan') } },
}

const storedAs = (type: EventType): Json =>
  JSON.parse(JSON.stringify(eventOf(type, changes[type]).data))

describe('T72 erasing values from events', () => {
  it('takes away every place of the named ones, keeps the others, and still reads', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...eventTypes),
        fc.subarray([...erasableNames]),
        (type, names) => {
          const before = JSON.stringify(storedAs(type))
          const erased = redactEvent(type, storedAs(type), names, 42)
          const after = JSON.stringify(erased)
          for (const name of erasableNames) {
            const had = before.includes(word(name))
            assert.equal(
              after.includes(word(name)),
              had && !names.includes(name),
              `${type} ${name}`,
            )
            const marked = (erased as { redacted?: { [name: string]: number } }).redacted?.[name]
            assert.equal(marked, had && names.includes(name) ? 42 : undefined, `${type} ${name}`)
          }
          readEvent({ type, at: 'now', data: erased })
          assert.deepEqual(redactEvent(type, erased, names, 99), erased, 'the first mark stands')
        },
      ),
    )
  })

  it('has a word for every name, so that none is tested in vain', () => {
    const all = JSON.stringify(eventTypes.map(storedAs))
    for (const name of erasableNames) assert.ok(all.includes(word(name)), name)
  })

  it('folds to the same phase with or without them', () => {
    const types: EventType[] = ['authenticated', 'admitted', 'planned', 'decided', 'rehearsed']
    const ended: EventType[] = ['dispatched', 'written', 'executed', 'undoing', 'undone', 'ended']
    const events = [...types, ...ended].map((type) => ({ type, at: 'now', data: storedAs(type) }))
    const erased = events.map((event) => ({
      ...event,
      data: redactEvent(event.type, event.data, erasableNames, 7),
    }))
    const record = fold(id, erased.map(readEvent))
    assert.equal(record.phase, fold(id, events.map(readEvent)).phase)
    assert.deepEqual(Object.keys(record.redacted).sort(), [...erasableNames].sort())
    assert.equal(record.authenticated.reasoning, undefined)
    assert.equal(record.ended?.message, erasedText)
  })

  it('where only the reasoning went, the signature still verifies', async () => {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    assert.ok('privateKey' in pair)
    const { crv, kty, x } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    const key = publicKey.parse({ crv, kty, x })
    const signer = { kid: await thumbprintOf(key), privateKey: pair.privateKey }
    const claims = claimsOf({ reasoning: { digest: reasoningDigest(reasoning) } })
    const jws = await sign('jackstay-intent+jws', claims, signer)
    const data = JSON.parse(
      JSON.stringify(eventOf('authenticated', { claims, jws, reasoning }).data),
    )
    const event = readEvent({
      type: 'authenticated',
      at: 'now',
      data: redactEvent('authenticated', data, ['reasoning'], 3),
    })
    assert.ok(event.type === 'authenticated' && event.data.jws !== undefined)
    assert.equal(event.data.reasoning, undefined)
    await verifySignature(event.data.jws, key)
    const { payload } = readUnverified(event.data.jws, 'jackstay-intent+jws')
    assert.deepEqual(payload, event.data.claims)
  })

  it('a value that is missing without a mark is damage', () => {
    for (const key of ['reasoning', 'jws']) {
      const { [key]: _, ...data } = storedAs('authenticated') as { readonly [key: string]: Json }
      assert.throws(() => readEvent({ type: 'authenticated', at: 'now', data }), /not redacted/)
    }
  })

  it('what repeats a value goes with it', () => {
    assert.deepEqual(withImplied(['params']), ['params', 'plan', 'facts', 'messages'])
    assert.deepEqual(withImplied(['reasoning', 'plan']), ['reasoning', 'plan', 'facts', 'messages'])
    assert.deepEqual(withImplied([]), [])
  })

  it('leaves alone what it does not know', () => {
    assert.equal(redactEvent('other', 'text', erasableNames, 1), 'text')
    assert.deepEqual(redactEvent('other', { message: 'x' }, erasableNames, 1), { message: 'x' })
  })
})
