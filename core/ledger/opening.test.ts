import assert from 'node:assert/strict'
import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { generateSkey, ledgerKeyFrom, loadOrCreateKey } from './key.ts'
import { openStore } from './store.ts'
import { anAppend, fill, origin, testLedger } from './store-builder.ts'

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

  it('refuses a store whose log is not the one that was signed', async () => {
    const edits = {
      'newest leaf changed': `UPDATE leaves SET bytes = x'00' WHERE position = 299`,
      'newest leaf gone': 'DELETE FROM leaves WHERE position = 299',
      'leaf added': `INSERT INTO leaves VALUES (300, NULL, NULL, x'7b7d')`,
      'hash in the right edge changed': `UPDATE tiles SET hashes = zeroblob(1408) WHERE level = 0 AND position = 1`,
      'inner hash changed': `UPDATE tiles SET hashes = zeroblob(32) WHERE level = 1`,
      'tile gone': 'DELETE FROM tiles WHERE level = 1',
      'checkpoint gone': 'DELETE FROM checkpoint',
      'checkpoint edited': `UPDATE checkpoint SET note = replace(note, '300', '299')`,
      'identity gone': 'DELETE FROM meta',
    }
    for (const [name, sql] of Object.entries(edits)) {
      await using ledger = await testLedger()
      const { directory, key, clock, store } = ledger
      await fill(store, 300)
      await store.close()
      edit(directory, sql)
      await assert.rejects(
        openStore({ directory, origin, key, clock }),
        { code: 'ledger_damaged' },
        name,
      )
    }
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
