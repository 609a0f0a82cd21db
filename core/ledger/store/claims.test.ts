import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anAppend, suiteLedger } from './store-builder.ts'

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
