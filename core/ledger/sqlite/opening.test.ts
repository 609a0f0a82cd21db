import assert from 'node:assert/strict'
import { chmod, copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { loadOrCreateKey } from '../custody/key-file.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openStore } from '../store/store.ts'
import { anAppend, fill, origin, testLedger } from '../store/store-builder.ts'
import { storeReader } from './reader.ts'

describe('opening', () => {
  it('refuses a second writer, and frees the directory when closed', async () => {
    await using ledger = await testLedger()
    const { directory, key, clock } = ledger
    await assert.rejects(openStore({ directory, origin, key, clock }), { code: 'not_ready' })
    await ledger.reopen()
  })

  it('refuses another origin, another key and a newer schema', async () => {
    await using ledger = await testLedger()
    const { directory, key, clock, store } = ledger
    await store.close()
    const other = ledgerKeyFrom(generateSkey('jackstay.dev/other'))
    const refused = { code: 'invalid_config' }
    await assert.rejects(openStore({ directory, origin: other.name, key: other, clock }), refused)
    await assert.rejects(openStore({ directory, origin, key: other, clock }), refused)
    const twin = ledgerKeyFrom(generateSkey(origin))
    await assert.rejects(openStore({ directory, origin, key: twin, clock }), refused)
    edit(directory, 'PRAGMA user_version = 99')
    await assert.rejects(openStore({ directory, origin, key, clock }), refused)
  })

  it('refuses a store whose log is not the one that was signed, and names the leaf', async () => {
    const edits: readonly (readonly [string, RegExp])[] = [
      [`UPDATE leaves SET bytes = x'00' WHERE position = 299`, /leaf 299 was changed/],
      [`UPDATE leaves SET bytes = x'00' WHERE position = 7`, /leaf 7 was changed/],
      ['DELETE FROM leaves WHERE position = 299', /leaf 299 is missing/],
      ['DELETE FROM leaves WHERE position >= 280', /leaf 280 is missing/],
      ['DELETE FROM leaves WHERE position = 7', /one of the leaves 0 to 255 is missing/],
      [`INSERT INTO leaves VALUES (300, NULL, NULL, x'7b7d')`, /leaf 300 is there/],
      [
        'UPDATE tiles SET hashes = zeroblob(1408) WHERE level = 0 AND position = 1',
        /leaf 256 was changed/,
      ],
      ['UPDATE tiles SET hashes = zeroblob(32) WHERE level = 1', /leaves 0 to 255 do not give/],
      ['DELETE FROM tiles WHERE level = 1', /tile 1\/0 is missing/],
      ['DELETE FROM checkpoint', /no checkpoint/],
      [`UPDATE checkpoint SET note = replace(note, '300', '299')`, /signature/],
      ['DELETE FROM meta', /does not say whose it is/],
    ]
    for (const [sql, message] of edits) {
      await using ledger = await testLedger()
      const { directory, key, clock, store } = ledger
      await fill(store, 300)
      await store.close()
      edit(directory, sql)
      await assert.rejects(
        openStore({ directory, origin, key, clock }),
        { code: 'ledger_damaged', message },
        sql,
      )
    }
  })

  it('T72 refuses tables, views and triggers of others, which could keep what is erased', async () => {
    for (const sql of [
      'CREATE TRIGGER kept AFTER UPDATE ON sealed BEGIN INSERT INTO meta VALUES (old.name, old.value); END',
      'CREATE TABLE stash (value TEXT)',
      'ALTER TABLE checkpoint RENAME TO other; CREATE VIEW checkpoint AS SELECT 1 AS only_row, note FROM other',
      'DROP TABLE holds',
    ]) {
      await using ledger = await testLedger()
      const { directory, key, clock, store } = ledger
      await fill(store, 2)
      await store.close()
      edit(directory, sql)
      const refused = { code: 'ledger_damaged', message: /other tables, views or triggers/ }
      await assert.rejects(openStore({ directory, origin, key, clock }), refused, sql)
      assert.throws(() => storeReader(directory), refused, sql)
    }
  })

  it('refuses an older copy of its database, and says how to go on', async () => {
    await using ledger = await testLedger()
    const { directory, key, clock, store } = ledger
    await fill(store, 20)
    await store.close()
    const database = join(directory, 'ledger.sqlite')
    const copy = join(directory, 'copy')
    await copyFile(database, copy)
    await fill(await ledger.reopen(), 20, 'later')
    await ledger.store.close()
    const newest = join(directory, 'newest')
    await copyFile(database, newest)
    await copyFile(copy, database)
    await assert.rejects(openStore({ directory, origin, key, clock }), {
      code: 'ledger_damaged',
      message: /leaf 20 is missing, it has held 40 leaves.*`jackstay ledger recover`/,
    })
    await copyFile(newest, database)
    assert.equal(await (await ledger.reopen()).size(), 40)
  })

  it('refuses a log that somebody with the key wrote anew', async () => {
    await using ledger = await testLedger()
    await using other = await testLedger({ key: ledger.key })
    const { directory, key, clock } = ledger
    await fill(ledger.store, 30)
    await fill(other.store, 40, 'other')
    await ledger.store.close()
    await other.store.close()
    await copyFile(join(other.directory, 'ledger.sqlite'), join(directory, 'ledger.sqlite'))
    await assert.rejects(openStore({ directory, origin, key, clock }), {
      code: 'ledger_damaged',
      message: /leaves 0 to 29 are not the ones it had/,
    })
  })

  it('takes a copy without memory as it is: only witnesses know better', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 3)
    await ledger.store.close()
    await rm(join(ledger.directory, 'newest.checkpoint'))
    assert.equal(await (await ledger.reopen()).size(), 3)
  })

  it('keeps its files to itself', async () => {
    await using ledger = await testLedger()
    await ledger.store.append(anAppend())
    for (const file of ['ledger.sqlite', 'ledger.sqlite-wal', 'writer.lock']) {
      assert.equal((await stat(join(ledger.directory, file))).mode & 0o777, 0o600, file)
    }
  })

  it('refuses everything once closed, after finishing what was queued', async () => {
    await using ledger = await testLedger()
    const { store } = ledger
    const last = store.append(anAppend())
    await store.close()
    assert.deepEqual(await last, { seq: 1, leafIndexes: [] })
    await assert.rejects(store.append(anAppend({ intentId: 'i2' })), { code: 'draining' })
    await assert.rejects(store.events('i1'), { code: 'draining' })
    assert.equal((await (await ledger.reopen()).events('i1')).length, 1)
  })
})

describe('the key file', () => {
  it('is made once with mode 0600 and refused when others may read it', async () => {
    await using ledger = await testLedger()
    const { directory } = ledger
    const made = await loadOrCreateKey(directory, origin)
    const path = join(directory, 'ledger.key')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await loadOrCreateKey(directory, origin)).vkey, made.vkey)
    await assert.rejects(loadOrCreateKey(directory, 'jackstay.dev/other'), {
      code: 'invalid_config',
    })
    await chmod(path, 0o640)
    await assert.rejects(loadOrCreateKey(directory, origin), /has mode 640/)
  })
})

function edit(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.sqlite'))
  db.exec(sql)
  db.close()
}
