import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { verifyLedger } from '../log/verify.ts'
import { because, day, decision, intent, policy } from '../store/erasure-builder.ts'
import type { Store } from '../store/store.ts'
import { anAppend } from '../store/store-builder.ts'
import { type PostgresLedger, postgresLedgers } from './builder.ts'
import { openPostgresReader } from './reader.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
const ledgers = postgresLedgers(server)

const secret = 'hunter2-the-secret'
const of = { intent: 'i1' }

/** Which of these texts stand in a file of a table; the write-ahead log is the server's to end. */
async function found(texts: readonly string[]): Promise<string[]> {
  await server.query('CHECKPOINT')
  const base = join(server.folder, 'data', 'base')
  const names = await readdir(base, { recursive: true, withFileTypes: true })
  const files = await Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => readFile(join(entry.parentPath, entry.name))),
  )
  return texts.filter((text) => files.some((file) => file.includes(text)))
}

async function verdictOf({ schema, key }: PostgresLedger, knownCheckpoint: string) {
  const read = await openPostgresReader({ url: server.url, schema })
  const verdict = await verifyLedger({ read, vkey: key.vkey, knownCheckpoint })
  await read.close()
  return verdict
}

describe('T72 redact on PostgreSQL', () => {
  it('leaves no byte of the value in any table, and every proof as it was', async () => {
    await using ledger = await ledgers()
    const { store, clock } = ledger
    const index = await intent(store, 'i1', { at: clock.now(), secret })
    await intent(store, 'i2', { at: clock.now(), secret: 'another-secret' })
    await store.putTrigger({
      ...{ id: 't-i1', dedupKey: 'k', source: 's', fingerprint: 'f', startsAt: 'x' },
      ...{ groupKey: secret, status: 'firing', data: { labels: { a: secret } } },
    })
    const before = await store.leaf(index)
    const checkpoint = await store.checkpoint()
    assert.deepEqual(await found([secret]), [secret], 'it was there')
    const done = await store.redact({ of, ...because })
    assert.deepEqual(done.events, [1, 2])
    assert.deepEqual(done.leafIndexes, [2])
    assert.deepEqual(done.values.map(({ name }) => name).sort(), ['params', 'reasoning'])
    assert.deepEqual(await found([secret, 'another-secret']), ['another-secret'])
    const now = await store.leaf(index)
    assert.deepEqual(now?.redacted, { params: 2, reasoning: 2 })
    assert.deepEqual(now.bytes, before?.bytes)
    assert.deepEqual((await store.trigger('t-i1'))?.data, { labels: {} })
    assert.ok((await verdictOf(ledger, checkpoint)).ok)
    assert.deepEqual((await store.redact({ of, ...because })).leafIndexes, [], 'done once')
  })

  it('is refused under a hold of any program, and while an intent is under way', async () => {
    await using ledger = await ledgers()
    const { store, clock } = ledger
    const other = await ledger.another()
    await intent(store, 'i1', { at: clock.now(), secret })
    await intent(store, 'i2', { at: clock.now(), terminal: false })
    const hold = { id: 'case-7', scope: { agent: 'shop/agent' }, ...because }
    const since = new Date(clock.now()).toISOString()
    assert.deepEqual(await other.putHold(hold), { ...hold, since, leaf: 2 })
    await assert.rejects(other.putHold(hold), { code: 'invalid_request' })
    assert.deepEqual(await store.holds(), [{ ...hold, since, leaf: 2 }])
    await assert.rejects(store.redact({ of, ...because }), { code: 'retained' })
    assert.equal(await store.liftHold({ id: 'case-7', ...because }), 3)
    await assert.rejects(store.liftHold({ id: 'case-7', ...because }), { code: 'not_found' })
    await assert.rejects(store.redact({ of: { intent: 'i2' }, ...because }), { code: 'retained' })
    await assert.rejects(store.redact({ of: { intent: 'i3' }, ...because }), { code: 'not_found' })
    assert.deepEqual((await store.redact({ of: { leaf: 0 }, ...because })).leafIndexes, [4])
    await other.close()
  })

  it('reaches what is asked to be written beside it', async () => {
    await using ledger = await ledgers()
    const { store, clock } = ledger
    const at = clock.now()
    await intent(store, 'i1', { at, secret, terminal: false })
    const next = anAppend({ intentId: 'i1', expectedSeq: 2, leaves: [decision({ at, secret })] })
    const [, redacted] = await Promise.all([
      store.append(next),
      store.redact({ of, names: ['reasoning'], ...because }),
      intent(store, 'i2', { at }),
    ])
    const [leaf] = redacted.leafIndexes
    for (const index of [0, 1]) {
      assert.deepEqual((await store.leaf(index))?.redacted, { reasoning: leaf })
    }
    assert.equal((await store.leaf(leaf ?? -1))?.kind, 'redaction')
  })
})

describe('T72 prune on PostgreSQL', () => {
  const fill = async (store: Store, at: number, count = 600) => {
    const leaves = Array.from({ length: count - 1 }, () => decision({ at }))
    await intent(store, 'i1', { at })
    await store.appendLeaves(leaves)
  }

  it('takes whole bundles, says so first, and the log still verifies', async () => {
    await using ledger = await ledgers()
    const { store, clock } = ledger
    await fill(store, clock.now())
    const checkpoint = await store.checkpoint()
    const request = { policy, ...because }
    await assert.rejects(store.prune(request), { code: 'retained' })
    await clock.advance(11 * day)
    assert.deepEqual(await store.planPrune(policy), { from: 0, to: 512 })
    assert.deepEqual(await store.prune(request), { from: 0, to: 512, leaf: 600 })
    assert.equal(await store.minimum(), 512)
    assert.equal(await store.leaf(511), undefined)
    assert.ok(await store.leaf(512))
    assert.equal(await store.intent('i1'), undefined)
    assert.deepEqual(await store.events('i1'), [])
    const verdict = await verdictOf(ledger, checkpoint)
    assert.ok(verdict.ok && verdict.size === 601)
    await (await ledger.another()).close()
  })

  it('stops at a hold that was put between looking and writing', async () => {
    await using ledger = await ledgers()
    const { store, clock, schema } = ledger
    await fill(store, clock.now(), 300)
    await clock.advance(11 * day)
    await server.query(`BEGIN; LOCK TABLE ${schema}.head`)
    const pruning = store.prune({ policy, ...because })
    const refused = assert.rejects(pruning, { code: 'not_ready', message: /nothing was pruned/ })
    const waits = `SELECT pid FROM pg_locks WHERE relation = '${schema}.head'::regclass
      AND NOT granted`
    while ((await server.query(waits)).length === 0) await new Promise(setImmediate)
    await server.query(
      `INSERT INTO ${schema}.holds VALUES ('a', '{"everything":true}', 'r', 'b', 'now', 7); COMMIT`,
    )
    await refused
    assert.equal(await store.minimum(), 0)
    await assert.rejects(store.prune({ policy, ...because }), { code: 'retained' })
  })

  it('is finished by the next start, and leaves missing without a prune are refused', async () => {
    await using ledger = await ledgers()
    const { store, clock, schema } = ledger
    await fill(store, clock.now(), 300)
    await clock.advance(11 * day)
    await ledger.edit('CREATE TABLE kept AS SELECT * FROM leaves')
    await store.prune({ policy, ...because })
    await ledger.edit('INSERT INTO leaves SELECT * FROM kept WHERE position < 256')
    const finishing = await ledger.another()
    const [row] = await server.query(`SELECT min(position) AS oldest FROM ${schema}.leaves`)
    assert.equal(Number(row?.oldest), 256)
    await finishing.close()
    await ledger.edit('UPDATE pruned SET minimum = 0, leaf = NULL')
    await assert.rejects(ledger.another(), { code: 'ledger_damaged', message: /0 to 255/ })
    await ledger.edit('UPDATE pruned SET minimum = 256, leaf = 299')
    await assert.rejects(ledger.another(), { code: 'ledger_damaged', message: /leaf 299/ })
  })
})
