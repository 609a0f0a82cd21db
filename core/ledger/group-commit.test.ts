import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pendingLeaf } from './append-request.ts'
import { GroupCommit } from './group-commit.ts'
import { openDatabase } from './sqlite-database.ts'
import { SqliteLog } from './sqlite-log.ts'
import { origin, testLedger } from './store-builder.ts'

/** The parts under a store, without the store, so that a test can break the database. */
async function parts() {
  const ledger = await testLedger()
  await ledger.store.close()
  const db = await openDatabase(ledger.directory)
  const log = new SqliteLog(db, origin, ledger.key)
  await log.load()
  const writes = new GroupCommit(db, log, 100)
  const append = (n: number) =>
    writes.submit(() =>
      log.add(pendingLeaf({ kind: 'decision', data: `${n} ${'x'.repeat(9000)}` })),
    )
  return {
    db,
    log,
    writes,
    append,
    async [Symbol.asyncDispose]() {
      if (db.isOpen) db.close()
      await ledger[Symbol.asyncDispose]()
    },
  }
}

describe('group commit', () => {
  it('answers nobody before the commit, and all after it', async () => {
    await using p = await parts()
    const answered: number[] = []
    const both = [1, 2].map(async (n) => {
      answered.push(await p.append(n))
    })
    assert.equal(p.log.size, 0)
    await Promise.all(both)
    assert.deepEqual(answered, [0, 1])
    assert.equal(p.log.tiles.leafCount(), 2)
  })

  it('takes a failing write back whole, and only that one', async () => {
    await using p = await parts()
    const failing = () =>
      p.writes.submit(() => {
        p.log.add(pendingLeaf({ kind: 'decision', data: 'never' }))
        throw new Error('after the leaf')
      })
    const results = await Promise.allSettled([p.append(1), failing(), failing(), p.append(2)])
    assert.deepEqual(
      results.map((result) =>
        result.status === 'fulfilled' ? result.value : result.reason.message,
      ),
      [0, 'after the leaf', 'after the leaf', 1],
    )
    assert.equal(p.log.tiles.leafCount(), 2)
    await p.log.load() // checks tree, leaves and signature against each other
  })

  it('loses no answer and repeats no index when the disk is full', async () => {
    await using p = await parts()
    assert.equal(await p.append(0), 0)
    p.db.exec('PRAGMA max_page_count = 60')
    const results = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => p.append(n)))
    const stored = results.filter(({ status }) => status === 'fulfilled').length
    assert.ok(stored < 60, 'the disk was full')
    assert.equal(p.log.size, 1 + stored)
    p.db.exec('PRAGMA max_page_count = 4294967294')
    assert.equal(await p.append(99), 1 + stored)
    await p.log.load() // checks tree, leaves and signature against each other
  })

  it('rolls back everything when the commit itself fails, and goes on after it', async () => {
    await using p = await parts()
    p.db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT')
    p.db.exec(
      'CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT',
    )
    p.db.exec('PRAGMA foreign_keys = ON')
    const orphan = p.writes.submit(() => p.db.exec('INSERT INTO child VALUES (7)'))
    const results = await Promise.allSettled([orphan, p.append(1)])
    for (const result of results) {
      assert.ok(result.status === 'rejected')
      assert.equal(result.reason.code, 'not_ready')
    }
    assert.equal(p.log.tiles.leafCount(), 0)
    assert.equal(await p.append(2), 0)
    await p.log.load() // checks tree, leaves and signature against each other
  })

  it('writes nothing more once the database is elsewhere than the log', async () => {
    await using p = await parts()
    await p.append(1)
    const sabotage = p.writes.submit(() => {
      p.db.exec('COMMIT')
      p.db.exec(`UPDATE checkpoint SET note = 'other'`)
    })
    await assert.rejects(sabotage)
    await assert.rejects(p.append(2), { code: 'ledger_damaged' })
  })
})
