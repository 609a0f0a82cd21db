import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { verifyLedger } from '../log/verify.ts'
import type { Store } from '../store/store.ts'
import { anAppend, fill } from '../store/store-builder.ts'
import { postgresLedgers } from './builder.ts'
import { type Fault, postgresProxy } from './proxy.ts'
import { openPostgresReader } from './reader.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
// Before the first suite: node:test ends a file that has no test left, while it still awaits.
const own = await startPostgres()
after(() => own[Symbol.asyncDispose]())
const ledgers = postgresLedgers(server)

const leaf = (n: number | string) => ({ kind: 'decision', data: `leaf ${n}` }) as const
const append = (store: Store, n: number) =>
  store.append(anAppend({ intentId: `i${n}`, leaves: [leaf(n)] }))

/** Each leaf stands where its append said, once, with its event. */
async function assertExactlyOnce(store: Store, indexes: readonly number[]): Promise<void> {
  assert.equal(await store.size(), indexes.length)
  assert.deepEqual(
    indexes.toSorted((a, b) => a - b),
    indexes.map((_, i) => i),
  )
  for (const [n, index] of indexes.entries()) {
    assert.equal((await store.leaf(index))?.data, `leaf ${n}`)
    const events = await store.events(`i${n}`)
    assert.deepEqual(events.at(0)?.leafIndexes, [index])
    assert.equal(events.length, 1)
  }
}

describe('T45 a commit whose answer got lost', () => {
  for (const fault of ['lost commit', 'lost answer'] as const satisfies Fault[]) {
    it(`${fault}: the write is done once and answered`, async () => {
      await using proxy = await postgresProxy(server)
      await using ledger = await ledgers({ url: proxy.url })
      const indexes: number[] = []
      for (let n = 0; n < 12; n++) {
        if (n % 3 === 1) proxy.inject(fault)
        const { leafIndexes } = await append(ledger.store, n)
        indexes.push(...leafIndexes)
      }
      await assertExactlyOnce(ledger.store, indexes)
    })
  }

  it('late commit: whoever asks waits until it has happened, and does not write again', async () => {
    await using proxy = await postgresProxy(server)
    await using ledger = await ledgers({ url: proxy.url })
    proxy.inject('late commit')
    const first = append(ledger.store, 0)
    await proxy.happened()
    // The question stands behind the lock of the very transaction it asks about.
    const asking = `SELECT count(*) AS n FROM pg_stat_activity
      WHERE query LIKE 'SELECT 1 FROM head FOR UPDATE' AND wait_event_type = 'Lock'`
    while (String((await server.query(asking))[0]?.n) === '0') await new Promise(setImmediate)
    proxy.letThrough()
    assert.deepEqual(await first, { seq: 1, leafIndexes: [0] })
    await assertExactlyOnce(ledger.store, [0])
  })

  it('that nobody can settle is told as such, and stands or not, but once', async () => {
    await using proxy = await postgresProxy(server)
    await using ledger = await ledgers({ url: proxy.url, patienceMs: 200 })
    const { store } = ledger
    proxy.inject('lost answer')
    const first = append(store, 0)
    void proxy.happened().then(() => proxy.reachable(false))
    await assert.rejects(first, { code: 'outcome_unknown' })
    await assert.rejects(append(store, 1), { code: 'not_ready' })
    proxy.reachable(true)
    assert.deepEqual((await store.events('i0')).at(0)?.leafIndexes, [0])
    await assert.rejects(append(store, 0), { code: 'intent_conflict' })
    const { leafIndexes } = await append(store, 1)
    await assertExactlyOnce(store, [0, ...leafIndexes])
  })

  it('a token makes leaves that belong to no intent safe to ask for again', async () => {
    await using proxy = await postgresProxy(server)
    await using ledger = await ledgers({ url: proxy.url, patienceMs: 200 })
    proxy.inject('lost answer')
    const first = ledger.store.appendLeaves([leaf(0)], { token: 'suspension-1' })
    void proxy.happened().then(() => proxy.reachable(false))
    await assert.rejects(first, { code: 'outcome_unknown' })
    proxy.reachable(true)
    const again = await ledger.store.appendLeaves([leaf(0)], { token: 'suspension-1' })
    assert.deepEqual(again, { leafIndexes: [0] })
    assert.equal(await ledger.store.size(), 1)
  })
})

const endBackends = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'jackstay-ledger' AND state <> 'idle'`

describe('a server that goes away', () => {
  it('T46 ends backends in the middle of everything: nothing lost, nothing twice', async () => {
    await using ledger = await ledgers()
    const { store } = ledger
    const indexes: number[] = []
    let ended = 0
    for (let n = 0; n < 400; n += 8) {
      const some = Array.from({ length: 8 }, (_, i) => append(store, n + i))
      // Each round a little later, so that every part of the transaction is hit.
      for (let turns = n / 16; turns > 0; turns--) await new Promise(setImmediate)
      ended += (await server.query(endBackends)).length
      for (const { leafIndexes } of await Promise.all(some)) indexes.push(...leafIndexes)
    }
    assert.ok(ended > 10, 'backends were ended')
    await assertExactlyOnce(store, indexes)
  })

  it('comes back after a restart and after a crash, without anybody helping', async () => {
    await using ledger = await postgresLedgers(own)()
    const { store } = ledger
    const indexes = [...(await append(store, 0)).leafIndexes]
    for (const [n, end] of [() => own.stop(), () => own.kill()].entries()) {
      await end()
      const waiting = append(store, n + 1)
      await own.start()
      indexes.push(...(await waiting).leafIndexes)
    }
    await assertExactlyOnce(store, indexes)
  })
})

describe('a write', () => {
  it('that PostgreSQL cannot hold fails alone', async () => {
    await using ledger = await ledgers()
    const { store } = ledger
    const results = await Promise.allSettled([
      append(store, 0),
      store.append(anAppend({ intentId: 'nul\0' })),
      store.append(anAppend({ intentId: 'half\ud800' })),
      append(store, 1),
    ])
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? 'ok' : result.reason.code)),
      ['ok', 'invalid_request', 'invalid_request', 'ok'],
    )
    await assertExactlyOnce(store, [0, 1])
  })

  it('T70 says what hinders it until something is written, not only asked', async () => {
    await using ledger = await ledgers()
    await append(ledger.store, 0)
    await ledger.edit(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$`)
    await ledger.edit(`CREATE TRIGGER full_disk BEFORE INSERT ON events
      FOR EACH ROW EXECUTE FUNCTION full_disk()`)
    await assert.rejects(append(ledger.store, 1))
    assert.ok((await ledger.store.hindrance()) !== undefined)
    assert.equal(await ledger.store.release('nobody', 1), false)
    assert.ok((await ledger.store.hindrance()) !== undefined, 'nothing was written')
    await ledger.edit('DROP TRIGGER full_disk ON events')
    await append(ledger.store, 1)
    assert.equal(await ledger.store.hindrance(), undefined)
  })

  it('is refused once commits are no longer synced', async () => {
    await using ledger = await postgresLedgers(own)()
    await append(ledger.store, 0)
    await own.query('ALTER SYSTEM SET fsync = off')
    await own.query('SELECT pg_reload_conf()')
    const off = async () => (await own.query('SHOW fsync'))[0]?.fsync === 'off'
    while (!(await off())) await new Promise(setImmediate)
    await assert.rejects(append(ledger.store, 1), { code: 'invalid_config', message: /sync/ })
    const stored = await own.query(`SELECT id FROM ${ledger.schema}.intents`)
    assert.deepEqual(stored, [{ id: 'i0' }])
  })

  it('never grows a tile that is not whole', async () => {
    await using ledger = await ledgers()
    await fill(ledger.store, 3)
    await ledger.edit(`UPDATE tiles SET hashes = substring(hashes FROM 1 FOR 64)`)
    await assert.rejects(append(ledger.store, 9), { code: 'ledger_damaged', message: /tile 0\/0/ })
    await assert.rejects(append(ledger.store, 10), { code: 'ledger_damaged' })
  })

  it('never follows a head that is behind, forked or unsigned', async () => {
    const edits = {
      behind: (old: string) => old,
      unsigned: () => `UPDATE head SET note = replace(note, E'\\n5\\n', E'\\n6\\n')`,
      'other edge': () => `UPDATE head SET peaks = decode(repeat('00', 32), 'hex')`,
    }
    for (const [name, edit] of Object.entries(edits)) {
      await using ledger = await ledgers()
      await fill(ledger.store, 2, 'a')
      const [head] = await server.query(
        `SELECT format('UPDATE head SET note = %L, size = %s, peaks = %L', note, size, peaks) AS sql
         FROM ${ledger.schema}.head`,
      )
      await fill(ledger.store, 2, 'b')
      // The other writer makes this one look at the row again.
      if (name !== 'behind') {
        const other = await ledger.another()
        await fill(other, 1, 'c')
        await other.close()
      }
      await ledger.edit(edit(String(head?.sql)))
      await assert.rejects(append(ledger.store, 9), { code: 'ledger_damaged' }, name)
    }
  })
})

it('a reader and a verifier see what a store wrote, and what was changed behind it', async () => {
  await using ledger = await ledgers()
  await fill(ledger.store, 300)
  const reader = await openPostgresReader({ url: server.url, schema: ledger.schema })
  const options = { read: reader, vkey: ledger.key.vkey }
  const good = await verifyLedger(options)
  assert.ok(good.ok && good.size === 300)
  await ledger.edit(`UPDATE leaves SET bytes = '{}' WHERE position = 130`)
  const bad = await verifyLedger(options)
  assert.deepEqual([bad.ok, bad.ok ? -1 : bad.index], [false, 130])
  await reader.close()
  await assert.rejects(openPostgresReader({ url: server.url, schema: 'nothing_here' }), {
    code: 'not_found',
  })
})
