import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openCheckpoint } from '../log/checkpoint.ts'
import { verifierFromVkey } from '../log/note.ts'
import { decodeBundle } from '../log/tiles.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../log/tree.ts'
import { anAppend, fill, suiteLedger } from './store-builder.ts'

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
