import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { canonical, digestOf, type Json } from '@jackstay/contract/json'
import fc from 'fast-check'
import { storeReader } from '../sqlite/reader.ts'
import { decodeLeaf, encodeLeaf } from './leaf.ts'
import { opens, seal, storedLeaf } from './sealed.ts'
import { anAppend, testLedger } from './store-builder.ts'

const damaged = { code: 'ledger_damaged' }

describe('sealed values', () => {
  it('T72 a leaf holds a salted commitment and never the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        const value = JSON.parse(JSON.stringify(any)) as Json
        const first = seal({ params: value })
        const second = seal({ params: value })
        const row = first.rows.at(0)
        const commitment = first.commitments.params
        assert.ok(row?.salt && commitment)
        assert.match(row.salt, /^[0-9a-f]{32}$/)
        assert.equal(commitment, digestOf({ salt: row.salt, value }), 'the documented form')
        assert.notEqual(commitment, second.commitments.params, 'equal values look different')
        assert.ok(opens(commitment, { salt: row.salt, value }))
        assert.ok(!opens(commitment, { salt: '0'.repeat(32), value }))
        const bytes = encodeLeaf({ kind: 'decision', data: 1, sealed: first.commitments })
        const leaf = storedLeaf(7, bytes, first.rows)
        assert.equal(canonical(leaf.values.params?.value), canonical(value))
      }),
    )
  })

  it('refuses names and values that do not fit', () => {
    assert.throws(() => seal({ 'a b': 1 }), { code: 'invalid_request' })
    assert.throws(() => seal({ a: 'x'.repeat(1024 * 1024) }), { code: 'too_large' })
    assert.throws(() => seal({ a: Number.NaN }), { code: 'not_canonical' })
  })

  it('come back with their leaf, and a changed or lost one is damage', async () => {
    await using ledger = await testLedger()
    const { store, directory } = ledger
    const sealed = { reasoning: 'because of alice', params: { replicas: 3 } }
    const { leafIndexes } = await store.append(
      anAppend({ leaves: [{ kind: 'decision', data: { outcome: 'x' }, sealed }] }),
    )
    assert.deepEqual(leafIndexes, [0])
    const leaf = await store.leaf(0)
    assert.deepEqual(leaf?.values.params?.value, { replicas: 3 })
    assert.ok(!Buffer.from(leaf.bytes).toString().includes('alice'))
    assert.deepEqual(Object.keys(leaf.sealed ?? {}), ['params', 'reasoning'])
    edit(directory, `UPDATE sealed SET value = '{"replicas":4}' WHERE name = 'params'`)
    await assert.rejects(store.leaf(0), { ...damaged, message: /`params` of leaf 0 was changed/ })
    edit(directory, `DELETE FROM sealed WHERE name = 'params'`)
    await assert.rejects(store.leaf(0), { ...damaged, message: /gone without a redaction/ })
  })

  it('T72 are gone only where a redaction leaf names them, one of many as well', async () => {
    await using ledger = await testLedger()
    const { store, directory } = ledger
    const one = { kind: 'decision', data: 1, sealed: { reasoning: 'r' } } as const
    await store.append(anAppend({ leaves: Array(110).fill(one), terminal: true }))
    await store.append(anAppend({ intentId: 'i2', leaves: [one], terminal: true }))
    const { leafIndexes } = await store.redact({ of: { intent: 'i1' }, reason: 'r', by: 'b' })
    assert.deepEqual(leafIndexes, [111, 112])
    assert.deepEqual((await store.leaf(109))?.redacted, { reasoning: 111 })
    const read = storeReader(directory)
    assert.deepEqual(await read.values(109), {})
    const silent = { ...damaged, message: /`reasoning` of leaf 110 is gone, and leaf \d+ does not/ }
    for (const by of [0, 111, 112, 999]) {
      edit(directory, `UPDATE sealed SET value = NULL, redacted_by = ${by} WHERE position = 110`)
      await assert.rejects(store.leaf(110), silent)
      await assert.rejects(read.values(110), silent)
    }
    read.close()
  })
})

describe('leaf formats', () => {
  it('version 1 still reads; it has no sealed values', () => {
    const bytes = (leaf: object) => Buffer.from(canonical(leaf))
    const old = { data: { a: 1 }, intent: 'i1', kind: 'decision', seq: 3 } as const
    assert.deepEqual(decodeLeaf(bytes({ ...old, v: 1 })), old)
    assert.deepEqual(storedLeaf(0, bytes({ ...old, v: 1 }), []).values, {})
    const commitment = digestOf(1)
    assert.deepEqual(decodeLeaf(bytes({ ...old, v: 2, sealed: { a: commitment } })).sealed, {
      a: commitment,
    })
    for (const wrong of [
      { ...old, v: 3 },
      { ...old, v: 1, sealed: { a: commitment } },
      { ...old, v: 2, sealed: { a: 'secret' } },
      { ...old, v: 2, sealed: [] },
    ]) {
      assert.throws(() => decodeLeaf(bytes(wrong)), damaged)
    }
  })

  it('a store made before there were sealed values is brought up to date', async () => {
    await using ledger = await testLedger()
    await ledger.store.append(anAppend({ leaves: [{ kind: 'decision', data: 1 }] }))
    await ledger.store.close()
    edit(
      ledger.directory,
      `DROP TABLE sealed; DROP TABLE leaf_tokens; DROP TABLE holds; DROP TABLE pruned; DROP TABLE notes;
       ALTER TABLE triggers DROP COLUMN redacted_by; PRAGMA user_version = 1`,
    )
    const store = await ledger.reopen()
    assert.equal((await store.leaf(0))?.data, 1)
    const sealed = { params: 5 }
    await store.append(
      anAppend({ expectedSeq: 1, leaves: [{ kind: 'dispatch', data: 2, sealed }] }),
    )
    assert.equal((await store.leaf(1))?.values.params?.value, 5)
  })
})

function edit(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.sqlite'))
  db.exec(sql)
  db.close()
}
