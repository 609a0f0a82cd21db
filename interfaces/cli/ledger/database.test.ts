import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { startPostgres } from '@jackstay/ledger/postgres-server'
import { openStore } from '@jackstay/ledger/store'
import { Desk } from '../fake-servers.ts'

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const secret = 'hunter2-the-secret'
const desk = new Desk('http://127.0.0.1:9', 'http://127.0.0.1:9')
const server = await startPostgres()
const room = await mkdtemp(join(tmpdir(), 'jackstay-database-'))
after(async () => {
  desk.clean()
  await server[Symbol.asyncDispose]()
  await rm(room, { recursive: true })
})

const urlFile = join(room, 'url')
await writeFile(urlFile, server.url, { mode: 0o600 })
const retention = join(room, 'retention.yaml')
const classes = ['refusal', 'decision', 'approval', 'dispatch', 'outcome', 'suspension']
const custody = ['redaction', 'hold', 'prune', 'recovery', 'rotation']
const keep = [...classes, ...custody].map((name) => `  ${name}: 90d\n`)
await writeFile(retention, `version: 1\nkeep:\n${keep.join('')}`)

/** A year-old log of `count` refused intents, the first of which says the secret. */
async function aLog(schema: string, count: number): Promise<string> {
  const data = join(room, schema)
  const key = await loadOrCreateKey(data, origin)
  const store = await openStore({ url: server.url, schema, origin, key })
  const at = new Date(Date.now() - 365 * 24 * 3600_000).toISOString()
  const said = (i: number) => ({ summary: i === 0 ? secret : 'nothing' })
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      store.append({
        ...{ intentId: `i${i}`, expectedSeq: 0, phase: 'refused', terminal: true },
        events: [{ type: 'authenticated', at, data: { reasoning: said(i) } }],
        leaves: [
          {
            kind: 'decision',
            data: { time: at, data: { outcome: 'refused/denied' } },
            sealed: { reasoning: said(i) },
          },
        ],
        index: { agent: 'shop/a', namespace: 'shop' },
      }),
    ),
  )
  await store.close()
  return data
}

const line = (schema: string, data: string, ...words: string[]) => [
  ...['ledger', ...words, '--data', data],
  ...['--ledger-url-file', urlFile, '--ledger-schema', schema],
]
const why = ['--reason', 'asked for by mail', '--by', 'alice', '--yes']

test('T72 a ledger in PostgreSQL is redacted and held by the same commands, while others write', async () => {
  const data = await aLog('redacted', 2)
  const said = async () => {
    const { n } = (
      await server.query(
        `SELECT count(*)::int AS n FROM redacted.events WHERE data LIKE '%${secret}%'`,
      )
    )[0] ?? { n: -1 }
    return n
  }
  assert.equal(await said(), 1)
  const hold = line('redacted', data, 'hold', 'add', 'case-7', '--intent', 'i0')
  assert.equal((await desk.run([...hold, ...why])).exit, 0)
  const listed = await desk.run(line('redacted', data, 'hold', 'list'))
  assert.match(listed.out, /case-7 +intent i0/)
  const redact = [...line('redacted', data, 'redact', 'i0'), ...why]
  const kept = await desk.run(redact)
  assert.equal(kept.exit, 1)
  assert.match(kept.err, /case-7.*\[retained\]/)
  assert.equal(await said(), 1)
  const lift = line('redacted', data, 'hold', 'lift', 'case-7')
  assert.equal((await desk.run([...lift, ...why])).exit, 0)
  const done = await desk.run(redact)
  assert.equal(done.exit, 0, done.err)
  assert.match(done.out, /erased from i0; leaf 4 says so/)
  assert.equal(await said(), 0)
})

test('T72 a ledger in PostgreSQL is pruned by the same command, which says first what would go', async () => {
  const data = await aLog('pruned', 300)
  const prune = line('pruned', data, 'prune', '--policy', retention)
  const dry = await desk.run([...prune, ...why, '--dry-run'])
  assert.equal(dry.exit, 0, dry.err)
  assert.match(dry.out, /leaves 0 to 255 of 300 may go/)
  const done = await desk.run([...prune, ...why])
  assert.equal(done.exit, 0, done.err)
  assert.match(done.out, /pruned leaves 0 to 255; leaf 300 says so/)
  const again = await desk.run([...prune, ...why])
  assert.equal(again.exit, 0, again.err)
  assert.match(again.out, /nothing of 301 leaves may go/)
})

test('a file with the URL that others may read is refused, and the URL is never shown', async () => {
  const data = await aLog('refused', 1)
  const open = join(room, 'open')
  await writeFile(open, 'postgresql://a:hunter2@localhost/b', { mode: 0o644 })
  const words = ['ledger', 'redact', 'i0', '--data', data, '--ledger-url-file', open, ...why]
  const { exit, err } = await desk.run(words)
  assert.notEqual(exit, 0)
  assert.match(err, /open to everybody/)
  assert.ok(!err.includes('hunter2'))
})

test('T72 a ledger in PostgreSQL gets another key, and another log in another schema, by the same commands', async () => {
  const data = await aLog('custody', 2)
  const rotated = await desk.run([...line('custody', data, 'rotate-key'), ...why])
  assert.equal(rotated.exit, 0, rotated.err)
  assert.match(rotated.out, /rotated the key of .*; leaf 2 says so/)
  const recover = [...line('custody', data, 'recover'), ...why]
  const out = join(room, 'custody-2')
  const nowhere = await desk.run([...recover, '--out', out])
  assert.equal(nowhere.exit, 2)
  assert.match(nowhere.err, /name the schema of the new log with --out-schema/)
  const to = ['--out', out, '--out-schema', 'custody_2']
  const sound = await desk.run([...recover, ...to])
  assert.equal(sound.exit, 2)
  assert.match(sound.err, /nothing to recover from/)
  await server.query('DELETE FROM custody.leaves WHERE position = 1')
  const done = await desk.run([...recover, ...to])
  assert.equal(done.exit, 0, done.err)
  assert.match(done.out, /its first leaf commits to 3 leaves of/)
  assert.match(done.out, /--ledger-url-file \S+ --ledger-schema custody_2/)
  const late = await desk.run([...line('custody', data, 'rotate-key'), ...why])
  assert.match(late.err, /was given up/)
})
