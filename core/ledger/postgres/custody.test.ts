import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadKey, loadOrCreateKey, writeKey } from '../custody/key-file.ts'
import { recoveredAt, recoverLog } from '../custody/recovery.ts'
import { rotateKey } from '../custody/rotation.ts'
import { followKeys } from '../log/follow-keys.ts'
import { generateSkey } from '../log/key.ts'
import { verifyLedger } from '../log/verify.ts'
import { openLedger } from '../store/place.ts'
import type { ErasableStore } from '../store/store.ts'
import { anAppend, fill, origin } from '../store/store-builder.ts'
import { postgresHome } from './home.ts'
import { openPostgresReader } from './reader.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
const room = await mkdtemp(join(tmpdir(), 'jackstay-custody-'))
const ledgerUrlFile = join(room, 'url')
await writeFile(ledgerUrlFile, server.url, { mode: 0o600 })
after(async () => {
  await server[Symbol.asyncDispose]()
  await rm(room, { recursive: true })
})

const clock = { now: () => Date.parse('2026-01-01T00:00:00Z') }
const who = { reason: 'a drill', by: 'alice', clock }
let logs = 0

function aPlace() {
  const name = `log_${++logs}`
  return { dataDir: join(room, name), ledgerUrlFile, ledgerSchema: name }
}
type Place = ReturnType<typeof aPlace>

async function open(place: Place, leads = false): Promise<ErasableStore> {
  return openLedger(place, await loadOrCreateKey(place.dataDir, origin, place), clock, { leads })
}

/** A log of `count` leaves. */
async function aLog(count: number): Promise<Place> {
  const place = aPlace()
  const store = await open(place)
  await fill(store, count)
  await store.close()
  return place
}

async function verdictOn({ ledgerSchema: schema }: Place, vkey: string) {
  const read = await openPostgresReader({ url: server.url, schema })
  try {
    const verdict = await verifyLedger({ read, vkey })
    return { ok: verdict.ok, keys: await followKeys(read, verdict.ok ? verdict.size : 0, vkey) }
  } finally {
    await read.close()
  }
}

describe('a rotation in PostgreSQL', () => {
  it('hands the log to a new key, and who holds the old one can follow', async () => {
    const place = await aLog(300)
    const former = await loadKey(place.dataDir)
    const done = await rotateKey({ place, ...who })
    assert.equal(done.leaf, 300)
    const now = await loadKey(place.dataDir)
    assert.deepEqual([done.formerVkey, done.vkey], [former.vkey, now.vkey])
    assert.deepEqual(await verdictOn(place, former.vkey), {
      ok: true,
      keys: [former.vkey, now.vkey],
    })
    const store = await open(place, true)
    await fill(store, 3, 'later')
    await store.close()
    assert.ok((await verdictOn(place, now.vkey)).ok)
    assert.equal((await verdictOn(place, former.vkey)).ok, false)
  })

  it('waits for nobody: not beside a mediator', async () => {
    const place = await aLog(1)
    const mediator = await open(place, true)
    await assert.rejects(rotateKey({ place, ...who }), {
      code: 'not_ready',
      message: /another mediator leads/,
    })
    await mediator.close()
    // nothing was changed: what was begun is ended by whoever comes next
    const again = await open(place, true)
    await again.append(anAppend({ intentId: 'goes-on' }))
    await again.close()
    assert.equal(existsSync(join(place.dataDir, 'ledger.key.next')), false)
  })

  it('leaves no other program that could sign with the old key', async () => {
    const place = await aLog(1)
    const writer = await open(place)
    await rotateKey({ place, ...who })
    await assert.rejects(writer.append(anAppend({ intentId: 'late' })), {
      code: 'invalid_config',
      message: /is signed with .* by now/,
    })
    await writer.close()
    assert.ok((await verdictOn(place, (await loadKey(place.dataDir)).vkey)).ok)
  })

  it('cut short before the hand-over keeps the old key, after it takes the new one', async () => {
    for (const handedOver of [false, true]) {
      const place = await aLog(3)
      const { dataDir, ledgerSchema: schema } = place
      const old = await loadKey(dataDir)
      await writeKey(dataDir, 'ledger.key.next', generateSkey(origin))
      const next = await loadKey(dataDir, 'ledger.key.next')
      if (handedOver) await postgresHome({ url: server.url, schema }).handOver(old, next)
      const inSqlite = loadOrCreateKey(dataDir, origin)
      await assert.rejects(inSqlite, /name its database with --ledger-url-file/)
      const store = await open(place)
      await fill(store, 3, 'more')
      await store.close()
      assert.equal((await loadKey(dataDir)).vkey, handedOver ? next.vkey : old.vkey)
      assert.equal(existsSync(join(dataDir, 'ledger.key.next')), false)
    }
  })

  it('throws no key away that the database might be signed with', async () => {
    const place = await aLog(1)
    await writeKey(place.dataDir, 'ledger.key.next', generateSkey(origin))
    await server.query(`UPDATE ${place.ledgerSchema}.head SET vkey = 'another'`)
    await assert.rejects(open(place), /is signed with neither key/)
    assert.ok(existsSync(join(place.dataDir, 'ledger.key.next')))
  })
})

describe('a recovery in PostgreSQL', () => {
  it('begins a new log in another schema, and nobody writes to the old one again (T72)', async () => {
    const place = await aLog(20)
    const writer = await open(place)
    await writer.append(anAppend({ intentId: 'under-way' }))
    const kept = await writer.checkpoint()
    await server.query(`DELETE FROM ${place.ledgerSchema}.leaves WHERE position > 9`)
    const to = aPlace()
    const done = await recoverLog({ place, to, checkpoint: kept, ...who })
    assert.equal(done.origin, `${origin}/2`)
    assert.match(done.found, /^entries_missing/)
    assert.ok(done.underWay.includes('under-way'))
    await assert.rejects(writer.append(anAppend({ intentId: 'late' })), /was given up/)
    await writer.close()
    await assert.rejects(open(place), /was given up: .*\/2/)
    const store = await open(to, true)
    assert.equal(await recoveredAt(store), clock.now())
    await store.close()
    assert.ok((await verdictOn(to, done.vkey)).ok)
    await assert.rejects(recoverLog({ place, to: aPlace(), ...who }), /was given up/)
  })

  it('finds a rollback by the checkpoint that somebody kept, and nothing without it', async () => {
    const place = await aLog(5)
    const { ledgerSchema: schema, dataDir } = place
    await server.query(`CREATE TABLE ${schema}.kept AS SELECT * FROM ${schema}.head`)
    const store = await open(place)
    await fill(store, 5, 'later')
    const kept = await store.checkpoint()
    await store.close()
    await assert.rejects(recoverLog({ place, to: aPlace(), ...who }), /nothing to recover from/)
    await server.query(`DELETE FROM ${schema}.leaves WHERE position > 4`)
    await server.query(`UPDATE ${schema}.tiles SET hashes = substring(hashes FOR 160)`)
    await server.query(`DELETE FROM ${schema}.head`)
    await server.query(`INSERT INTO ${schema}.head SELECT * FROM ${schema}.kept`)
    assert.ok((await verdictOn(place, (await loadKey(dataDir)).vkey)).ok)
    const done = await recoverLog({ place, to: aPlace(), checkpoint: kept, ...who })
    assert.match(done.found, /^truncated \(leaf 5\)/)
    assert.equal(done.previous.size, 10)
  })

  it('of tables that are gone needs a checkpoint from outside', async () => {
    const place = await aLog(5)
    const store = await open(place)
    const kept = await store.checkpoint()
    await store.close()
    await server.query(`DROP TABLE ${place.ledgerSchema}.head, ${place.ledgerSchema}.tiles`)
    await assert.rejects(
      recoverLog({ place, to: aPlace(), ...who }),
      /has no readable checkpoint: give the last one/,
    )
    const done = await recoverLog({ place, to: aPlace(), checkpoint: kept, ...who })
    assert.equal(done.found, 'checkpoint_missing: the store cannot be read')
  })

  it('takes no schema in use, no schema without a ledger, and waits for nobody', async () => {
    const [place, other] = [await aLog(1), await aLog(1)]
    const options = { place, evenIfSound: true, ...who }
    const inUse = { ...aPlace(), ledgerSchema: other.ledgerSchema }
    await assert.rejects(recoverLog({ ...options, to: inUse }), /holds a ledger; name a new one/)
    await assert.rejects(recoverLog({ ...options, place: aPlace(), to: aPlace() }), {
      code: 'not_found',
    })
    const mediator = await open(place, true)
    await assert.rejects(recoverLog({ ...options, to: aPlace() }), { code: 'not_ready' })
    await mediator.close()
  })

  it('that was cut short is done again from another machine, and only one log can be written to (T69)', async () => {
    const place = await aLog(2)
    const [first, second, third] = [aPlace(), aPlace(), aPlace()]
    const options = { place, evenIfSound: true, ...who }
    await recoverLog({ ...options, to: first })
    const home = postgresHome({ url: server.url, schema: place.ledgerSchema })
    // as after a crash before it was told done; another machine does not see the first one's directory
    const cut = { ...(await home.successor()), done: false, by: '/of/another/machine' }
    await server.query(
      `UPDATE ${place.ledgerSchema}.meta SET value = '${JSON.stringify(cut)}' WHERE name = 'successor'`,
    )
    const mediator = await open(first, true)
    await assert.rejects(recoverLog({ ...options, to: second }), { code: 'not_ready' })
    await mediator.close()
    assert.equal((await recoverLog({ ...options, to: second })).origin, `${origin}/2`)
    await assert.rejects(open(first), /was given up/)
    const store = await open(second, true)
    await fill(store, 1)
    await store.close()
    // and one that was used has followed, whatever its mark says
    const used = { ...(await home.successor()), done: false, by: '/of/another/machine' }
    await server.query(
      `UPDATE ${place.ledgerSchema}.meta SET value = '${JSON.stringify(used)}' WHERE name = 'successor'`,
    )
    await assert.rejects(recoverLog({ ...options, to: third }), /was given up/)
  })

  it('gives nothing up that somebody wrote to meanwhile', async () => {
    const place = await aLog(1)
    const home = postgresHome({ url: server.url, schema: place.ledgerSchema })
    const seen = await home.read((read) => read.checkpoint())
    const writer = await open(place)
    await writer.append(
      anAppend({ intentId: 'meanwhile', leaves: [{ kind: 'decision', data: 1 }] }),
    )
    const successor = { origin: `${origin}/2`, by: place.dataDir, done: false }
    await assert.rejects(home.giveUp(successor, seen), /somebody wrote to the ledger meanwhile/)
    await writer.append(anAppend({ intentId: 'goes-on' }))
    await writer.close()
    assert.equal(await home.successor(), undefined)
  })
})
