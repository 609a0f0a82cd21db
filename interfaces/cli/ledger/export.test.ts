import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { openStore } from '@jackstay/ledger/store'
import { Desk } from '../fake-servers.ts'

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const folder = mkdtempSync(join(tmpdir(), 'jackstay-export-'))
const data = join(folder, 'data')
const desk = new Desk('http://127.0.0.1:9', 'http://127.0.0.1:9')
let vkey = ''
before(async () => {
  const key = await loadOrCreateKey(data, origin)
  vkey = key.vkey
  const store = await openStore({ directory: data, origin, key, clock: { now: () => 0 } })
  for (const day of ['01', '02', '03', '04']) {
    const leaf = { kind: 'suspension', data: { time: `2026-11-${day}T00:00:00Z` } } as const
    await store.appendLeaves(Array.from({ length: 100 }, () => leaf))
  }
  await store.close()
})
after(() => {
  desk.clean()
  rmSync(folder, { recursive: true })
})

let made = 0
const exported = (...args: string[]) => {
  const out = join(folder, `bundle-${made++}`)
  return { out, ran: desk.run(['ledger', 'export', '--data', data, '--out', out, ...args]) }
}

test('a bundle verifies by itself, and says how much it checked and whose key that was', async () => {
  const { out, ran } = exported('--from', '100', '--to', '250')
  const { exit, out: said } = await ran
  assert.equal(exit, 0)
  assert.match(said, /^exported leaves 100 to 249 of 400 /)
  const inside = await desk.run(['ledger', 'verify', '--data', out])
  assert.equal(inside.exit, 0, inside.err)
  assert.match(inside.out, /size +400 leaves; checked 0 to 255\n/)
  assert.match(inside.out, /the key was taken from the folder/)
  const given = await desk.run(['ledger', 'verify', '--data', out, '--key', vkey])
  assert.doesNotMatch(given.out, /the key was taken/)
})

test('times choose leaves', async () => {
  const { out, ran } = exported('--from', '2026-11-02', '--to', '2026-11-03T00:00:00Z')
  assert.equal((await ran).exit, 0)
  const { from, to } = JSON.parse(readFileSync(join(out, 'bundle.json'), 'utf8'))
  assert.deepEqual({ from, to }, { from: 100, to: 200 })
})

test('T69 an edited bundle is exit code 5', async () => {
  const { out, ran } = exported()
  await ran
  const path = join(out, 'tile', 'entries', '000')
  const bytes = readFileSync(path)
  bytes[100] = (bytes[100] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const { exit, out: said } = await desk.run(['ledger', 'verify', '--data', out, '--key', vkey])
  assert.equal(exit, 5)
  assert.match(said, /^leaf_changed/)
})

test('wrong input says what to write instead, and makes nothing', async () => {
  for (const [args, exit, says] of [
    [['--from', 'yesterday'], 2, /neither a leaf nor a time; write 1200 or/],
    [['--from', '2026-13-45'], 2, /neither a leaf nor a time/],
    [['--from', '400'], 2, /has the leaves 0 to 399/],
    [['--from', '7', '--to', '7'], 2, /has the leaves 0 to 399/],
    [['--from', '2027-01-01'], 4, /no leaf lies between/],
  ] as const) {
    const { ran } = exported(...args)
    const { exit: got, err } = await ran
    assert.equal(got, exit, args.join(' '))
    assert.match(err, says)
  }
  const again = await desk.run(['ledger', 'export', '--data', data, '--out', data])
  assert.equal(again.exit, 2)
  assert.match(again.err, /is not empty; name a new folder/)
})

test('a bundle whose description is damaged is not taken for a whole log', async () => {
  const { out, ran } = exported()
  await ran
  writeFileSync(join(out, 'bundle.json'), '{"v":1')
  const { exit, err } = await desk.run(['ledger', 'verify', '--data', out])
  assert.equal(exit, 2)
  assert.match(err, /is no description of a bundle/)
})

test('T69 a bundle shows people the leaves that the log has, each once', async () => {
  const { out, ran } = exported('--from', '100', '--to', '300')
  await ran
  const path = join(out, 'leaves.jsonl')
  const whole = readFileSync(path, 'utf8')
  const lines = whole.trimEnd().split('\n')
  const swapped = [lines[1], lines[0], ...lines.slice(2)].join('\n')
  for (const [text, leaf] of [
    [whole.replace('2026-11-02', '2026-11-03'), 100],
    [whole.replace('"index":120', '"index":120,"intent":"other"'), 120],
    [lines.toSpliced(7, 1).join('\n'), 107],
    [lines.slice(0, -1).join('\n'), 299],
    [`${whole}${lines.at(-1)}\n`, 300],
    [swapped, 100],
    ['no JSON\n', 100],
    [`${'['.repeat(100_000)}\n`, 100],
    ['', 100],
  ] as const) {
    writeFileSync(path, text)
    const { exit, out: said } = await desk.run(['ledger', 'verify', '--data', out, '--key', vkey])
    assert.equal(exit, 5, text.slice(0, 80))
    assert.match(said, new RegExp(`^leaf_shown_differs — leaf ${leaf} is not`))
  }
  writeFileSync(path, whole)
  assert.equal((await desk.run(['ledger', 'verify', '--data', out, '--key', vkey])).exit, 0)
})

test('T69 a description laid into a data directory hides no leaf', async () => {
  const copy = join(folder, 'described')
  cpSync(data, copy, { recursive: true })
  const db = new DatabaseSync(join(copy, 'ledger.sqlite'))
  db.exec("UPDATE leaves SET bytes = x'7b7d' WHERE position = 300")
  db.close()
  const info = { v: 1, origin, size: 400, root: '', from: 0, to: 1 }
  writeFileSync(join(copy, 'bundle.json'), JSON.stringify(info))
  const { exit, err } = await desk.run(['ledger', 'verify', '--data', copy, '--key', vkey])
  assert.equal(exit, 2)
  assert.match(err, /is a data directory and a bundle at once/)
})

test('a pipe in a bundle keeps nobody waiting, and a large file fills no memory', async () => {
  const main = new URL('../main.ts', import.meta.url).pathname
  for (const name of ['checkpoint', 'bundle.json', 'ledger.vkey', 'leaves.jsonl', 'tile/0/000']) {
    const { out, ran } = exported()
    await ran
    const path = join(out, name)
    rmSync(path)
    execFileSync('mkfifo', [path])
    // in a program of its own: what waits for a pipe cannot be stopped from inside
    const verify = [main, 'ledger', 'verify', '--data', out]
    const { status, stderr } = spawnSync(process.execPath, verify, { timeout: 60_000 })
    assert.ok(status, `${name}: ${status} ${stderr}`)
    assert.match(String(stderr), /is no file/)
    rmSync(path)
    writeFileSync(path, '')
    truncateSync(path, 2 ** 31)
    const large = await desk.run(['ledger', 'verify', '--data', out])
    assert.notEqual(large.exit, 0)
    assert.match(large.err, /larger than 2 MiB|exceeds \d+ bytes|has a line of more than/)
    const proof = await desk.run(['ledger', 'verify', '--proof', path, '--key', vkey])
    assert.match(proof.err, /larger than 2 MiB/)
  }
})

test('T55 leaves as people read them move no cursor and turn no text around', async () => {
  const directory = join(folder, 'hostile')
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: { now: () => 0 } })
  await store.appendLeaves([{ kind: 'suspension', data: { said: 'a\u009b31m\u202eb' } }])
  await store.close()
  const out = `${directory}-bundle`
  await desk.run(['ledger', 'export', '--data', directory, '--out', out])
  assert.match(readFileSync(join(out, 'leaves.jsonl'), 'utf8'), /^[\n\x20-\x7e]*$/)
  assert.equal((await desk.run(['ledger', 'verify', '--data', out])).exit, 0)
})
