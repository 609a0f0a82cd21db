import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { signCheckpoint } from '../log/checkpoint.ts'
import { followKeys } from '../log/follow-keys.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openNote, verifierFromVkey } from '../log/note.ts'
import { verifyLedger } from '../log/verify.ts'
import { storeReader } from '../sqlite/reader.ts'
import { openStore, type Store } from '../store/store.ts'
import { anAppend, fill, origin } from '../store/store-builder.ts'
import type { Anchor } from '../witness/anchor.ts'
import { fileAnchor } from '../witness/anchor-file.ts'
import { openAnchoring } from '../witness/anchoring.ts'
import { backupStore } from './backup.ts'
import { loadKey, loadOrCreateKey, writeKey } from './key-file.ts'
import { recoveredAt, recoverLog } from './recovery.ts'
import { rotateKey } from './rotation.ts'
import { lockRotation } from './rotation-file.ts'

const clock = { now: () => Date.parse('2026-01-01T00:00:00Z') }
const who = { reason: 'a drill', by: 'alice', clock }

/** A data directory with its key, as a program keeps it, and room beside it. */
async function aDataDirectory() {
  const room = await mkdtemp(join(tmpdir(), 'jackstay-custody-'))
  const directory = join(room, 'data')
  await loadOrCreateKey(directory, origin)
  return {
    room,
    directory,
    async with<T>(use: (store: Store) => Promise<T>, at = directory): Promise<T> {
      const key = await loadOrCreateKey(at, origin)
      const store = await openStore({ directory: at, origin: key.name, key, clock })
      try {
        return await use(store)
      } finally {
        await store.close()
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(room, { recursive: true, force: true })
    },
  }
}

const at = (dataDir: string) => ({ dataDir, ledgerSchema: 'jackstay' })

async function verdictOn(directory: string, vkey: string, knownCheckpoint?: string) {
  const read = storeReader(directory)
  try {
    const known = knownCheckpoint === undefined ? {} : { knownCheckpoint }
    return await verifyLedger({ read, vkey, ...known })
  } finally {
    read.close()
  }
}

function edit(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.sqlite'))
  db.exec(sql)
  db.close()
}

describe('a rotation', () => {
  it('hands the log to a new key, and who holds the old one can follow', async () => {
    await using data = await aDataDirectory()
    await data.with((store) => fill(store, 300))
    const old = await loadKey(data.directory)
    const first = await rotateKey({ place: at(data.directory), ...who })
    await data.with((store) => fill(store, 10, 'later'))
    const second = await rotateKey({ place: at(data.directory), ...who })
    assert.deepEqual([first.leaf, second.leaf], [300, 311])
    const now = await loadKey(data.directory)
    assert.equal(now.vkey, second.vkey)
    assert.ok((await verdictOn(data.directory, now.vkey)).ok)
    for (const former of [old.vkey, first.vkey]) {
      const verdict = await verdictOn(data.directory, former)
      // the newest checkpoint is the one of the hand-over, which the key before signed too
      assert.equal(verdict.ok, former === first.vkey)
    }
    const read = storeReader(data.directory)
    assert.deepEqual(await followKeys(read, 312, old.vkey), [old.vkey, first.vkey, second.vkey])
    assert.deepEqual(await followKeys(read, 312, first.vkey), [first.vkey, second.vkey])
    const stranger = ledgerKeyFrom(generateSkey(origin)).vkey
    assert.deepEqual(await followKeys(read, 312, stranger), [stranger])
    // a size that nobody signed, of a folder that may hold anything
    const size = Number.MAX_SAFE_INTEGER
    const followed = await followKeys(read, size, old.vkey)
    assert.ok(followed.length <= 3)
    assert.deepEqual(await followKeys(read, size, first.vkey, size - 1), [first.vkey])
    read.close()
  })

  it('is not believed when the old key did not sign it, or the new one', async () => {
    await using data = await aDataDirectory()
    const old = await loadKey(data.directory)
    const thief = ledgerKeyFrom(generateSkey(origin))
    const { rotationNote } = await import('../log/succession.ts')
    const other = ledgerKeyFrom(generateSkey('jackstay.dev/other'))
    await data.with(async (store) => {
      const notes = [
        rotationNote(thief, thief),
        rotationNote(other, thief),
        rotationNote(old, thief).replace(thief.vkey, other.vkey),
        rotationNote(old, thief).split('\n').slice(0, -2).join('\n').concat('\n'),
        'nonsense',
      ]
      const leaves = notes.map((note) => ({ kind: 'rotation', data: { note } }) as const)
      await store.appendLeaves([...leaves, { kind: 'rotation', data: 7 }])
    })
    const read = storeReader(data.directory)
    assert.deepEqual(await followKeys(read, 6, old.vkey), [old.vkey])
    read.close()
  })

  it('cut short before the hand-over keeps the old key, after it takes the new one', async () => {
    for (const handedOver of [false, true]) {
      await using data = await aDataDirectory()
      await data.with((store) => fill(store, 3))
      const old = await loadKey(data.directory)
      const skey = generateSkey(origin)
      const next = ledgerKeyFrom(skey)
      await writeKey(data.directory, 'ledger.key.next', skey)
      if (handedOver) {
        const { signCheckpoint, openCheckpoint } = await import('../log/checkpoint.ts')
        const note = await data.with((store) => store.checkpoint(), data.directory).catch(() => '')
        const opened = openCheckpoint(note, verifierFromVkey(old.vkey))
        assert.ok(opened.ok)
        await writeKey(data.directory, 'ledger.key.next', skey)
        const both = signCheckpoint(opened.checkpoint, [old, next])
        edit(data.directory, `UPDATE checkpoint SET note = '${both}'`)
        edit(data.directory, `UPDATE meta SET value = '${next.vkey}' WHERE name = 'vkey'`)
      }
      await data.with((store) => fill(store, 3, 'more'))
      assert.equal((await loadKey(data.directory)).vkey, handedOver ? next.vkey : old.vkey)
      assert.equal(existsSync(join(data.directory, 'ledger.key.next')), false)
    }
  })

  it('waits for nobody: not beside a writer, not beside another rotation', async () => {
    await using data = await aDataDirectory()
    const { vkey } = await loadKey(data.directory)
    await data.with(async () => {
      await assert.rejects(rotateKey({ place: at(data.directory), ...who }), { code: 'not_ready' })
    })
    const lock = await lockRotation(data.directory)
    await assert.rejects(rotateKey({ place: at(data.directory), ...who }), { code: 'not_ready' })
    lock.close()
    assert.equal((await loadOrCreateKey(data.directory, origin)).vkey, vkey)
  })
})

describe('a recovery', () => {
  it('begins a new log whose first leaf commits to the last checkpoint from outside (T72)', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    const kept = await data.with(async (store) => {
      await fill(store, 20)
      await store.append(anAppend({ intentId: 'under-way' }))
      return store.checkpoint()
    })
    const old = await loadKey(directory)
    await copyFile(join(directory, 'ledger.sqlite'), join(room, 'newer.sqlite'))
    edit(directory, 'DELETE FROM leaves WHERE position > 9')
    const to = join(room, 'next')
    const done = await recoverLog({ place: at(directory), to: at(to), checkpoint: kept, ...who })
    assert.equal(done.origin, `${origin}/2`)
    assert.match(done.found, /^entries_missing \(leaf 0\): /)
    assert.ok(done.underWay.includes('under-way') && done.underWay.length === 21)
    const leaf = await data.with((store) => store.leaf(0), to)
    assert.equal(await data.with(recoveredAt, to), clock.now())
    assert.equal(leaf?.kind, 'recovery')
    const stated = leaf?.data as { previous: object; checkpoint: string; note: string }
    assert.deepEqual(stated.previous, {
      ...{ origin, vkey: old.vkey, size: 20, checkpointFrom: 'outside' },
      root: kept.split('\n')[2],
    })
    assert.equal(stated.checkpoint, kept)
    const signed = openNote(stated.note, [verifierFromVkey(old.vkey), verifierFromVkey(done.vkey)])
    assert.ok(signed.ok && signed.signers.length === 2, 'both keys vouch for the succession')
    assert.ok((await verdictOn(to, done.vkey)).ok)
    const read = storeReader(to)
    assert.deepEqual(await followKeys(read, 1, old.vkey), [old.vkey, done.vkey])
    assert.deepEqual(await followKeys(read, 1, done.vkey), [done.vkey])
    read.close()
    // the old log is evidence now: whole, and closed
    await assert.rejects(
      data.with((store) => store.size()),
      /was given up: .*\/2/,
    )
    await assert.rejects(
      recoverLog({ place: at(directory), to: at(join(room, 'third')), ...who }),
      /was given up/,
    )
  })

  it('finds a rollback by the checkpoint that somebody kept, and nothing without it', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    await data.with((store) => fill(store, 5))
    const old = await readFile(join(directory, 'ledger.sqlite'))
    const kept = await data.with(async (store) => {
      await fill(store, 5, 'later')
      return store.checkpoint()
    })
    await writeFile(join(directory, 'ledger.sqlite'), old)
    const to = join(room, 'next')
    await assert.rejects(
      recoverLog({ place: at(directory), to: at(to), ...who }),
      /there is nothing to recover from/,
    )
    assert.equal(existsSync(to), false)
    const done = await recoverLog({ place: at(directory), to: at(to), checkpoint: kept, ...who })
    assert.match(done.found, /^truncated \(leaf 5\)/)
    assert.equal(done.previous.size, 10)
  })

  it('takes the checkpoint that witnesses cosigned, where nobody gave a later one', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    await data.with((store) => fill(store, 5))
    const old = await readFile(join(directory, 'ledger.sqlite'))
    const later = await data.with(async (store) => {
      await fill(store, 5, 'later')
      return store.checkpoint()
    })
    await writeFile(join(directory, 'ledger.sqlite'), old)
    await writeFile(join(directory, 'witnessed'), later)
    const done = await recoverLog({ place: at(directory), to: at(join(room, 'next')), ...who })
    assert.match(done.found, /^truncated \(leaf 5\)/)
    assert.deepEqual([done.previous.size, done.previous.checkpointFrom], [10, 'witnesses'])
  })

  it('needs a checkpoint of this log, and a place that is free', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    await data.with((store) => fill(store, 2))
    const to = join(room, 'next')
    await writeFile(join(directory, 'ledger.sqlite'), 'no database at all, only some text')
    await assert.rejects(
      recoverLog({ place: at(directory), to: at(to), ...who }),
      /has no readable checkpoint/,
    )
    await using other = await aDataDirectory()
    const foreign = await other.with((store) => store.checkpoint())
    const attempt = recoverLog({ place: at(directory), to: at(to), checkpoint: foreign, ...who })
    await assert.rejects(attempt, /is not one of this log/)
    await mkdir(to)
    await assert.rejects(
      recoverLog({ place: at(directory), to: at(to), ...who }),
      /exists; name a new/,
    )
    await rm(join(directory, 'ledger.key'))
    await assert.rejects(
      recoverLog({ place: at(directory), to: at(join(room, 'n')), ...who }),
      /give the verifier key of the log with --key/,
    )
  })

  it('does not run beside a writer', async () => {
    await using data = await aDataDirectory()
    await data.with(async () => {
      const attempt = recoverLog({
        place: at(data.directory),
        to: at(join(data.room, 'n')),
        ...who,
      })
      await assert.rejects(attempt, { code: 'not_ready' })
    })
  })

  describe('of a copy on another machine', () => {
    /** A log, twice: two machines restored the same backup. */
    async function twoCopies() {
      const data = await aDataDirectory()
      await data.with((store) => fill(store, 3))
      const key = await loadKey(data.directory)
      const other = join(data.room, 'other')
      const copied = { directory: data.directory, to: other, vkey: key.vkey, withKey: true }
      assert.ok((await backupStore(copied)).ok)
      const disk = fileAnchor({
        ...{ name: 'disk', path: join(data.room, 'kept.jsonl') },
        now: () => new Date(clock.now()),
      })
      const recover = (from: string, to: string, anchors: Anchor[] = []) => {
        const places = { place: at(from), to: at(join(data.room, to)) }
        return recoverLog({ ...places, anchors, evenIfSound: true, ...who })
      }
      return { data, other, disk, vkey: key.vkey, recover }
    }

    it('is refused where an anchor knows of the first one (T69)', async () => {
      const { data, other, disk, recover } = await twoCopies()
      await using _ = data
      const done = await recover(data.directory, 'next', [disk])
      assert.deepEqual(done.anchors, [{ name: 'disk' }])
      await assert.rejects(recover(other, 'fork', [disk]), {
        code: 'ledger_damaged',
        message: /was given up: `disk` keeps a checkpoint of `.*\/2`, which has followed/,
      })
      assert.equal(existsSync(join(data.room, 'fork')), false)
      // also where somebody gives that checkpoint by hand
      const checkpoint = await disk.newest(AbortSignal.timeout(1000))
      const places = { place: at(other), to: at(join(data.room, 'fork')) }
      await assert.rejects(
        recoverLog({ ...places, ...who, ...(checkpoint && { checkpoint }), evenIfSound: true }),
        /`--checkpoint` keeps a checkpoint of `.*\/2`/,
      )
    })

    it('is found out where nobody asked: no mediator starts on it, and it is given up no further (T69)', async () => {
      const { data, other, disk, recover } = await twoCopies()
      await using _ = data
      await recover(data.directory, 'next', [disk])
      const fork = await recover(other, 'fork')
      const folder = join(data.room, 'fork')
      const anchoring = await openAnchoring([disk], folder, clock)
      const read = storeReader(folder)
      const { contradicted } = await anchoring.compare(read, fork.vkey, AbortSignal.timeout(1000))
      read.close()
      assert.deepEqual(
        contradicted.map(({ anchor, defect }) => [anchor, defect.problem]),
        [['disk', 'known_checkpoint_invalid']],
      )
      await assert.rejects(
        recover(folder, 'third', [disk]),
        /somebody began another log of this name, elsewhere/,
      )
      // the one that was told goes on
      assert.equal((await recover(join(data.room, 'next'), 'third', [disk])).origin, `${origin}/3`)
    })

    it('takes the newest checkpoint an anchor keeps, and one of before the key changed for no other log', async () => {
      const { data, other, disk, recover } = await twoCopies()
      await using _ = data
      const signal = AbortSignal.timeout(5000)
      const kept = await data.with(async (store) => {
        await fill(store, 2, 'later')
        return store.checkpoint()
      })
      await disk.push(kept, signal)
      const done = await recover(other, 'next', [disk])
      assert.deepEqual([done.previous.size, done.previous.checkpointFrom], [5, 'outside'])
      assert.match(done.found, /^truncated/)
    })

    it('goes on after a rotation that no anchor has heard of', async () => {
      const { data, disk, recover } = await twoCopies()
      await using _ = data
      await disk.push(await data.with((store) => store.checkpoint()), AbortSignal.timeout(5000))
      await rotateKey({ place: at(data.directory), ...who })
      assert.equal((await recover(data.directory, 'next', [disk])).origin, `${origin}/2`)
    })

    it('waits for an anchor that is away, and is told of one of another cluster', async () => {
      const { data, disk, recover } = await twoCopies()
      await using _ = data
      const away = { ...disk, newest: () => Promise.reject(new Error('no route')) }
      await assert.rejects(recover(data.directory, 'next', [away]), {
        code: 'not_ready',
        message: /`disk` cannot be asked .*: no route; mend it, or leave it out of the policy/,
      })
      const elsewhere = ledgerKeyFrom(generateSkey('jackstay.dev/elsewhere'))
      const note = signCheckpoint({ origin: elsewhere.name, size: 1, root: new Uint8Array(32) }, [
        elsewhere,
      ])
      const wrong = { ...disk, newest: async () => note }
      await assert.rejects(recover(data.directory, 'next', [wrong]), /is of another log/)
    })
  })

  it('may be done again when it was cut short before the new log had its place', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    await data.with((store) => fill(store, 2))
    const to = join(room, 'next')
    const options = { place: at(directory), to: at(to), evenIfSound: true, ...who }
    await recoverLog(options)
    await rm(to, { recursive: true })
    // a log that was moved or lost has been used
    await assert.rejects(recoverLog(options), /was given up/)
    const mark = { origin: `${origin}/2`, by: to, done: false }
    await writeFile(join(directory, 'superseded.json'), JSON.stringify(mark))
    assert.equal((await recoverLog(options)).origin, `${origin}/2`)
    const third = { ...options, place: at(to), to: at(join(room, 'third')) }
    assert.equal((await recoverLog(third)).origin, `${origin}/3`)
  })
})

describe('a backup', () => {
  it('is whole and verified while the owner goes on writing, and private', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    const { vkey } = await loadKey(directory)
    const to = join(room, 'copy')
    await data.with(async (store) => {
      await fill(store, 500)
      let stop = false
      const writing = (async () => {
        for (let n = 0; !stop; n++) await fill(store, 1, `busy${n}-`)
        return store.size()
      })()
      const verdict = await backupStore({ directory, to, vkey, withKey: false })
      stop = true
      assert.ok(verdict.ok && verdict.size >= 500 && verdict.size <= (await writing))
    })
    assert.equal((await stat(join(to, 'ledger.sqlite'))).mode & 0o777, 0o600)
    assert.equal(existsSync(join(to, 'ledger.key')), false)
  })

  it('with the key is a data directory that goes on', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    const { vkey } = await loadKey(directory)
    await data.with((store) => fill(store, 3))
    const to = join(room, 'copy')
    assert.ok((await backupStore({ directory, to, vkey, withKey: true })).ok)
    await data.with((store) => fill(store, 3, 'on'), to)
    assert.ok((await verdictOn(to, vkey)).ok)
    await assert.rejects(backupStore({ directory, to, vkey, withKey: true }), /is not empty/)
  })

  it('T69 of a damaged log says so', async () => {
    await using data = await aDataDirectory()
    const { directory, room } = data
    const { vkey } = await loadKey(directory)
    await data.with((store) => fill(store, 3))
    edit(directory, `UPDATE leaves SET bytes = x'7b7d' WHERE position = 1`)
    const verdict = await backupStore({ directory, to: join(room, 'copy'), vkey, withKey: false })
    assert.equal(verdict.ok ? undefined : verdict.index, 1)
  })
})

it('a key file that others may read is no key', async () => {
  await using data = await aDataDirectory()
  await chmod(join(data.directory, 'ledger.key'), 0o644)
  await assert.rejects(rotateKey({ place: at(data.directory), ...who }), /has mode 644/)
})
