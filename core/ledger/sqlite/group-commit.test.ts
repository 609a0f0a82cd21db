import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { JackstayError } from '@jackstay/contract/errors'
import { pendingLeaf } from '../store/append-request.ts'
import { integer } from '../store/rows.ts'
import { origin, testLedger } from '../store/store-builder.ts'
import { openDatabase } from './database.ts'
import { GroupCommit, type Work } from './group-commit.ts'
import { SqliteLog } from './log.ts'
import { StoreFiles } from './store-files.ts'

/** The parts under a store, without the store, so that a test can break the database. */
async function parts() {
  const ledger = await testLedger()
  await ledger.store.close()
  const db = await openDatabase(ledger.directory)
  const log = new SqliteLog(db, origin, ledger.key)
  await log.load()
  const files = new StoreFiles(ledger.directory)
  const ends: JackstayError[] = []
  const fatal = (error: JackstayError) => ends.push(error)
  const clock = { time: 0 }
  const now = () => clock.time
  const writes = new GroupCommit({ db, log, files, limit: 100, fatal, now })
  const append = (n: number, work: Work = {}) =>
    writes.submit(
      () => log.add(pendingLeaf({ kind: 'decision', data: `${n} ${'x'.repeat(9000)}` })),
      work,
    )
  return {
    db,
    directory: ledger.directory,
    log,
    files,
    clock,
    writes,
    ends,
    append,
    async [Symbol.asyncDispose]() {
      if (db.isOpen) db.close()
      files.close()
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
    limitPages(p.db, 3)
    const results = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => p.append(n)))
    for (const result of results) {
      assert.ok(result.status === 'rejected')
      assert.match(result.reason.message, /disk of the ledger is full/)
    }
    assert.equal(p.log.size, 1)
    limitPages(p.db, 1000)
    p.clock.time += 1000
    assert.equal(await p.append(99), 1)
    await p.log.load() // checks tree, leaves and signature against each other
    assert.deepEqual(p.ends, [])
  })

  it('keeps room for undo, outcomes and suspensions on a full disk', async () => {
    await using p = await parts()
    await p.append(0)
    const reserve = join(p.directory, 'space.reserve')
    assert.ok(existsSync(reserve))
    limitPages(p.db, 0)
    const [ordinary, reserved] = await Promise.allSettled([
      p.append(1),
      p.writes.submit(() => 'written', { reserved: true }),
    ])
    assert.equal(ordinary.status, 'rejected')
    assert.equal(reserved.status, 'fulfilled')
    assert.ok(!existsSync(reserve), 'the space was given back to the disk')
    await assert.rejects(p.append(2), /disk of the ledger is full/)
    limitPages(p.db, 1000)
    await assert.rejects(p.append(3), /disk of the ledger is full/)
    assert.equal(await p.append(4, { reserved: true }), 1)
    p.clock.time += 1000
    assert.equal(await p.append(5), 2)
    assert.ok(existsSync(reserve), 'and is set aside again')
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

  it('ends once the database is elsewhere than the log', async () => {
    await using p = await parts()
    await p.append(1)
    const sabotage = p.writes.submit(() => {
      p.db.exec('COMMIT')
      p.db.exec(`UPDATE checkpoint SET note = 'other'`)
    })
    await assert.rejects(sabotage)
    await assert.rejects(p.append(2), { code: 'not_ready' })
    assert.equal(p.ends.length, 1)
    assert.equal(p.writes.close(), false, 'closing would sync again')
  })

  it('ends when somebody else writes to the database', async () => {
    await using p = await parts()
    await p.append(1)
    const other = await openDatabase(p.directory)
    other.exec("INSERT INTO claims VALUES ('i1', 'other', 1, 1)")
    other.close()
    await assert.rejects(p.append(2), /another process has written/)
    assert.equal(p.log.tiles.leafCount(), 1)
    assert.equal(p.ends.length, 1)
  })

  it('acknowledges nothing that went to files which were taken away', async () => {
    for (const name of ['ledger.sqlite', 'ledger.sqlite-wal', 'newest.checkpoint']) {
      await using p = await parts()
      await p.append(1)
      await rename(join(p.directory, name), join(p.directory, 'elsewhere'))
      await assert.rejects(p.append(2), { code: 'ledger_damaged' })
      await assert.rejects(p.append(3), { code: 'ledger_damaged' })
      assert.equal(p.ends.length, 1, name)
    }
  })
})

/** A database that may not grow beyond `more` pages from now is a disk that is full. */
function limitPages(db: DatabaseSync, more: number): void {
  const pages = integer(db.prepare('PRAGMA page_count').get() ?? {}, 'page_count')
  db.exec(`PRAGMA max_page_count = ${pages + more}`)
}
