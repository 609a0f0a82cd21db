import assert from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { signCheckpoint } from '@jackstay/ledger/checkpoint'
import { cosignerFromSkey, formatCosignerSkey } from '@jackstay/ledger/cosignature'
import type { LedgerKey } from '@jackstay/ledger/key'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { tilesOfSize } from '@jackstay/ledger/log-tiles'
import { verifierFromVkey } from '@jackstay/ledger/note'
import { parseProof } from '@jackstay/ledger/proof'
import { directoryReader } from '@jackstay/ledger/reader'
import { storeReader } from '@jackstay/ledger/sqlite-reader'
import { openStore } from '@jackstay/ledger/store'
import { decodeBundle, encodeBundle } from '@jackstay/ledger/tiles'
import { frontierFrom, rootOf } from '@jackstay/ledger/tree'
import { witnessFile } from '@jackstay/ledger/witness-file'
import { witnessHandler } from '@jackstay/ledger/witness-handler'
import { Desk, startFake, status, tokenRoute } from '../fake-servers.ts'
import { story, verified } from '../story-builder.ts'

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const intent = '019a0000-0000-7000-8000-000000000001'
const folder = mkdtempSync(join(tmpdir(), 'jackstay-witness-cli-'))
const data = join(folder, 'data')
const policy = join(folder, 'ledger.yaml')
const desk = new Desk('http://127.0.0.1:9', 'http://127.0.0.1:9')
const cosigner = cosignerFromSkey(formatCosignerSkey('w.example', Buffer.alloc(32, 6)))
const clock = { now: () => Date.parse('2026-11-02T00:00:00Z') }
let server: Server
let key: LedgerKey

const run = (...line: string[]) => desk.run(['ledger', ...line])

async function grow(count: number, note = 'honest'): Promise<void> {
  const store = await openStore({ directory: data, origin, key, clock })
  const leaf = { kind: 'suspension', data: { note, time: '2026-11-01T00:00:00Z' } } as const
  await store.appendLeaves(Array.from({ length: count }, () => leaf))
  await store.close()
}

before(async () => {
  key = await loadOrCreateKey(data, origin)
  await grow(3)
  const store = await openStore({ directory: data, origin, key, clock })
  await store.append({
    intentId: intent,
    expectedSeq: 0,
    events: [{ type: 'ended', at: '2026-11-02T00:00:00Z', data: {} }],
    leaves: [
      { kind: 'decision', data: { time: '2026-11-02T00:00:00Z' } },
      { kind: 'outcome', data: { time: '2026-11-02T00:00:00Z' } },
    ],
    phase: 'refused',
    terminal: true,
  })
  await store.close()
  const logs = new Map([[origin, [verifierFromVkey(key.vkey)]]])
  const state = await witnessFile(join(folder, 'witness'))
  const handle = witnessHandler({ cosigner, logs, state, clock })
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const answer = await handle(new Request(`http://w${request.url}`, { method: 'POST', body }))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const address = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'w.policy'), `witness w ${cosigner.vkey} ${address}\nquorum w\n`)
  writeFileSync(policy, 'witnesses: { policy: w.policy, required: true }\n')
})
after(() => {
  server.close()
  desk.clean()
  rmSync(folder, { recursive: true })
})

test('T69 status sees newest leaves that are empty or cut', async () => {
  const out = join(folder, 'cut')
  assert.equal((await run('export', '--data', data, '--out', out)).exit, 0)
  for (const bytes of [Buffer.of(), Buffer.of(0xff)]) {
    writeFileSync(join(out, 'tile', 'entries', '000.p', '5'), bytes)
    const { exit, out: said } = await run('status', '--data', out)
    assert.equal(exit, 5)
    assert.match(said, /tail +damaged — .*the leaves 0 to 4 are not what is stored for them/)
  }
})

test('status shows tail, anchors and witnesses, and says Unanchored', async () => {
  const { exit, out } = await run('status', '--data', data, '--policy', policy)
  assert.equal(exit, 0)
  assert.match(out, /size +5 leaves\n/)
  assert.match(out, /newest +2026-11-02T00:00:00Z \(/)
  assert.match(out, /tail +intact — /)
  assert.match(out, /anchors +Unanchored — no place outside is configured/)
  assert.match(out, /witnesses +no quorum — no checkpoint was ever cosigned/)
  const json = await desk.run(['-o', 'json', 'ledger', 'status', '--data', data])
  assert.equal(JSON.parse(json.out).anchored.ok, false)
  const named = join(folder, 'named.yaml')
  writeFileSync(named, `anchors: [{ name: disk, file: ${join(folder, 'kept.jsonl')} }]\n`)
  const never = await run('status', '--data', data, '--policy', named)
  assert.match(never.out, /anchors +Unanchored — `disk` never took one\n +disk: nothing yet/)
})

test('no evidence leaves before the witnesses that the policy demands', async () => {
  const out = join(folder, 'early')
  for (const line of [
    ['prove', intent, '--data', data, '--out', out, '--policy', policy],
    ['export', '--data', data, '--out', out, '--policy', policy],
    ['verify', '--data', data, '--policy', policy],
  ]) {
    const { exit, err } = await run(...line)
    assert.equal(exit, 5, line[0])
    assert.match(err, /no evidence without its witnesses: not cosigned by `w`.*\[quorum_missing\]/)
  }
  assert.throws(() => readdirSync(out), { code: 'ENOENT' })
})

test('witness collects and keeps cosignatures; evidence then rests on them', async () => {
  const kept = join(folder, 'kept')
  const asked = await run('witness', '--data', data, '--policy', policy, '--out', kept)
  assert.equal(asked.exit, 0, asked.err)
  assert.match(asked.out, /w: cosigned\nquorum — cosigned by `w`\n/)
  assert.match(readFileSync(kept, 'utf8'), /^— w\.example /m)
  await grow(1) // newer than what is cosigned
  const state = await run('status', '--data', data, '--policy', policy)
  assert.match(state.out, /witnesses +quorum — cosigned by `w`, at 5 leaves\n +w: 2026-11-02T/)
  const verified = await run('verify', '--data', data, '--key', key.vkey, '--policy', policy)
  assert.equal(verified.exit, 0, verified.err)
  assert.match(verified.out, /cosigned by `w`, at 5 leaves\n$/)
  const asJson = await run('verify', '--data', data, '--policy', policy, '-o', 'json')
  assert.deepEqual(JSON.parse(asJson.out).witnessed, { reason: 'cosigned by `w`', size: 5 })
  const out = join(folder, 'bundle')
  const exported = await run(
    'export',
    '--data',
    data,
    '--out',
    out,
    '--to',
    '5',
    '--policy',
    policy,
  )
  assert.equal(exported.exit, 0, exported.err)
  assert.match(readFileSync(join(out, 'checkpoint'), 'utf8'), /\n5\n.*— w\.example /s)
  const whole = join(folder, 'whole')
  assert.equal((await run('export', '--data', data, '--out', whole)).exit, 0)
  copyFileSync(kept, join(whole, 'witnessed'))
  const uncovered = await run('verify', '--data', whole, '--key', key.vkey, '--policy', policy)
  assert.equal(uncovered.exit, 5, 'T69 the last leaf of the bundle is under no cosignature')
  assert.match(uncovered.err, /not cosigned by `w`/)
  const late = await run('prove', '5', '--data', data, '--out', out, '--policy', policy)
  assert.equal(late.exit, 5, 'leaf 5 came after the cosignature')
})

test('prove writes a file for each leaf of an intent, which verifies alone', async () => {
  const out = join(folder, 'proofs')
  const proved = await run('prove', intent, '--data', data, '--out', out, '--policy', policy)
  assert.equal(proved.exit, 0, proved.err)
  assert.deepEqual(readdirSync(out).toSorted(), ['3.tlog-proof', '4.tlog-proof'])
  assert.match(proved.out, /proved leaf 3 \(decision\) in /)
  const file = join(out, '4.tlog-proof')
  const good = await run('verify', '--proof', file, '--key', key.vkey, '--policy', policy)
  assert.equal(good.exit, 0, good.err)
  assert.match(good.out, /^ok — leaf 4 of 5 in jackstay\.dev/)
  assert.match(good.out, new RegExp(`kind +outcome\\nintent +${intent}`))
  const byIndex = await run('prove', '0', '--data', data, '--out', out)
  assert.equal(byIndex.exit, 0, byIndex.err)
})

test('T69 an edited proof, another key, or a missing cosignature is exit code 5', async () => {
  const out = join(folder, 'edited')
  await run('prove', '4', '--data', data, '--out', out)
  const file = join(out, '4.tlog-proof')
  const text = readFileSync(file, 'utf8')
  const leaf = Buffer.from(parseProof(text)?.extra ?? '').toString()
  const other = Buffer.from(leaf.replace('outcome', 'oUtcome')).toString('base64')
  writeFileSync(file, text.replace(/^extra .*$/m, `extra ${other}`))
  const edited = await run('verify', '--proof', file, '--key', key.vkey)
  assert.equal(edited.exit, 5)
  assert.match(edited.err, /the proof does not hold: the leaf is not number 4/)
  writeFileSync(file, text.replace(/^— w\.example .*\n/m, ''))
  const alone = await run('verify', '--proof', file, '--key', key.vkey, '--policy', policy)
  assert.match(alone.err, /not cosigned by `w`/)
  assert.equal((await run('verify', '--proof', file, '--key', key.vkey)).exit, 0)
  assert.equal((await run('verify', '--proof', file, '--key', cosigner.vkey)).exit, 2)
  assert.equal((await run('verify', '--proof', file)).exit, 2)
})

test('what is not there and what was mistyped', async () => {
  const missing = await run('prove', intent.replace(/1$/, '2'), '--data', data, '--out', folder)
  assert.equal(missing.exit, 4)
  assert.equal((await run('prove', '999', '--data', data, '--out', folder)).exit, 4)
  assert.equal((await run('prove', 'web', '--data', data)).exit, 2)
  const leaf = await run('prove', 'leaf/0', '--data', data, '--out', join(folder, 'one'))
  assert.match(leaf.out, /^proved leaf 0 /)
  assert.equal((await run('witness', '--data', data)).exit, 2)
})

test('T79 a mediator that names leaves of another intent proves nothing with them', async () => {
  const [api, mediator] = [await startFake(), await startFake()]
  const far = new Desk(api.origin, mediator.origin)
  const read = directoryReader(join(folder, 'bundle'))
  const view = story(verified)
  const events = view.events.map((event) => ({ ...event, leafIndexes: [0] }))
  try {
    api.routes = tokenRoute
    mediator.routes = {
      'GET /ledger/checkpoint': { status: 200, body: (await read.checkpoint()) ?? '' },
      'GET /ledger/tile/0/000.p/5': { status: 200, body: await read.tile(0, 0, 5) },
      'GET /ledger/tile/entries/000.p/5': { status: 200, body: await read.tile('entries', 0, 5) },
      [`GET /v1/intents/${intent}`]: { status: 200, body: { ...view, events } },
      'GET /ledger/witnessed': { status: 404, body: { error: { code: 'not_found', message: '' } } },
      'GET /ledger/status': { status: 404, body: { error: { code: 'not_found', message: '' } } },
    }
    const lied = await far.run(['ledger', 'prove', intent, '--key', key.vkey, '--out', folder])
    assert.equal(lied.exit, 5, lied.err)
    assert.match(lied.err, /leaf 0 was named as one of .* and is not: nothing is proved with it/)
  } finally {
    far.clean()
    await Promise.all([api.stop(), mediator.stop()])
  }
})

test('T79 a mediator that shows another log than the one its witnesses saw is found out', async () => {
  const [api, mediator] = [await startFake(), await startFake()]
  const far = new Desk(api.origin, mediator.origin)
  const directory = join(folder, 'fork')
  const store = await openStore({ directory, origin, key, clock })
  await store.appendLeaves(
    Array.from({ length: 5 }, () => ({ kind: 'suspension', data: 'forged' })),
  )
  await store.close()
  const [fork, seen] = [storeReader(directory), directoryReader(join(folder, 'bundle'))]
  const bytes = async (level: number | 'entries') => [
    await fork.tile(level, 0, 5),
    await seen.tile(level, 0, 5),
  ]
  const notes = [await fork.checkpoint(), await seen.checkpoint()]
  const [hashes, entries] = [await bytes(0), await bytes('entries')]
  fork.close()
  // first the fork, to be verified, then the log that was cosigned
  let asked = 0
  const now = (both: readonly unknown[]) => () => ({ status: 200, body: both[asked > 1 ? 1 : 0] })
  try {
    api.routes = tokenRoute
    mediator.routes = {
      'GET /ledger/checkpoint': () => ({ status: 200, body: notes[asked++ > 0 ? 1 : 0] }),
      'GET /ledger/witnessed': { status: 200, body: notes[1] },
      'GET /ledger/tile/0/000.p/5': now(hashes),
      'GET /ledger/tile/entries/000.p/5': now(entries),
    }
    const line = ['ledger', 'verify', '--key', key.vkey, '--policy', policy]
    const { exit, out, err } = await far.run(line)
    assert.equal(exit, 5, out)
    assert.match(err, /the first 5 leaves are not those of the checkpoint that was kept/)
  } finally {
    far.clean()
    await Promise.all([api.stop(), mediator.stop()])
  }
})

test('a log that grew and was cosigned while it was verified is no other log', async () => {
  const [api, mediator] = [await startFake(), await startFake()]
  const far = new Desk(api.origin, mediator.origin)
  const read = directoryReader(join(folder, 'bundle'))
  const [hashes, entries] = [await read.tile(0, 0, 5), await read.tile('entries', 0, 5)]
  const root = rootOf(await frontierFrom(3, tilesOfSize(read, 5)))
  const three = decodeBundle(entries ?? Buffer.of())?.slice(0, 3) ?? []
  try {
    api.routes = tokenRoute
    mediator.routes = {
      'GET /ledger/checkpoint': {
        status: 200,
        body: signCheckpoint({ origin, size: 3, root }, [key]),
      },
      'GET /ledger/witnessed': { status: 200, body: await read.checkpoint() },
      'GET /ledger/tile/0/000.p/3': { status: 200, body: hashes?.subarray(0, 96) },
      'GET /ledger/tile/0/000.p/5': { status: 200, body: hashes },
      'GET /ledger/tile/entries/000.p/3': { status: 200, body: encodeBundle(three) },
    }
    const line = ['ledger', 'verify', '--key', key.vkey, '--policy', policy]
    const { exit, out, err } = await far.run(line)
    assert.equal(exit, 0, err)
    assert.match(out, /size +3 leaves.*cosigned by `w`, at 5 leaves/s)
  } finally {
    far.clean()
    await Promise.all([api.stop(), mediator.stop()])
  }
})

test('the mediator is asked where no folder is given, and its demand is kept', async () => {
  const [api, mediator] = [await startFake(), await startFake()]
  const far = new Desk(api.origin, mediator.origin)
  try {
    api.routes = tokenRoute
    const local = await desk.run([
      '-o',
      'json',
      'ledger',
      'status',
      '--data',
      data,
      '--policy',
      policy,
    ])
    mediator.routes = {
      'GET /ledger/vkey': { status: 200, body: `${key.vkey}\n` },
      'GET /ledger/checkpoint': { status: 200, body: readFileSync(join(folder, 'kept'), 'utf8') },
      'GET /ledger/status': { status: 200, body: JSON.parse(local.out) },
      'GET /ledger/witnessed': status(404, 'NotFound', 'none'),
    }
    const shown = await far.run(['ledger', 'status'])
    assert.match(shown.out, /size +6 leaves/, shown.err)
    mediator.routes = {
      ...mediator.routes,
      'GET /ledger/witnessed': {
        status: 404,
        body: { error: { code: 'not_found', message: 'none' } },
      },
    }
    const refused = await far.run(['ledger', 'prove', '0', '--out', folder])
    assert.equal(refused.exit, 5)
    assert.match(refused.err, /the mediator demands one; give the same policy with --policy/)
    // a list of one's own that demands nothing does not lift the demand
    const lax = join(folder, 'lax.yaml')
    writeFileSync(lax, 'witnesses: { policy: w.policy }\n')
    const [alone = ''] = readFileSync(join(folder, 'kept'), 'utf8').split('— w.example')
    mediator.routes = { ...mediator.routes, 'GET /ledger/checkpoint': { status: 200, body: alone } }
    const own = await far.run(['ledger', 'prove', '0', '--out', folder, '--policy', lax])
    assert.equal(own.exit, 5)
    assert.match(own.err, /no evidence without its witnesses: not cosigned by `w`/)
    // words of a newer mediator may be that demand
    mediator.routes = {
      ...mediator.routes,
      'GET /ledger/status': { status: 200, body: { ...JSON.parse(local.out), demand: 'more' } },
    }
    const newer = await far.run(['ledger', 'prove', '0', '--out', folder])
    assert.equal(newer.exit, 3)
    assert.match(newer.err, /a form this version does not know; use a `jackstay` of the mediator's/)
  } finally {
    far.clean()
    await Promise.all([api.stop(), mediator.stop()])
  }
})

test('T69 a witness that has seen another log is named, and the exit code is 5', async () => {
  const secret = readFileSync(join(data, 'ledger.key'))
  rmSync(data, { recursive: true })
  mkdirSync(data)
  writeFileSync(join(data, 'ledger.key'), secret, { mode: 0o600 })
  await grow(9, 'forged')
  const { exit, out, err } = await run('witness', '--data', data, '--policy', policy)
  assert.equal(exit, 5)
  assert.match(out, /w: has seen another log — this log does not extend what it saw/)
  assert.match(err, /the witness `w` has seen another log.*\[witness_contradicts\]/)
})
