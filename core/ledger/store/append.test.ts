import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CanonicalText } from '@jackstay/contract/json'
import fc from 'fast-check'
import { encodeLeaf, leafLimit } from './leaf.ts'
import { anAppend, suiteLedger } from './store-builder.ts'

describe('append', () => {
  it('writes what an event says, whatever text comes with it', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const data = { verdict: 'denied', at: 1 }
    const at = '2026-01-01T00:00:00Z'
    const texts = [new CanonicalText(data), new CanonicalText({ verdict: 'allowed' })]
    const events = texts.map((text) => ({ type: 'decided', at, data, text }))
    await store.append(anAppend({ events }))
    const written = await store.events('i1')
    assert.deepEqual(
      written.map((event) => event.data),
      [data, data],
    )
    // @ts-expect-error a text of anybody's making is none
    anAppend({ events: [{ type: 'decided', at, data, text: '{"verdict":"allowed"}' }] })
    // @ts-expect-error nor is what only looks like one
    anAppend({ events: [{ type: 'decided', at, data, text: { of: () => '{}' } }] })
  })

  it('stores events and leaves together and gives them back', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const first = await store.append(
      anAppend({ index: { agent: 'shop/runbook', namespace: 'shop', kid: 'k', jwsDigest: 'd' } }),
    )
    assert.deepEqual(first, { seq: 1, leafIndexes: [] })
    const second = await store.append({
      ...anAppend({ expectedSeq: 1, phase: 'refused', terminal: true, index: { agent: 'other' } }),
      events: [
        { type: 'admitted', at: '2026-01-01T00:00:01Z', data: null },
        { type: 'ended', at: '2026-01-01T00:00:02Z', data: { reason: 'denied' } },
      ],
      leaves: [{ kind: 'decision', data: { rules: ['a'] } }],
    })
    assert.deepEqual(second, { seq: 3, leafIndexes: [0] })
    assert.deepEqual(await store.events('i1'), [
      {
        seq: 1,
        type: 'authenticated',
        at: '2026-01-01T00:00:00Z',
        data: { jws: 'x' },
        leafIndexes: [],
      },
      { seq: 2, type: 'admitted', at: '2026-01-01T00:00:01Z', data: null, leafIndexes: [] },
      {
        seq: 3,
        type: 'ended',
        at: '2026-01-01T00:00:02Z',
        data: { reason: 'denied' },
        leafIndexes: [0],
      },
    ])
    assert.deepEqual(await store.intent('i1'), {
      id: 'i1',
      ordinal: 1,
      seq: 3,
      phase: 'refused',
      terminal: true,
      agent: 'shop/runbook',
      namespace: 'shop',
      kid: 'k',
      jwsDigest: 'd',
      startedAt: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-01T00:00:02Z',
    })
    const leaf = await store.leaf(0)
    assert.deepEqual(
      { kind: leaf?.kind, intent: leaf?.intent, seq: leaf?.seq, data: leaf?.data },
      { kind: 'decision', intent: 'i1', seq: 3, data: { rules: ['a'] } },
    )
    assert.equal(
      Buffer.from(leaf?.bytes ?? []).toString(),
      '{"data":{"rules":["a"]},"intent":"i1","kind":"decision","seq":3,"v":2}',
    )
    assert.equal(await store.leaf(1), undefined)
  })

  it('refuses a history that moved on or ended, and leaves no trace of the attempt', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const leaves = [{ kind: 'decision', data: 1 }] as const
    await store.append(anAppend())
    await assert.rejects(store.append(anAppend({ leaves })), { code: 'intent_conflict' })
    await assert.rejects(store.append(anAppend({ expectedSeq: 2, leaves })), {
      code: 'intent_conflict',
    })
    await store.append(anAppend({ expectedSeq: 1, phase: 'denied', terminal: true }))
    await assert.rejects(store.append(anAppend({ expectedSeq: 2, leaves })), {
      code: 'intent_conflict',
    })
    assert.equal(await store.size(), 0)
    assert.equal((await store.events('i1')).length, 2)
  })

  it('lets exactly one of two writers of the same step win', async () => {
    await using ledger = await suiteLedger()
    const both = await Promise.allSettled([
      ledger.store.append(anAppend({ leaves: [{ kind: 'decision', data: 'a' }] })),
      ledger.store.append(anAppend({ leaves: [{ kind: 'decision', data: 'b' }] })),
    ])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(await ledger.store.size(), 1)
  })

  it('refuses an append without events, a leaf beyond 16 kB and values JSON cannot carry', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const rest = encodeLeaf({ kind: 'outcome', intent: 'i1', seq: 1, data: '' }).length
    const leaf = (length: number) =>
      anAppend({ leaves: [{ kind: 'outcome', data: 'x'.repeat(length) }] })
    await assert.rejects(store.append(leaf(leafLimit - rest + 1)), { code: 'too_large' })
    await assert.rejects(store.append(anAppend({ events: [] })), { code: 'invalid_request' })
    await assert.rejects(
      store.append(anAppend({ leaves: [{ kind: 'outcome', data: Number.NaN }] })),
      {
        code: 'not_canonical',
      },
    )
    assert.deepEqual(await store.append(leaf(leafLimit - rest)), { seq: 1, leafIndexes: [0] })
  })

  it('gives concurrent appends gapless unique indexes, each isolated from failing ones', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const plans = fc.array(
      fc.record({ leaves: fc.integer({ min: 0, max: 3 }), fails: fc.boolean() }),
      { minLength: 1, maxLength: 40 },
    )
    let round = 0
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const prefix = `r${round++}-`
        const before = await store.size()
        const results = await Promise.allSettled(
          plan.map(({ leaves, fails }, i) =>
            store.append(
              anAppend({
                intentId: `${prefix}${i}`,
                expectedSeq: fails ? 7 : 0,
                leaves: Array.from({ length: leaves }, (_, n) => ({
                  kind: 'decision',
                  data: [prefix, i, n],
                })),
              }),
            ),
          ),
        )
        const given = results.flatMap((r) => (r.status === 'fulfilled' ? r.value.leafIndexes : []))
        assert.deepEqual(
          results.map((r) => r.status === 'rejected'),
          plan.map(({ fails }) => fails),
        )
        const size = await store.size()
        assert.deepEqual(
          given,
          Array.from({ length: size - before }, (_, i) => before + i),
        )
        for (const [i, result] of results.entries()) {
          if (result.status === 'rejected') continue
          for (const [n, index] of result.value.leafIndexes.entries()) {
            assert.deepEqual((await store.leaf(index))?.data, [prefix, i, n])
          }
        }
      }),
      { numRuns: 40 },
    )
    await ledger.reopen()
  })

  it('refuses when its queue is full, but keeps room for outcomes and undo', async () => {
    await using ledger = await suiteLedger({ queueLimit: 8 })
    const { store } = ledger
    const ordinary = Array.from({ length: 9 }, (_, i) =>
      store.append(anAppend({ intentId: `i${i}` })),
    )
    const outcome = store.append(
      anAppend({ intentId: 'o', leaves: [{ kind: 'outcome', data: 1 }] }),
    )
    const beyond = store.append(anAppend({ intentId: 'p', phase: 'undo' }))
    const settled = await Promise.allSettled([...ordinary, outcome, beyond])
    const failed = settled.flatMap((r, i) => (r.status === 'rejected' ? [[i, r.reason.code]] : []))
    assert.deepEqual(failed, [
      [8, 'overloaded'],
      [10, 'overloaded'],
    ])
  })

  it('appends leaves that belong to no intent', async () => {
    await using ledger = await suiteLedger()
    const { leafIndexes } = await ledger.store.appendLeaves([
      { kind: 'suspension', data: { name: 's' } },
      { kind: 'decision', data: { count: 12 } },
    ])
    assert.deepEqual(leafIndexes, [0, 1])
    assert.equal((await ledger.store.leaf(0))?.intent, undefined)
  })

  it('writes leaves with a token once, whoever asks again and when', async () => {
    await using ledger = await suiteLedger()
    const leaves = [
      { kind: 'suspension', data: { name: 's' } },
      { kind: 'suspension', data: { name: 't' } },
    ] as const
    const [first, second] = await Promise.all([
      ledger.store.appendLeaves(leaves, { token: 'a' }),
      ledger.store.appendLeaves(leaves, { token: 'a' }),
    ])
    assert.deepEqual([first, second], [{ leafIndexes: [0, 1] }, { leafIndexes: [0, 1] }])
    const store = await ledger.reopen()
    assert.deepEqual(await store.appendLeaves(leaves, { token: 'b' }), { leafIndexes: [2, 3] })
    assert.deepEqual(await store.appendLeaves(leaves, { token: 'a' }), { leafIndexes: [0, 1] })
    assert.deepEqual(await store.appendLeaves(leaves), { leafIndexes: [4, 5] })
  })
})
