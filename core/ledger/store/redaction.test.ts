import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { leafHash, verifyInclusion } from '../log/tree.ts'
import { verifyLedger } from '../log/verify.ts'
import { openDatabase } from '../sqlite/database.ts'
import { SqliteHolds } from '../sqlite/holds.ts'
import { SqliteLog } from '../sqlite/log.ts'
import { storeReader } from '../sqlite/reader.ts'
import { SqliteRedaction } from '../sqlite/redaction.ts'
import type { Redaction } from './erasure.ts'
import { because, decision, found, intent } from './erasure-builder.ts'
import { opens } from './sealed.ts'
import { origin, testLedger } from './store-builder.ts'

const secret = 'hunter2-the-secret'
const of = { intent: 'i1' }

describe('T72 redact', () => {
  it('leaves no byte of the value in any file, and every proof as it was', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock, key } = ledger
    const at = clock.now()
    const index = await intent(store, 'i1', { at, secret })
    await intent(store, 'i2', { at, secret: 'another-secret' })
    await store.putTrigger({
      ...{ id: 't-i1', dedupKey: 'k', source: 's', fingerprint: 'f', startsAt: 'x' },
      ...{ groupKey: secret, status: 'firing', data: { labels: { a: secret } } },
    })
    const before = await store.leaf(index)
    const checkpoint = await store.checkpoint()
    assert.ok(before?.sealed?.params && before.values.params)
    assert.ok(opens(before.sealed.params, before.values.params))
    assert.deepEqual(await found(directory, [secret]), [secret], 'it was there')

    const done = await store.redact({ of, ...because })
    assert.deepEqual(done.events, [1, 2])
    assert.deepEqual(done.values.map(({ name }) => name).sort(), ['params', 'reasoning'])
    assert.deepEqual(await found(directory, [secret, 'another-secret']), ['another-secret'])

    const after = await store.leaf(index)
    assert.deepEqual(after?.values, {})
    assert.deepEqual(after.redacted, { params: 2, reasoning: 2 })
    assert.deepEqual(after.bytes, before.bytes)
    const events = JSON.stringify((await store.events('i1')).map(({ data }) => data))
    assert.match(events, /"redacted":\{"params":2,"reasoning":2,"trigger":2\}/)
    assert.deepEqual((await store.trigger('t-i1'))?.data, { labels: {} })
    const leaf = await store.leaf(2)
    assert.equal(leaf?.kind, 'redaction')
    assert.deepEqual(leaf.data, {
      time: new Date(at).toISOString(),
      of,
      values: [
        { leaf: index, name: 'params', commitment: before.sealed.params },
        { leaf: index, name: 'reasoning', commitment: before.sealed.reasoning },
      ],
      events: [1, 2],
      ...because,
    })
    const read = storeReader(directory)
    const verdict = await verifyLedger({ read, vkey: key.vkey, knownCheckpoint: checkpoint })
    read.close()
    assert.ok(verdict.ok)
    const proof = await store.inclusionProof(index, verdict.size)
    const root = Buffer.from(verdict.root, 'base64')
    const proven = { index, size: verdict.size, leaf: leafHash(after.bytes), proof, root }
    assert.ok(verifyInclusion(proven))
  })

  it('takes only what is named, with what repeats it, and is done once', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    await intent(store, 'i1', { at: clock.now(), secret })
    const reasoning: Redaction = { of, names: ['reasoning'], ...because }
    assert.equal((await store.redact(reasoning)).leafIndexes.length, 1)
    assert.deepEqual(Object.keys((await store.leaf(0))?.values ?? {}), ['params'])
    assert.deepEqual(await store.redact(reasoning), { values: [], events: [], leafIndexes: [] })
    assert.equal(await store.size(), 2)
    const params = await store.redact({ of: { leaf: 0 }, names: ['params'], ...because })
    assert.deepEqual(params.events, [1, 2], 'the message may quote the parameters')
    assert.deepEqual((await store.leaf(0))?.redacted, { params: 2, reasoning: 1 })
    assert.deepEqual(await found(directory, [`"groupKey":"${secret}"`]), [`"groupKey":"${secret}"`])
  })

  it('reaches a leaf that belongs to no intent', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    await store.appendLeaves([decision({ at: clock.now(), secret })])
    await store.redact({ of: { leaf: 0 }, ...because })
    assert.deepEqual(await found(directory, [secret]), [])
    assert.deepEqual((await store.leaf(0))?.redacted, { params: 1, reasoning: 1 })
  })

  it('does not come back with the message that the alert is over', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    const trigger = {
      ...{ id: 't-i1', dedupKey: 'k', source: 's', fingerprint: 'f', startsAt: 'x' },
      ...{ groupKey: secret, data: { labels: { a: secret } } },
    }
    await store.putTrigger({ ...trigger, status: 'firing' })
    await intent(store, 'i1', { at: clock.now(), secret })
    await store.redact({ of, ...because })
    await store.putTrigger({ ...trigger, status: 'resolved' })
    assert.equal((await store.trigger('t-i1'))?.status, 'resolved')
    assert.deepEqual(await found(directory, [secret]), [])
  })

  it('is refused under a legal hold, whatever the hold names, until it is lifted', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    const scopes = [
      ...[{ everything: true } as const, { intent: 'i1' }, { agent: 'shop/agent' }],
      ...[{ namespace: 'shop' }, { leaf: 0 }],
    ]
    await intent(store, 'i1', { at: clock.now(), secret })
    for (const scope of scopes) {
      await store.putHold({ id: 'case-7', scope, ...because })
      await assert.rejects(store.redact({ of, ...because }), {
        code: 'retained',
        message: /legal hold `case-7` covers it \(somebody asked\)/,
      })
      await store.liftHold({ id: 'case-7', ...because })
    }
    assert.deepEqual(await found(directory, [secret]), [secret])
    await store.putHold({ id: 'other', scope: { namespace: 'elsewhere' }, ...because })
    await store.redact({ of, ...because })
    assert.deepEqual(await found(directory, [secret]), [])
  })

  it('waits for an intent that is under way, but for what the line does not need', async () => {
    await using ledger = await testLedger()
    const { store, clock } = ledger
    await intent(store, 'i1', { at: clock.now(), secret, terminal: false })
    await assert.rejects(store.redact({ of, ...because }), {
      code: 'retained',
      message: /still under way and needs its params, plan, facts, messages/,
    })
    await store.redact({ of, names: ['reasoning', 'trigger'], ...because })
    assert.deepEqual(Object.keys((await store.leaf(0))?.values ?? {}), ['params'])
  })

  it('refuses what is not there or not said', async () => {
    await using ledger = await testLedger()
    const { store } = ledger
    await assert.rejects(store.redact({ of, ...because }), { code: 'not_found' })
    await assert.rejects(store.redact({ of: { leaf: 0 }, ...because }), { code: 'not_found' })
    await assert.rejects(store.redact({ of, reason: ' ', by: 'a' }), { code: 'invalid_request' })
    await assert.rejects(store.liftHold({ id: 'x', ...because }), { code: 'not_found' })
  })

  it('says so when a reader keeps old bytes, and a second run takes them', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    await intent(store, 'i1', { at: clock.now(), secret })
    const reader = new DatabaseSync(join(directory, 'ledger.sqlite'), { readOnly: true })
    reader.exec('BEGIN; SELECT count(*) FROM leaves')
    await assert.rejects(store.redact({ of, ...because }), {
      code: 'not_ready',
      message: /somebody reads the ledger/,
    })
    reader.close()
    assert.deepEqual((await store.redact({ of, ...because })).leafIndexes, [])
    assert.deepEqual(await found(directory, [secret]), [])
  })

  it('is finished by the next start where the program ended before its files were clean', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock, key } = ledger
    await intent(store, 'i1', { at: clock.now(), secret })
    await store.close()
    const db = await openDatabase(directory)
    const log = new SqliteLog(db, origin, key)
    await log.load()
    db.exec('BEGIN IMMEDIATE')
    new SqliteRedaction(db, log, new SqliteHolds(db, log)).redact({ of, ...because }, 'now')
    log.store()
    db.exec('COMMIT')
    db.close()
    assert.deepEqual(await found(directory, [secret]), [secret], 'in pages that are free')
    const reader = new DatabaseSync(join(directory, 'ledger.sqlite'), { readOnly: true })
    reader.exec('BEGIN; SELECT count(*) FROM leaves')
    await ledger.reopen()
    reader.close()
    await ledger.reopen()
    assert.deepEqual(await found(directory, [secret]), [])
  })
})

describe('legal holds', () => {
  it('are leaves, and are listed until lifted', async () => {
    await using ledger = await testLedger()
    const { store, clock } = ledger
    const hold = { id: 'case-7', scope: { intent: 'i1' }, ...because }
    const since = new Date(clock.now()).toISOString()
    assert.deepEqual(await store.putHold(hold), { ...hold, since, leaf: 0 })
    await assert.rejects(store.putHold(hold), { code: 'invalid_request' })
    assert.deepEqual(await (await ledger.reopen()).holds(), [{ ...hold, since, leaf: 0 }])
    assert.equal(await ledger.store.liftHold({ id: 'case-7', reason: 'settled', by: 'bob' }), 1)
    assert.deepEqual(await ledger.store.holds(), [])
    const [put, lift] = await Promise.all([ledger.store.leaf(0), ledger.store.leaf(1)])
    assert.deepEqual(put?.data, { time: since, action: 'put', hold })
    const lifted = { id: 'case-7', scope: { intent: 'i1' }, put: 0, reason: 'settled', by: 'bob' }
    assert.deepEqual(lift?.data, { time: since, action: 'lift', hold: lifted })
  })
})
