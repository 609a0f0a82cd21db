import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { openStore } from '@jackstay/ledger/store'
import { Desk } from '../fake-servers.ts'

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const desk = new Desk('http://127.0.0.1:9', 'http://127.0.0.1:9')
const room = mkdtempSync(join(tmpdir(), 'jackstay-custody-'))
after(() => {
  desk.clean()
  rmSync(room, { recursive: true })
})

let made = 0
async function aLog(leaves = 3) {
  const data = join(room, `data-${made++}`)
  const key = await loadOrCreateKey(data, origin)
  const store = await openStore({ directory: data, origin, key, clock: Date })
  const leaf = { kind: 'suspension', data: { a: 1 } } as const
  await store.appendLeaves(Array.from({ length: leaves }, () => leaf))
  const checkpoint = join(room, `checkpoint-${made}`)
  writeFileSync(checkpoint, await store.checkpoint())
  await store.close()
  return { data, vkey: key.vkey, checkpoint }
}

test('a backup verifies on the way, and says what to keep apart', async () => {
  const { data } = await aLog()
  const to = `${data}-copy`
  const { exit, out } = await desk.run(['ledger', 'backup', '--data', data, '--out', to])
  assert.equal(exit, 0)
  assert.match(out, /^copied 3 leaves into .*; the copy verifies\nit holds no key/)
  assert.match(out, new RegExp(`\n  ${origin}\n  3\n`))
  const again = await desk.run(['ledger', 'backup', '--data', data, '--out', to])
  assert.equal(again.exit, 2)
  assert.match(again.err, /is not empty/)
})

test('T69 a backup of a damaged log is exit code 5', async () => {
  const { data } = await aLog()
  const db = new DatabaseSync(join(data, 'ledger.sqlite'))
  db.exec(`UPDATE leaves SET bytes = x'7b7d' WHERE position = 1`)
  db.close()
  const line = ['ledger', 'backup', '--data', data, '--out', `${data}-copy`]
  const { exit, err } = await desk.run(line)
  assert.equal(exit, 5)
  assert.match(err, /does not verify, and so does the ledger: leaf 1/)
})

test('who holds the old key follows a rotation', async () => {
  const { data, vkey, checkpoint } = await aLog()
  const line = ['ledger', 'rotate-key', '--data', data, '--reason', 'yearly']
  const refused = await desk.run(line, 'no')
  assert.equal(refused.exit, 1)
  assert.match(refused.err, /not confirmed/)
  const { exit, out } = await desk.run(line, 'yes')
  assert.equal(exit, 0)
  assert.match(out, /rotated the key of .*; leaf 3 says so/)
  const store = await openStore({
    ...{ directory: data, origin, clock: Date },
    key: await loadOrCreateKey(data, origin),
  })
  await store.appendLeaves([{ kind: 'suspension', data: { later: true } }])
  await store.close()
  const old = await desk.run(['ledger', 'verify', '--data', data, '--key', vkey])
  assert.equal(old.exit, 0, old.err)
  assert.match(old.out, /handed over to jackstay.dev/)
  const known = ['--checkpoint', checkpoint]
  const since = await desk.run(['ledger', 'verify', '--data', data, '--key', vkey, ...known])
  assert.equal(since.exit, 0, since.err)
})

test('a recovery commits to what was kept, and the new log verifies', async () => {
  const { data, checkpoint, vkey } = await aLog()
  const db = new DatabaseSync(join(data, 'ledger.sqlite'))
  db.exec('DELETE FROM leaves WHERE position = 2')
  db.close()
  const to = `${data}-next`
  const line = ['ledger', 'recover', '--data', data, '--out', to, '--reason', 'a lost disk']
  const { exit, out, err } = await desk.run([...line, '--checkpoint', checkpoint, '--yes'])
  assert.equal(exit, 0, err)
  assert.match(out, /^begun .*\/2 in /)
  assert.match(out, /commits to 3 leaves of/)
  assert.match(out, /found: entries_missing \(leaf 0\)/)
  assert.equal((await desk.run(['ledger', 'verify', '--data', to])).exit, 0)
  const old = await desk.run(['ledger', 'verify', '--data', to, '--key', vkey])
  assert.equal(old.exit, 0, old.err)
  assert.match(old.out, /handed over to .*\/2\+/)
  const bundle = `${data}-bundle`
  await desk.run(['ledger', 'export', '--data', to, '--out', bundle])
  assert.match(readFileSync(join(bundle, 'leaves.jsonl'), 'utf8'), /"reason":"a lost disk"/)
})

test('a copy that is recovered a second time is refused, by what an anchor keeps (T69)', async () => {
  const { data } = await aLog()
  const copy = `${data}-other`
  const backup = ['ledger', 'backup', '--data', data, '--out', copy, '--with-key']
  assert.equal((await desk.run(backup)).exit, 0)
  const policy = join(room, 'policy.yaml')
  writeFileSync(policy, 'anchors: [{ name: disk, file: kept.jsonl }]')
  const recover = (from: string, ...more: string[]) => {
    const line = ['ledger', 'recover', '--data', from, '--out', `${from}-next`, '--even-if-sound']
    return desk.run([...line, '--reason', 'a drill', '--yes', ...more])
  }
  const first = await recover(data, '--policy', policy)
  assert.equal(first.exit, 0, first.err)
  assert.match(first.out, /\nthe anchor disk keeps its first checkpoint\n/)
  const second = await recover(copy, '--policy', policy)
  assert.equal(second.exit, 5)
  assert.match(second.err, /`disk` keeps a checkpoint of `.*\/2`, which has followed it/)
  assert.equal(existsSync(`${copy}-next`), false)
  const unasked = await recover(copy)
  assert.equal(unasked.exit, 0, unasked.err)
  assert.match(unasked.out, /no anchor was asked \(--policy\)/)
})

test('a copy without its key is no bug of ours', async () => {
  const { data } = await aLog()
  const copy = `${data}-keyless`
  assert.equal((await desk.run(['ledger', 'backup', '--data', data, '--out', copy])).exit, 0)
  const line = ['ledger', 'rotate-key', '--data', copy, '--reason', 'x', '--yes']
  const { exit, err } = await desk.run(line)
  assert.equal(exit, 4)
  assert.match(err, /`.*ledger\.key` is not there: correct the path \(ENOENT\) \[unusable_file\]/)
})

test('nothing is begun or replaced without need, a reason and a yes', async () => {
  const { data } = await aLog()
  const to = `${data}-next`
  const recover = ['ledger', 'recover', '--data', data, '--out', to]
  for (const [line, exit, says] of [
    [[...recover, '--reason', 'x', '--yes'], 2, /there is nothing to recover from/],
    [[...recover, '--reason', 'x'], 2, /nobody can be asked here; to go on pass --yes/],
    [[...recover, '--reason', ' ', '--yes'], 2, /is invalid: write some words/],
    [[...recover, '--yes'], 2, /required option/],
    [['ledger', 'rotate-key', '--data', data, '--reason', 'x'], 2, /nobody can be asked/],
    [['ledger', 'rotate-key', '--data', join(room, 'none'), '--reason', 'x'], 4, /no folder/],
    [['ledger', 'rotate-key', '--data', room, '--reason', 'x', '--yes'], 2, /no data directory/],
    [['ledger', 'backup', '--data', room, '--out', to], 2, /no data directory/],
  ] as const) {
    const { exit: got, err } = await desk.run(line)
    assert.equal(got, exit, `${line.join(' ')}: ${err}`)
    assert.match(err, says)
  }
  assert.equal(existsSync(to), false)
})
