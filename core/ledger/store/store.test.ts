import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openCheckpoint } from '../log/checkpoint.ts'
import { verifierFromVkey } from '../log/note.ts'
import { decodeBundle } from '../log/tiles.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../log/tree.ts'
import { encodeLeaf, leafLimit } from './leaf.ts'
import { anAppend, fill, suiteLedger } from './store-builder.ts'

describe('append', () => {
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

describe('reads', () => {
  it('lists by every field, newest first, page by page', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    for (let i = 0; i < 6; i++) {
      await store.append(
        anAppend({
          intentId: `i${i}`,
          phase: i % 2 === 0 ? 'approve' : 'refused',
          terminal: i % 2 === 1,
          index: { agent: i < 3 ? 'a/1' : 'a/2', namespace: 'shop' },
        }),
      )
    }
    const ids = async (query: Parameters<typeof store.list>[0]) =>
      (await store.list(query)).map(({ id }) => id)
    assert.deepEqual(await ids({ limit: 2 }), ['i5', 'i4'])
    assert.deepEqual(await ids({ limit: 2, before: 5 }), ['i3', 'i2'])
    assert.deepEqual(await ids({ agent: 'a/1', limit: 10 }), ['i2', 'i1', 'i0'])
    assert.deepEqual(await ids({ agent: 'a/1', terminal: true, limit: 10 }), ['i1'])
    assert.deepEqual(await ids({ namespace: 'shop', phase: 'approve', limit: 10 }), [
      'i4',
      'i2',
      'i0',
    ])
    assert.deepEqual(await store.open(), ['i0', 'i2', 'i4'])
    await assert.rejects(store.list({ limit: 0 }), { code: 'invalid_request' })
    await assert.rejects(store.list({ limit: 1001 }), { code: 'invalid_request' })
  })

  it('tells a replay from a conflict, and shows nothing to another key', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    assert.deepEqual(await store.replay('k1', 'i1', 'd1'), { kind: 'new' })
    await store.append(anAppend({ index: { kid: 'k1', jwsDigest: 'd1' } }))
    assert.deepEqual(await store.replay('k1', 'i1', 'd1'), { kind: 'same', intentId: 'i1' })
    assert.deepEqual(await store.replay('k1', 'i1', 'd2'), { kind: 'other_bytes' })
    assert.deepEqual(await store.replay('k2', 'i1', 'd1'), { kind: 'other_key' })
  })

  it('serves tiles and proofs that verify against the signed checkpoint', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    const roots = new Map<number, Uint8Array>()
    for (const count of [1, 254, 1, 1, 300]) {
      await fill(store, count, `n${roots.size}-`)
      const opened = openCheckpoint(await store.checkpoint(), verifierFromVkey(ledger.key.vkey))
      assert.ok(opened.ok)
      roots.set(opened.checkpoint.size, opened.checkpoint.root)
    }
    assert.deepEqual([...roots.keys()], [1, 255, 256, 257, 557])
    for (const [size, root] of roots) {
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        const leaf = leafHash((await store.leaf(index))?.bytes ?? Buffer.alloc(0))
        const proof = await store.inclusionProof(index, size)
        assert.ok(verifyInclusion({ index, size, leaf, proof, root }))
      }
      for (const [from, fromRoot] of roots) {
        if (from > size) continue
        const proof = await store.consistencyProof(from, size)
        assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof }))
      }
    }
    assert.equal((await store.tile(0, 0))?.length, 256 * 32)
    assert.equal((await store.tile(1, 0))?.length, 2 * 32)
    assert.equal((await store.tile(0, 2, 5))?.length, 5 * 32)
    assert.equal(await store.tile(0, 2, 46), undefined)
    assert.equal(await store.tile(0, 3), undefined)
    assert.equal(await store.tile(0, -1), undefined)
    assert.equal(decodeBundle((await store.entries(2, 5)) ?? Buffer.of())?.length, 5)
    assert.equal(decodeBundle((await store.entries(2)) ?? Buffer.of())?.length, 45)
    await assert.rejects(store.inclusionProof(0, 558), { code: 'invalid_request' })
  })
})

describe('claims', () => {
  it('are held by one until released or expired, with ever growing fences', async () => {
    await using ledger = await suiteLedger()
    const { clock } = ledger
    const first = await ledger.store.claim('i1', 'a', 1000)
    assert.ok(first)
    assert.equal(await ledger.store.claim('i1', 'b', 1000), undefined)
    assert.equal(await ledger.store.claim('i1', 'a', 1000), undefined)
    assert.equal(await ledger.store.renew('i1', first.fence, 2000), true)
    await clock.advance(1999)
    assert.equal(await ledger.store.claim('i1', 'b', 1000), undefined)
    await clock.advance(1)
    const second = await ledger.store.claim('i1', 'b', 1000)
    assert.ok(second && second.fence > first.fence)
    assert.equal(await ledger.store.renew('i1', first.fence, 1000), false)
    assert.equal(await ledger.store.release('i1', first.fence), false)
    assert.equal(await ledger.store.release('i1', second.fence), true)
    const store = await ledger.reopen()
    const third = await store.claim('i1', 'c', 1000)
    assert.ok(third && third.fence > second.fence)
    await ledger.reopen()
    const freed = await ledger.store.claim('i1', 'd', 1000)
    assert.equal(freed !== undefined, ledger.singleWriter, 'a restart of the only writer frees all')
    await assert.rejects(ledger.store.claim('i1', 'd', 0), { code: 'invalid_request' })
  })

  it('guard an append with their fence', async () => {
    await using ledger = await suiteLedger()
    const { store, clock } = ledger
    await assert.rejects(store.append(anAppend({ fence: 1 })), { code: 'intent_conflict' })
    const old = await store.claim('i1', 'a', 1000)
    assert.ok(old)
    await store.append(anAppend({ fence: old.fence }))
    await clock.advance(1000)
    const late = anAppend({ fence: old.fence, expectedSeq: 1 })
    await assert.rejects(store.append(late), { code: 'intent_conflict' })
    const fresh = await store.claim('i1', 'b', 1000)
    assert.ok(fresh)
    await assert.rejects(store.append(late), { code: 'intent_conflict' })
    await store.append(anAppend({ fence: fresh.fence, expectedSeq: 1 }))
  })

  it('are taken with the first event and given back with the last, all of it or nothing', async () => {
    await using ledger = await suiteLedger()
    const { store, clock } = ledger
    const claim = { holder: 'a', ttlMs: 1000 }
    const { claim: held } = await store.append(anAppend({ claim }))
    assert.ok(held)
    assert.equal(await store.claim('i1', 'b', 1000), undefined)
    await assert.rejects(store.append(anAppend({ claim })), { code: 'intent_conflict' })
    const ended = anAppend({ expectedSeq: 1, release: true, terminal: true, phase: 'refused' })
    await assert.rejects(store.append({ ...ended, fence: held.fence + 1 }), {
      code: 'intent_conflict',
    })
    assert.equal(await store.claim('i1', 'b', 1000), undefined, 'what failed released nothing')
    await store.append({ ...ended, fence: held.fence })
    const next = await store.claim('i1', 'b', 1000)
    assert.ok(next && next.fence > held.fence)
    const late = await store.append(anAppend({ intentId: 'i2', claim }))
    await clock.advance(1000)
    const over = anAppend({ intentId: 'i2', expectedSeq: 1, fence: late.claim?.fence ?? 0 })
    await assert.rejects(store.append(over), { code: 'intent_conflict' })
    await assert.rejects(store.append(anAppend({ claim: { holder: 'a', ttlMs: 0 } })), {
      code: 'invalid_request',
    })
  })
})

describe('triggers', () => {
  const trigger = (
    change: { id?: string; dedupKey?: string; status?: 'firing' | 'resolved' } = {},
  ) => ({
    id: 't1',
    dedupKey: 'g|f|s',
    source: 'alertmanager',
    fingerprint: 'f',
    startsAt: '2026-01-01T00:00:00Z',
    groupKey: 'g',
    status: 'firing' as const,
    data: { labels: { a: 'b' } },
    ...change,
  })

  it('are stored once per key, resolved once, and never fire again', async () => {
    await using ledger = await suiteLedger()
    const { store, clock } = ledger
    assert.deepEqual(await store.putTrigger(trigger()), { id: 't1', created: true })
    assert.deepEqual(await store.putTrigger(trigger({ id: 't2' })), { id: 't1', created: false })
    const first = await store.trigger('t1')
    const [receivedAt, ordinal] = [clock.now(), first?.ordinal ?? 0]
    assert.deepEqual(first, { ...trigger(), ordinal, receivedAt })
    await store.putTrigger(trigger({ id: 't3', status: 'resolved' }))
    await store.putTrigger(trigger({ id: 't4' }))
    assert.equal((await store.trigger('t1'))?.status, 'resolved')
    assert.equal(await store.resolveTrigger('t1'), false)
    await store.putTrigger(trigger({ id: 't5', dedupKey: 'k5' }))
    assert.equal(await store.resolveTrigger('t5'), true)
    await store.putTrigger(trigger({ id: 't6', dedupKey: 'k6' }))
    const firing = await store.triggers({ status: 'firing', limit: 10 })
    assert.deepEqual(
      firing.map(({ id }) => id),
      ['t6'],
    )
    const page = await store.triggers({ limit: 2 })
    assert.equal(page.length, 2)
    const rest = await store.triggers({ limit: 2, before: page[1]?.ordinal ?? 0 })
    assert.deepEqual(
      [...page, ...rest].map(({ id }) => id),
      ['t6', 't5', 't1'],
    )
    const before = page[0]?.ordinal ?? 0
    assert.deepEqual(await store.triggers({ status: 'firing', limit: 2, before }), [])
  })

  it('are leased to one holder until the lease runs out', async () => {
    await using ledger = await suiteLedger()
    const { store } = ledger
    await store.putTrigger(trigger())
    const lease = (holder: string, now: number, until: number) =>
      store.leaseTrigger({ id: 't1', holder, now, until })
    assert.equal(await lease('pod-a', 0, 100), true)
    assert.equal(await lease('pod-b', 99, 200), false)
    assert.equal(await lease('pod-a', 99, 150), true)
    assert.equal(await lease('pod-b', 150, 250), true)
    assert.deepEqual((await store.trigger('t1'))?.lease, { holder: 'pod-b', until: 250 })
    const over = (holder: string) =>
      store.leaseTrigger({ id: 't1', holder, from: 'pod-b', now: 151, until: 160 })
    const both = await Promise.all([over('pod-c'), over('pod-d')])
    assert.deepEqual(both, [true, false], 'one takes over from who is gone, though it ends sooner')
    await store.resolveTrigger('t1')
    assert.equal(await lease('pod-c', 152, 300), false)
    assert.equal(await store.leaseTrigger({ id: 'no', holder: 'x', now: 0, until: 1 }), false)
  })

  it('are forgotten when old', async () => {
    await using ledger = await suiteLedger()
    const { store, clock } = ledger
    await store.putTrigger(trigger())
    await clock.advance(1000)
    await store.putTrigger(trigger({ id: 't2', dedupKey: 'k2' }))
    assert.equal(await store.pruneTriggers(clock.now()), 1)
    assert.equal(await store.trigger('t1'), undefined)
    // an alert that is said to fire still is no old one
    await clock.advance(1000)
    await store.putTrigger(trigger({ id: 't3', dedupKey: 'k2' }))
    assert.equal(await store.pruneTriggers(clock.now()), 0)
    assert.ok(await store.trigger('t2'))
  })
})

describe('notes', () => {
  it('outlive the program, are replaced by name and found by how their names begin', async () => {
    await using ledger = await suiteLedger()
    await ledger.store.putNote('breaker/a', { open: 1 })
    await ledger.store.putNote('breaker/a', { open: 2 })
    await ledger.store.putNote('breaker/b', [])
    await ledger.store.putNote('breaker%', 'another')
    await ledger.store.putNote('breaker/gone', true)
    await ledger.store.putNote('breaker/gone', undefined)
    const store = await ledger.reopen()
    assert.deepEqual(await store.notes('breaker/'), [
      { name: 'breaker/a', value: { open: 2 } },
      { name: 'breaker/b', value: [] },
    ])
    assert.equal((await store.notes('')).length, 3)
  })
})
