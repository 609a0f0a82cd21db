import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openStore } from '../store/store.ts'
import { anAppend, fill, origin } from '../store/store-builder.ts'
import { postgresLedgers } from './builder.ts'
import { postgresProxy } from './proxy.ts'
import { startPostgres } from './server.ts'
import { postgresTarget } from './url.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
const ledgers = postgresLedgers(server)
const { url } = server

describe('opening on PostgreSQL', () => {
  it('makes one log when several programs begin at once', async () => {
    const key = ledgerKeyFrom(generateSkey(origin))
    const options = { url, schema: 'together', origin, key }
    const stores = await Promise.all([1, 2, 3].map(() => openStore(options)))
    const appended = await Promise.all(
      stores.map((store, i) =>
        store.append(anAppend({ intentId: `i${i}`, leaves: [{ kind: 'decision', data: i }] })),
      ),
    )
    assert.deepEqual(appended.flatMap(({ leafIndexes }) => leafIndexes).toSorted(), [0, 1, 2])
    for (const store of stores) await store.close()
  })

  it('keeps several logs on one server apart', async () => {
    await using one = await ledgers()
    await using two = await ledgers()
    await one.store.append(anAppend({ leaves: [{ kind: 'decision', data: 1 }] }))
    assert.equal(await two.store.size(), 0)
    assert.deepEqual(await two.store.events('i1'), [])
  })

  it('refuses another origin, another key, a newer schema and a wrong schema name', async () => {
    await using ledger = await ledgers()
    const { schema, key } = ledger
    const refused = { code: 'invalid_config' }
    const other = ledgerKeyFrom(generateSkey('jackstay.dev/other'))
    await assert.rejects(openStore({ url, schema, origin: other.name, key: other }), refused)
    await assert.rejects(openStore({ url, schema, origin, key: other }), refused)
    const twin = ledgerKeyFrom(generateSkey(origin))
    await assert.rejects(openStore({ url, schema, origin, key: twin }), refused)
    await assert.rejects(openStore({ url, schema: 'a"; DROP', origin, key }), refused)
    await ledger.edit(`UPDATE meta SET value = '99' WHERE name = 'schema'`)
    await assert.rejects(openStore({ url, schema, origin, key }), {
      ...refused,
      message: /version 99/,
    })
  })

  it('refuses a store whose log is not the one that was signed', async () => {
    const edits = {
      'newest leaf changed': `UPDATE leaves SET bytes = '\\x00' WHERE position = 299`,
      'newest leaf gone': 'DELETE FROM leaves WHERE position = 299',
      'leaf added': `INSERT INTO leaves VALUES (300, NULL, NULL, NULL, '{}')`,
      'hash in the right edge changed': `UPDATE tiles SET hashes = decode(repeat('00', 1408), 'hex') WHERE level = 0 AND position = 1`,
      'inner hash changed': `UPDATE tiles SET hashes = decode(repeat('00', 32), 'hex') WHERE level = 1`,
      'tile gone': 'DELETE FROM tiles WHERE level = 1',
      'head gone': 'DELETE FROM head',
      'checkpoint edited': `UPDATE head SET note = replace(note, '300', '299')`,
      'right edge edited': `UPDATE head SET peaks = decode(repeat('00', 32), 'hex')`,
      'identity gone': `DELETE FROM meta WHERE name = 'origin'`,
    }
    for (const [name, sql] of Object.entries(edits)) {
      await using ledger = await ledgers()
      await fill(ledger.store, 300)
      await ledger.edit(sql)
      await assert.rejects(ledger.another(), { code: 'ledger_damaged' }, name)
    }
  })

  it('refuses a server that does not sync, and a session that may not write', async () => {
    const key = ledgerKeyFrom(generateSkey(origin))
    await using own = await startPostgres({ fsync: 'off' })
    await assert.rejects(openStore({ url: own.url, origin, key }), {
      code: 'invalid_config',
      message: /does not sync/,
    })
    await server.query(`CREATE ROLE looker LOGIN`)
    await server.query(`ALTER ROLE looker SET default_transaction_read_only = on`)
    const readOnly = url.replace('jackstay@', 'looker@')
    await assert.rejects(openStore({ url: readOnly, origin, key, patienceMs: 0 }), {
      code: 'not_ready',
      message: /read only/,
    })
  })

  it('sets what a commit must wait for, whatever the role says', async () => {
    await server.query(`CREATE ROLE hasty LOGIN SUPERUSER`)
    await server.query(`ALTER ROLE hasty SET synchronous_commit = off`)
    const key = ledgerKeyFrom(generateSkey(origin))
    const hasty = url.replace('jackstay@', 'hasty@')
    const store = await openStore({ url: hasty, schema: 'hasty', origin, key })
    assert.deepEqual(await store.append(anAppend()), { seq: 1, leafIndexes: [] })
    await store.close()
  })

  it('waits for a server that starts, and refuses at once what waiting does not mend', async () => {
    const key = ledgerKeyFrom(generateSkey(origin))
    await server.stop()
    await assert.rejects(openStore({ url, origin, key, patienceMs: 0 }), {
      code: 'not_ready',
    })
    const waiting = openStore({ url, schema: 'later', origin, key })
    await server.start()
    const store = await waiting
    await store.close()
    const elsewhere = url.replace('/postgres?', '/nowhere?')
    await assert.rejects(openStore({ url: elsewhere, origin, key }), { code: 'invalid_config' })
  })
})

describe('a standby', () => {
  it('T69 takes no leaf, and one promoted too early is found out', async () => {
    await using primary = await startPostgres()
    const [schema, key] = ['followed', ledgerKeyFrom(generateSkey(origin))]
    const store = await openStore({ url: primary.url, schema, origin, key })
    await fill(store, 20, 'before')
    const early = await store.checkpoint()
    await using standby = await primary.standby()
    await using proxy = await postgresProxy(primary)
    const through = { url: proxy.url, schema, origin, key }
    const [running, waiting] = [await openStore(through), await openStore(through)]
    await fill(store, 5, 'streamed')
    const caughtUp = async () =>
      (await standby.query(`SELECT size FROM ${schema}.head`))[0]?.size === '25'
    while (!(await caughtUp())) await new Promise(setImmediate)
    const there = { url: standby.url, schema, origin, key, patienceMs: 0 }
    await assert.rejects(openStore(there), { code: 'not_ready', message: /standby/ })

    await standby.stop()
    await fill(waiting, 1, 'missed')
    await fill(running, 6, 'missed-too')
    const newest = await store.checkpoint()
    await primary.stop()
    await standby.start()
    await standby.query('SELECT pg_promote(true)')
    const behind = {
      code: 'ledger_damaged',
      message: /leaf 25 is missing, it has held 32 leaves/,
    }
    await assert.rejects(openStore({ ...there, knownCheckpoint: newest }), behind)
    proxy.leadTo(standby)
    const late = anAppend({ intentId: 'late', leaves: [{ kind: 'decision', data: 1 }] })
    await assert.rejects(running.append(late), behind)
    await running.close()
    // Who knows of nothing newer cannot tell: this is why a checkpoint is kept elsewhere.
    const promoted = await openStore({ ...there, knownCheckpoint: early })
    await fill(promoted, 10, 'other')
    await promoted.close()
    const rewritten = (message: RegExp) => ({ code: 'ledger_damaged', message })
    const seen = /leaves 0 to 25 are not the ones it had/
    await assert.rejects(waiting.append(late), rewritten(seen))
    await waiting.close()
    const kept = /leaves 0 to 31 are not the ones it had/
    await assert.rejects(openStore({ ...there, knownCheckpoint: newest }), rewritten(kept))
  })
})

describe('the URL of the database', () => {
  const secret = 'hunter2'

  it('never shows its password', async () => {
    const key = ledgerKeyFrom(generateSkey(origin))
    const urls = [
      `postgresql://jackstay:${secret}@localhost:1/postgres`,
      `postgresql://nobody:${secret}@localhost/postgres?host=${server.folder}`,
      `postgresql://jackstay:${secret}@db.example/postgres`,
      `postgresql://jackstay:${secret}@db.example/postgres?sslmode=no-verify`,
      `postgresql://jackstay:${secret}@db.example/postgres?sslmode=verify-full&sslrootcert=/no`,
      `postgresql://jackstay:${secret}@:99999/x`,
      `postgresql://jackstay:${secret}@localhost`,
      `mysql://jackstay:${secret}@localhost/x`,
      `postgresql://jackstay:${secret}%zz@localhost/x`,
      `postgresql://jackstay:${secret}@localhost/x?password=${secret}`,
      secret,
    ]
    for (const text of urls) {
      const error = await openStore({ url: text, origin, key, patienceMs: 0 }).then(
        (store) => store.close().then(() => undefined),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof Error, text)
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(secret), text)
    }
    const target = await postgresTarget(`postgresql://jackstay:${secret}@localhost/postgres`)
    assert.ok(!`${inspect(target)} ${JSON.stringify(target)}`.includes(secret))
  })

  it('asks for a verified certificate of every other machine', async () => {
    const remote = 'postgresql://jackstay@db.example/postgres'
    for (const mode of ['', '?sslmode=disable', '?sslmode=require', '?sslmode=no-verify']) {
      await assert.rejects(postgresTarget(remote + mode), { code: 'invalid_config' })
    }
    assert.deepEqual((await postgresTarget(`${remote}?sslmode=verify-full`)).ssl, {})
    assert.equal((await postgresTarget('postgresql://a@[::1]:5433/b')).ssl, false)
  })
})
