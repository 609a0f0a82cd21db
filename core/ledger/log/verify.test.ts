import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { exportTiles } from '../custody/export.ts'
import { storeReader } from '../sqlite/reader.ts'
import { fill, origin, testLedger } from '../store/store-builder.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { LedgerKey } from './key.ts'
import { directoryReader, httpReader, type TileReader } from './reader.ts'
import { decodeBundle, encodeBundle, hashSize, tilePath, tilesOf, tileWidth } from './tiles.ts'
import { emptyFrontier, extend, leafHash, rootOf } from './tree.ts'
import { type LedgerVerdict, verifyLedger } from './verify.ts'

async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-tiles-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A log in memory that somebody with the key built from these entries: consistent in itself. */
function forged(entries: readonly Uint8Array[], key: LedgerKey): TileReader {
  const { frontier, hashes } = extend(emptyFrontier, entries.map(leafHash))
  const size = entries.length
  const levels = Map.groupBy(hashes, ({ level }) => level)
  return {
    checkpoint: async () => signCheckpoint({ origin, size, root: rootOf(frontier) }, [key]),
    tile: async (level, index, width) => {
      const from = index * tileWidth
      if (level === 'entries') return encodeBundle(entries.slice(from, from + width))
      const row = levels.get(level)?.slice(from, from + width)
      return Buffer.concat(row?.map(({ hash }) => hash) ?? [])
    },
  }
}

async function entriesOf(read: TileReader, size: number): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (const { level, index, width } of tilesOf(size)) {
    if (level !== 'entries') continue
    entries.push(...(decodeBundle((await read.tile(level, index, width)) ?? Buffer.of()) ?? []))
  }
  return entries
}

const problemOf = (verdict: LedgerVerdict) => (verdict.ok ? 'none' : verdict.problem)

describe('verifyLedger', () => {
  it('accepts a good log from a store, a folder and a server, at every kind of size', async () => {
    await using ledger = await testLedger()
    const { store, key } = ledger
    await using folder = await temporary()
    let knownCheckpoint = await store.checkpoint()
    for (const more of [0, 1, 254, 1, 1, 400]) {
      await fill(store, more, `m${more}-${await store.size()}-`)
      const size = await store.size()
      assert.equal((await exportTiles(store, folder.path)).size, size)
      using stored = closing(storeReader(ledger.directory))
      const served = httpReader({
        base: new URL('https://log.example/ledger'),
        signal: new AbortController().signal,
        timeoutMs: 1000,
        fetch: async ({ pathname }) => {
          const bytes = await readFile(join(folder.path, pathname.replace('/ledger/', ''))).catch(
            () => null,
          )
          return new Response(bytes, { status: bytes === null ? 404 : 200 })
        },
      })
      for (const read of [stored.reader, directoryReader(folder.path), served]) {
        const verdict = await verifyLedger({ read, vkey: key.vkey, knownCheckpoint })
        assert.equal(problemOf(verdict), 'none')
        assert.equal(verdict.ok && verdict.size, size)
      }
      knownCheckpoint = await store.checkpoint()
    }
    assert.equal((await exportTiles(store, folder.path)).written, 3, 'full tiles are written once')
  })

  it('reads a full tile where the partial one is gone', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 100)
    const checkpoint = await ledger.store.checkpoint()
    await fill(ledger.store, 400, 'later')
    using stored = closing(storeReader(ledger.directory))
    const read: TileReader = {
      checkpoint: async () => checkpoint,
      tile: async (level, index, width) =>
        width < tileWidth ? undefined : stored.reader.tile(level, index, width),
    }
    assert.equal(problemOf(await verifyLedger({ read, vkey: ledger.key.vkey })), 'none')
  })

  it('finds any changed byte of any exported file', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 300)
    await using folder = await temporary()
    await exportTiles(ledger.store, folder.path)
    const files = ['checkpoint', ...[...tilesOf(300)].map(tilePath)]
    const vkey = ledger.key.vkey
    const cases = fc.tuple(fc.constantFrom(...files), fc.nat(), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(cases, async ([file, at, flip]) => {
        const path = join(folder.path, file)
        const good = await readFile(path)
        const bad = Buffer.from(good)
        bad[at % bad.length] = (bad[at % bad.length] ?? 0) ^ flip
        await writeFile(path, bad)
        const verdict = await verifyLedger({ read: directoryReader(folder.path), vkey })
        await writeFile(path, good)
        assert.ok(!verdict.ok, `${file} at ${at % bad.length}`)
      }),
      { numRuns: 150 },
    )
  })

  it('names what is missing or malformed', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 300)
    const vkey = ledger.key.vkey
    for (const [file, problem, index] of [
      ['checkpoint', 'checkpoint_missing', undefined],
      ['tile/entries/001.p/44', 'entries_missing', 256],
      ['tile/0/000', 'tile_missing', 0],
      ['tile/1/000.p/1', 'tile_missing', 0],
    ] as const) {
      await using folder = await temporary()
      await exportTiles(ledger.store, folder.path)
      await rm(join(folder.path, file))
      const verdict = await verifyLedger({ read: directoryReader(folder.path), vkey })
      assert.equal(problemOf(verdict), problem)
      assert.equal(verdict.ok ? -1 : verdict.index, index)
    }
  })

  it('T69: finds an edit in the middle of the database and says where', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 700)
    await ledger.store.close()
    const db = new DatabaseSync(join(ledger.directory, 'ledger.sqlite'))
    db.exec(`UPDATE leaves SET bytes = x'7b7d' WHERE position = 130`)
    using stored = closing(storeReader(ledger.directory))
    const options = { read: stored.reader, vkey: ledger.key.vkey }
    const edited = await verifyLedger(options)
    assert.deepEqual([problemOf(edited), edited.ok ? -1 : edited.index], ['leaf_changed', 130])
    // The tile edited with it, but not signed: the level above knows better.
    const tile = Buffer.from((await stored.reader.tile(0, 0, 256)) ?? Buffer.of())
    tile.set(leafHash(Buffer.from('{}')), 130 * hashSize)
    db.prepare('UPDATE tiles SET hashes = ? WHERE level = 0 AND position = 0').run(tile)
    assert.equal(problemOf(await verifyLedger(options)), 'tile_changed')
    db.close()
  })

  it('finds a changed hash in a full tile of an upper level', async () => {
    await using ledger = await testLedger()
    const entries = Array.from({ length: tileWidth ** 2 + 1 }, (_, i) => Buffer.from(`${i}`))
    const log = forged(entries, ledger.key)
    const read: TileReader = {
      ...log,
      tile: async (level, index, width) => {
        const tile = await log.tile(level, index, width)
        return level === 1 && width === tileWidth
          ? tile?.map((byte, i) => (i === 99 ? ~byte : byte))
          : tile
      },
    }
    const verdict = await verifyLedger({ read, vkey: ledger.key.vkey })
    assert.deepEqual(
      [problemOf(verdict), !verdict.ok && verdict.index],
      ['tile_changed', 3 * tileWidth],
    )
  })

  it('T69: finds a forgery of everything but the signature', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 20)
    using stored = closing(storeReader(ledger.directory))
    const entries = await entriesOf(stored.reader, 20)
    const read: TileReader = {
      ...forged(entries.with(3, Buffer.from('{}')), ledger.key),
      checkpoint: () => ledger.store.checkpoint(),
    }
    assert.equal(problemOf(await verifyLedger({ read, vkey: ledger.key.vkey })), 'root_differs')
  })

  it('T69: finds truncation, edits, forks and replacement by the owner of the key', async () => {
    await using ledger = await testLedger()
    const { store, key } = ledger
    await fill(store, 300)
    const knownCheckpoint = await store.checkpoint()
    await fill(store, 50, 'later')
    using stored = closing(storeReader(ledger.directory))
    const good = await entriesOf(stored.reader, 350)
    const other = good.map((_, i) => Buffer.from(`{"forged":${i}}`))
    const forgeries = {
      'truncated tail': [good.slice(0, 299), 'truncated'],
      'cut to nothing': [[], 'truncated'],
      'middle edit': [good.with(7, Buffer.from('{}')), 'forked'],
      'newest known leaf changed': [good.with(299, Buffer.from('{}')), 'forked'],
      'middle leaf removed': [good.toSpliced(7, 1), 'forked'],
      'as long as before, but other': [other.slice(0, 300), 'forked'],
      fork: [[...good.slice(0, 250), ...other.slice(250)], 'forked'],
      'full replacement': [other, 'forked'],
      'nothing wrong': [good, 'none'],
      'change after the known checkpoint': [good.with(300, Buffer.from('{}')), 'none'],
    } as const
    for (const [name, [entries, problem]] of Object.entries(forgeries)) {
      const read = forged(entries, key)
      const verdict = await verifyLedger({ read, vkey: key.vkey, knownCheckpoint })
      assert.equal(problemOf(verdict), problem, name)
      const blind = await verifyLedger({ read, vkey: key.vkey })
      assert.equal(problemOf(blind), 'none', `${name}: only a checkpoint kept elsewhere shows it`)
    }
  })

  it('T69: holds a log to an earlier checkpoint of any size', async () => {
    await using ledger = await testLedger()
    const { key } = ledger
    const entries = Array.from({ length: 600 }, (_, i) => Buffer.from(`{"n":${i}}`))
    for (const size of [1, 255, 256, 257, 511, 512, 513, 599, 600]) {
      const knownCheckpoint = await forged(entries.slice(0, size), key).checkpoint()
      assert.ok(knownCheckpoint !== undefined)
      const problem = async (log: readonly Uint8Array[]) => {
        const read = forged(log, key)
        return problemOf(await verifyLedger({ read, vkey: key.vkey, knownCheckpoint }))
      }
      const other = Buffer.from('{}')
      assert.equal(await problem(entries), 'none', `${size} leaves before`)
      assert.equal(await problem(entries.with(size - 1, other)), 'forked', `${size} leaves before`)
      if (size < 600) assert.equal(await problem(entries.with(size, other)), 'none')
    }
  })

  it('T69: finds a replacement signed with another key', async () => {
    await using ledger = await testLedger()
    await using twin = await testLedger()
    await fill(twin.store, 5)
    using stored = closing(storeReader(twin.directory))
    const verdict = await verifyLedger({ read: stored.reader, vkey: ledger.key.vkey })
    assert.equal(problemOf(verdict), 'checkpoint_invalid')
    const known = await twin.store.checkpoint()
    const options = { read: stored.reader, vkey: ledger.key.vkey, knownCheckpoint: known }
    assert.equal(problemOf(await verifyLedger(options)), 'known_checkpoint_invalid')
  })

  it('reads a copy of a data directory that nobody has open', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 10)
    await ledger.store.close()
    await using copy = await temporary()
    await cp(ledger.directory, copy.path, { recursive: true })
    using stored = closing(storeReader(copy.path))
    assert.equal(
      problemOf(await verifyLedger({ read: stored.reader, vkey: ledger.key.vkey })),
      'none',
    )
  })
})

describe('httpReader', () => {
  const reader = (answer: () => Response) =>
    httpReader({
      base: new URL('https://log.example/'),
      fetch: async () => answer(),
      signal: new AbortController().signal,
      timeoutMs: 1000,
    })

  it('refuses errors and endless bodies', async () => {
    const failing = reader(() => new Response('', { status: 500 }))
    await assert.rejects(failing.checkpoint(), { code: 'upstream_unavailable' })
    const huge = reader(() => new Response(Buffer.alloc(tileWidth * hashSize + 1)))
    await assert.rejects(huge.tile(0, 0, 256), { code: 'too_large' })
  })
})

function closing<R extends { close(): void }>(reader: R): Disposable & { readonly reader: R } {
  return { reader, [Symbol.dispose]: () => reader.close() }
}
