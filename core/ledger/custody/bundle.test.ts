import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { directoryReader } from '../log/reader.ts'
import { storeReader } from '../sqlite/reader.ts'
import { fill, origin, type TestLedger, testLedger } from '../store/store-builder.ts'
import { leavesBetween, writeBundle } from './bundle.ts'
import { verifyBundle } from './bundle-verify.ts'

interface Range {
  readonly from: number
  readonly to: number
}

/** A bundle of a log of `size` leaves, in a folder that goes away. */
async function aBundle(size: number, range: Range) {
  const ledger = await testLedger()
  await fill(ledger.store, size)
  return { ledger, ...(await bundleOf(ledger, range)) }
}

async function bundleOf({ directory, key }: TestLedger, { from, to }: Range) {
  const parent = await mkdtemp(join(tmpdir(), 'jackstay-bundle-'))
  const folder = join(parent, 'out')
  const remove = () => rm(parent, { recursive: true, force: true })
  const read = storeReader(directory)
  const writing = writeBundle({ read, vkey: key.vkey, directory: folder, from, to })
  const info = await writing.catch(async (error: unknown) => {
    await remove()
    throw error
  })
  read.close()
  const check = (knownCheckpoint?: string, vkey = key.vkey) =>
    verifyBundle({
      read: directoryReader(folder),
      vkey,
      range: info,
      ...(knownCheckpoint !== undefined && { knownCheckpoint }),
    })
  return {
    folder,
    info,
    check,
    [Symbol.asyncDispose]: remove,
  }
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

describe('a bundle', () => {
  it('verifies alone, whatever part of the log it is', async () => {
    for (const [size, from, to] of [
      [1, 0, 1],
      [300, 0, 300],
      [300, 270, 280],
      [700, 256, 512],
      [700, 100, 699],
    ] as const) {
      const made = await aBundle(size, { from, to })
      await using _ledger = made.ledger
      await using _bundle = made
      const verdict = await made.check()
      assert.ok(verdict.ok, `${size} ${from} ${to}: ${JSON.stringify(verdict)}`)
      assert.ok(verdict.from <= from && verdict.to >= to && verdict.size === size)
      const lines = (await readFile(join(made.folder, 'leaves.jsonl'), 'utf8'))
        .trimEnd()
        .split('\n')
      const indexes = lines.map((line): number => JSON.parse(line).index)
      assert.deepEqual(
        indexes,
        Array.from({ length: to - from }, (_, i) => from + i),
      )
    }
  })

  it('T69 with a flipped byte anywhere does not verify', async () => {
    const made = await aBundle(600, { from: 256, to: 512 })
    await using _ledger = made.ledger
    await using _bundle = made
    for (const [file, problem] of [
      ['tile/entries/001', /entries_malformed|leaf_changed/],
      ['tile/0/001', /tile_changed/],
      ['tile/0/002.p/88', /root_differs/],
      ['tile/1/000.p/2', /tile_changed/],
    ] as const) {
      const path = join(made.folder, file)
      const before = await readFile(path)
      for (const at of [0, 5, before.length - 1]) {
        await flip(path, at)
        const verdict = await made.check()
        assert.ok(!verdict.ok, `${file} at ${at}`)
        assert.match(verdict.problem, problem, `${file} at ${at}`)
        await writeFile(path, before)
      }
      await rm(path)
      assert.equal((await made.check()).ok, false, `${file} gone`)
      await writeFile(path, before)
    }
    assert.ok((await made.check()).ok)
  })

  it('T69 holds against an earlier checkpoint: truncated, forked and replaced logs are told', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 200)
    const early = await ledger.store.checkpoint()
    await fill(ledger.store, 200, 'later')
    const late = await ledger.store.checkpoint()
    await using bundle = await bundleOf(ledger, { from: 0, to: 400 })
    assert.ok((await bundle.check(early)).ok)
    assert.ok((await bundle.check(late)).ok)

    await using twin = await testLedger({ key: ledger.key })
    await fill(twin.store, 199, 'other')
    await using shorter = await bundleOf(twin, { from: 0, to: 199 })
    const truncated = await shorter.check(late)
    assert.equal(truncated.ok ? '' : truncated.problem, 'truncated')
    await fill(twin.store, 300, 'more')
    await using forked = await bundleOf(twin, { from: 0, to: 499 })
    const verdict = await forked.check(late)
    assert.equal(verdict.ok ? '' : verdict.problem, 'forked')
  })

  it('is refused under another key', async () => {
    const made = await aBundle(3, { from: 0, to: 3 })
    await using _ledger = made.ledger
    await using _bundle = made
    const other = ledgerKeyFrom(generateSkey(origin)).vkey
    const verdict = await made.check(undefined, other)
    assert.equal(verdict.ok ? '' : verdict.problem, 'checkpoint_invalid')
  })

  it('is refused for leaves the log does not have, and into a folder in use', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 3)
    for (const [from, to] of [
      [0, 4],
      [2, 2],
      [-1, 1],
      [0.5, 1],
    ] as const) {
      await assert.rejects(bundleOf(ledger, { from, to }), { code: 'invalid_request' })
    }
    const read = storeReader(ledger.directory)
    const options = { read, vkey: ledger.key.vkey, directory: ledger.directory, from: 0, to: 1 }
    await assert.rejects(writeBundle(options), /is not empty/)
    read.close()
  })
})

it('finds the leaves between two instants', async () => {
  await using ledger = await testLedger()
  const times = ['2026-01-01T00:00:00Z', undefined, '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z']
  for (const time of times) {
    await ledger.store.appendLeaves([
      { kind: 'decision', data: time === undefined ? {} : { time } },
    ])
  }
  const read = storeReader(ledger.directory)
  const between = (from?: string, to?: string) =>
    leavesBetween(read, 4, {
      ...(from !== undefined && { from: Date.parse(from) }),
      ...(to !== undefined && { to: Date.parse(to) }),
    })
  assert.deepEqual(await between(), { from: 0, to: 4 })
  assert.deepEqual(await between('2026-01-02T00:00:00Z'), { from: 2, to: 4 })
  assert.deepEqual(await between(undefined, '2026-01-02T00:00:00Z'), { from: 0, to: 2 })
  assert.deepEqual(await between('2026-01-01T12:00:00Z', '2026-01-02T12:00:00Z'), {
    from: 2,
    to: 3,
  })
  assert.deepEqual(await between('2027-01-01T00:00:00Z'), { from: 0, to: 0 })
  read.close()
})
