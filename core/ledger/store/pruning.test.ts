import assert from 'node:assert/strict'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { exportTiles } from '../custody/export.ts'
import { directoryReader } from '../log/reader.ts'
import { tilePath } from '../log/tiles.ts'
import {
  frontierFrom,
  leafHash,
  type ReadTile,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../log/tree.ts'
import { type LedgerVerdict, verifyLedger } from '../log/verify.ts'
import { openDatabase } from '../sqlite/database.ts'
import { SqliteLog } from '../sqlite/log.ts'
import { SqlitePruning } from '../sqlite/pruning.ts'
import { storeReader } from '../sqlite/reader.ts'
import { because, day, decision, found, intent, policy } from './erasure-builder.ts'
import { parsePolicy, policyDigest } from './retention.ts'
import { openStore } from './store.ts'
import { origin, type TestLedger, testLedger } from './store-builder.ts'

const request = { policy, ...because }
const damaged = { code: 'ledger_damaged' }

/** `count` refused intents of one leaf each, made now. */
async function refusals({ store, clock }: TestLedger, count: number, prefix = 'i'): Promise<void> {
  const told = Array.from({ length: count }, (_, i) => `${prefix}${i}`)
  await Promise.all(told.map((id) => intent(store, id, { at: clock.now(), secret: `s-${id}-s` })))
}

async function verdict(
  { directory, key }: TestLedger,
  knownCheckpoint?: string,
): Promise<LedgerVerdict> {
  const read = storeReader(directory)
  const known = knownCheckpoint === undefined ? {} : { knownCheckpoint }
  return verifyLedger({ read, vkey: key.vkey, ...known }).finally(() => read.close())
}

async function pruned(): Promise<TestLedger> {
  const ledger = await testLedger()
  await refusals(ledger, 600)
  ledger.clock.time += 11 * day
  await ledger.store.prune(request)
  return ledger
}

describe('T72 prune', () => {
  it('takes whole bundles and what hangs on them, and every proof still holds', async () => {
    await using ledger = await testLedger()
    const { store, directory, clock } = ledger
    await refusals(ledger, 600)
    const early = await store.checkpoint()
    const root300 = rootOf(await frontierFrom(300, reading(store)))
    clock.time += 11 * day
    assert.deepEqual(await store.planPrune(policy), { from: 0, to: 512 })
    assert.equal(await store.minimum(), 0, 'a plan only looks')
    assert.deepEqual(await store.prune(request), { from: 0, to: 512, leaf: 600 })

    const checked = await verdict(ledger, early)
    assert.ok(checked.ok)
    assert.equal(checked.minimum, 512)
    assert.deepEqual((await store.leaf(600))?.data, {
      time: new Date(clock.now()).toISOString(),
      ...{ from: 0, to: 512, root: checked.prune?.root, policy: policyDigest(policy), ...because },
    })
    assert.equal(await store.leaf(511), undefined)
    assert.equal(await store.intent('i511'), undefined)
    assert.deepEqual(await store.events('i511'), [])
    assert.equal((await store.events('i512')).length, 2)
    assert.deepEqual(await found(directory, ['s-i0-s', 's-i511-s', 's-i512-s']), ['s-i512-s'])
    const size = await store.size()
    const root = Buffer.from(checked.root, 'base64')
    for (const index of [512, 599, 600]) {
      const bytes = (await store.leaf(index))?.bytes ?? Buffer.of()
      const proof = await store.inclusionProof(index, size)
      assert.ok(verifyInclusion({ index, size, leaf: leafHash(bytes), proof, root }), `${index}`)
    }
    const proof = await store.consistencyProof(300, size)
    const step = { from: 300, to: size, fromRoot: root300, toRoot: root, proof }
    assert.ok(verifyConsistency(step), 'also from a size that is pruned')
    await refusals(ledger, 300, 'more')
    assert.ok((await verdict(await reopened(ledger), early)).ok)
  })

  it('is exported as it is, and checked from the folder', async (t) => {
    await using ledger = await pruned()
    const folder = await mkdtemp(join(tmpdir(), 'jackstay-pruned-'))
    t.after(() => rm(folder, { recursive: true }))
    await exportTiles(ledger.store, folder)
    await assert.rejects(access(join(folder, tilePath({ level: 'entries', index: 1, width: 256 }))))
    const read = directoryReader(folder)
    const checked = await verifyLedger({ read, vkey: ledger.key.vkey })
    assert.ok(checked.ok && checked.prune?.reason === 'somebody asked')
    await rm(join(folder, tilePath({ level: 0, index: 0, width: 256 })))
    const short = await verifyLedger({ read, vkey: ledger.key.vkey })
    assert.equal(short.ok || short.problem, 'entries_missing')
  })

  it('goes on where it stopped, past its own older leaf', async () => {
    await using ledger = await pruned()
    const { store, clock } = ledger
    await refusals(ledger, 300, 'second')
    clock.time += 11 * day
    const keeper = { leaf: 600, kind: 'prune' }
    const plan = await store.planPrune(policy)
    assert.deepEqual({ ...plan.keeper, why: '' }, { ...keeper, why: '' })
    await assert.rejects(store.prune(request), { code: 'retained', message: /leaf 600 \(prune\)/ })
    clock.time += 100 * day
    assert.deepEqual(await store.prune(request), { from: 512, to: 768, leaf: 901 })
    const checked = await verdict(ledger)
    assert.ok(checked.ok && checked.minimum === 768 && checked.prune?.leaf === 901)
  })

  it('is refused with the leaf that has to stay and why', async () => {
    await using ledger = await testLedger()
    const { store, clock } = ledger
    const refused = (message: RegExp) =>
      assert.rejects(store.prune(request), { code: 'retained', message })
    await refusals(ledger, 10)
    await refused(/from leaf 0 on there is none yet/)
    await intent(store, 'open', { at: clock.now(), terminal: false })
    await store.appendLeaves([{ kind: 'suspension', data: {} }])
    await refusals(ledger, 300, 'more')
    await refused(/leaf 0 \(decision\) has to stay: `refusal` is kept for 10d.*2026-01-11/)
    clock.time += 11 * day
    await refused(/leaf 10 \(decision\) has to stay: its intent `open` is still under way/)
    await store.append({
      ...{ intentId: 'open', expectedSeq: 2, leaves: [], phase: 'refused', terminal: true },
      events: [{ type: 'ended', at: 'now', data: {} }],
    })
    await refused(/leaf 11 \(suspension\) has to stay: it does not say when it was made/)
    await store.putHold({ id: 'case', scope: { intent: 'i3' }, ...because })
    await refused(/leaf 3 \(decision\) has to stay: under the legal hold `case`/)
    assert.equal(await store.size(), 313)
    assert.equal(await store.minimum(), 0)
  })

  it('keeps each class as long as the policy says, refusals apart from decisions', async () => {
    await using ledger = await testLedger()
    const { store, clock } = ledger
    const at = clock.now()
    await refusals(ledger, 256)
    await intent(store, 'done', { at, outcome: 'allowed' })
    await refusals(ledger, 300, 'more')
    clock.time += 11 * day
    const { to, keeper } = await store.planPrune(policy)
    assert.deepEqual({ to, leaf: keeper?.leaf }, { to: 256, leaf: 256 })
    const forever = { version: 1, keep: { ...policy.keep, refusal: 'forever' } } as const
    assert.match((await store.planPrune(forever)).keeper?.why ?? '', /`refusal` is kept forever/)
    clock.time += 90 * day
    assert.equal((await store.planPrune(policy)).to, 512)
  })
})

describe('T69 leaves that are missing', () => {
  const without = (first: number, last: number) =>
    `DELETE FROM leaves WHERE position >= ${first} AND position < ${last}`

  it('without a prune leaf are damage, to the store and to a verifier', async () => {
    await using ledger = await testLedger()
    // more than the newest ones, which every start reads
    const leaf = decision({ at: ledger.clock.now() })
    await ledger.store.appendLeaves(Array.from({ length: 4500 }, () => leaf))
    await ledger.store.close()
    edit(ledger.directory, without(0, 256))
    const seen = await verdict(ledger)
    assert.ok(!seen.ok)
    assert.equal(seen.problem, 'entries_missing')
    assert.match(seen.message, /leaves 0 to 255 are missing and no prune leaf covers them/)
    await assert.rejects(openAgain(ledger), { ...damaged, message: /0 to 255 are missing/ })
    edit(ledger.directory, 'UPDATE pruned SET minimum = 256, leaf = 4499')
    await assert.rejects(openAgain(ledger), { ...damaged, message: /leaf 4499 does not say so/ })
  })

  it('beyond the prune are damage too, and so is a hole behind it', async () => {
    for (const [first, last, index] of [
      // the prune leaf went with them
      [512, 768, 0],
      [768, 1024, 768],
    ] as const) {
      await using ledger = await pruned()
      await refusals(ledger, 600, 'more')
      await ledger.store.close()
      edit(ledger.directory, without(first, last))
      const seen = await verdict(ledger)
      assert.deepEqual([seen.ok || seen.problem, seen.ok || seen.index], ['entries_missing', index])
      if (first === 512) await assert.rejects(openAgain(ledger), damaged)
    }
  })

  it('are not excused by a prune leaf that names another tree', async () => {
    await using ledger = await testLedger()
    await refusals(ledger, 300)
    const root = Buffer.alloc(32).toString('base64')
    const data = { time: '2026-01-01T00:00:00Z', from: 0, to: 256, root, ...because }
    await ledger.store.appendLeaves([{ kind: 'prune', data }])
    await ledger.store.close()
    edit(ledger.directory, `${without(0, 256)}; UPDATE pruned SET minimum = 256, leaf = 300`)
    const seen = await verdict(ledger)
    assert.deepEqual([seen.ok || seen.problem, seen.ok || seen.index], ['prune_differs', 300])
    await assert.rejects(openAgain(ledger), damaged)
  })

  it('that a crash left behind a recorded prune are removed at the next start', async () => {
    await using ledger = await testLedger()
    await refusals(ledger, 300)
    await ledger.store.close()
    const { directory, key, clock } = ledger
    const db = await openDatabase(directory)
    const log = new SqliteLog(db, origin, key)
    await log.load()
    const pruning = new SqlitePruning(db, log)
    const now = clock.now() + 11 * day
    const root = rootOf(await frontierFrom(256, log.readTile))
    db.exec('BEGIN IMMEDIATE')
    pruning.record(pruning.plan(policy, now), root, request, now)
    log.store()
    db.exec('COMMIT')
    db.close()
    assert.ok((await verdict(ledger)).ok, 'on record, and all leaves are there')
    const store = await openAgain(ledger)
    assert.equal(await store.leaf(255), undefined)
    const seen = await verdict(ledger)
    assert.ok(seen.ok && seen.minimum === 256)
    assert.deepEqual(await found(directory, ['s-i0-s']), [])
    await store.close()
  })
})

describe('a retention policy', () => {
  it('needs every class, and spans it can read', () => {
    assert.deepEqual(parsePolicy(policy), policy)
    const { outcome: _, ...rest } = policy.keep
    for (const [wrong, path] of [
      [{ version: 1, keep: rest }, 'keep.outcome'],
      [{ version: 1, keep: { ...policy.keep, refusals: '1d' } }, 'keep'],
      [{ version: 1, keep: { ...policy.keep, hold: '0d' } }, 'keep.hold'],
      [{ version: 2, keep: policy.keep }, 'version'],
      [null, 'policy'],
    ] as const) {
      assert.throws(() => parsePolicy(wrong), { code: 'invalid_request', message: RegExp(path) })
    }
  })

  it('lets nothing go that it does not know', async () => {
    await using ledger = await testLedger()
    const leaf = decision({ at: ledger.clock.now() })
    await ledger.store.appendLeaves(Array.from({ length: 256 }, () => leaf))
    ledger.clock.time += 11 * day
    assert.equal((await ledger.store.planPrune(policy)).to, 256, 'a leaf without an intent may go')
  })
})

async function reopened(ledger: TestLedger): Promise<TestLedger> {
  await ledger.reopen()
  return ledger
}

function openAgain({ directory, key, clock }: TestLedger) {
  return openStore({ directory, origin, key, clock })
}

function edit(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.sqlite'))
  db.exec(sql)
  db.close()
}

function reading(store: TestLedger['store']): ReadTile {
  return async (level, index, width) => (await store.tile(level, index, width)) ?? Buffer.of()
}
