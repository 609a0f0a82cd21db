import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { suiteLedger } from './store-builder.ts'

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
