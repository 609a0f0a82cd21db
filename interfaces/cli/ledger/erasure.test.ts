import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { openStore } from '@jackstay/ledger/store'
import { Desk } from '../fake-servers.ts'

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const desk = new Desk('http://127.0.0.1:9', 'http://127.0.0.1:9')
const room = mkdtempSync(join(tmpdir(), 'jackstay-erasure-'))
after(() => {
  desk.clean()
  rmSync(room, { recursive: true })
})

const secret = 'hunter2-the-secret'
const policy = join(room, 'retention.yaml')
const classes = ['refusal', 'decision', 'approval', 'dispatch', 'outcome', 'suspension']
const custody = ['redaction', 'hold', 'prune', 'recovery', 'rotation']
writeFileSync(
  policy,
  `version: 1\nkeep:\n${[...classes, ...custody].map((name) => `  ${name}: 90d\n`).join('')}`,
)

let made = 0
const openLog = async (data: string) =>
  openStore({ directory: data, origin, key: await loadOrCreateKey(data, origin), clock: Date })

/** Intents that were refused a year ago; the first one says the secret. */
async function aLog(count = 1): Promise<string> {
  const data = join(room, `data-${made++}`)
  const store = await openLog(data)
  const at = new Date(Date.now() - 365 * 24 * 3600_000).toISOString()
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const summary = i === 0 ? secret : 'nothing'
      return store.append({
        ...{ intentId: `i${i}`, expectedSeq: 0, phase: 'refused', terminal: true },
        events: [{ type: 'authenticated', at, data: { reasoning: { summary } } }],
        leaves: [
          {
            kind: 'decision',
            data: { time: at, data: { outcome: 'refused/denied' } },
            sealed: { reasoning: { summary }, params: { replicas: 1 } },
          },
        ],
        index: { agent: 'shop/a', namespace: 'shop' },
      })
    }),
  )
  await store.close()
  return data
}

const holds = (data: string) =>
  readdirSync(data).some((name) => readFileSync(join(data, name)).includes(secret))

/** A line with what every deed needs. */
const deed = (data: string, ...line: string[]) => [
  'ledger',
  ...line,
  ...['--data', data, '--reason', 'asked for by mail', '--by', 'alice'],
]

test('T72 redact asks, erases, says what else there is, and is done once', async () => {
  const data = await aLog()
  const line = deed(data, 'redact', 'i0', '--name', 'reasoning')
  const refused = await desk.run(line, 'no')
  assert.equal(refused.exit, 1)
  assert.match(refused.out, /Erase reasoning of i0 for good\?/)
  assert.ok(holds(data))
  const { exit, out } = await desk.run(line, 'yes')
  assert.equal(exit, 0)
  assert.match(out, /erased from i0; leaf 1 says so\nleaf 0 {2}reasoning {2}sha256:[0-9a-f]{64}\n/)
  assert.match(out, /copies elsewhere stay: backups/)
  assert.ok(!holds(data))
  const again = await desk.run([...line, '--yes'])
  assert.equal(again.exit, 0)
  assert.match(again.out, /nothing of i0 was left/)
  const json = await desk.run([...deed(data, 'redact', 'leaf/0'), '--yes', '-o', 'json'])
  assert.deepEqual(
    JSON.parse(json.out).values.map(({ name }: { name: string }) => name),
    ['params'],
  )
  assert.equal((await desk.run(['ledger', 'verify', '--data', data])).exit, 0)
})

test('a hold keeps from erasing and pruning until it is lifted', async () => {
  const data = await aLog(300)
  const hold = deed(data, 'hold', 'add', 'case-7', '--namespace', 'shop')
  assert.match((await desk.run(hold)).out, /^held by case-7: namespace shop is neither/)
  const listed = await desk.run(['ledger', 'hold', 'list', '--data', data])
  assert.match(listed.out, /case-7 +namespace shop +\S+ +alice +300 +asked for by mail/)
  const redact = await desk.run([...deed(data, 'redact', 'i0'), '--yes'])
  assert.equal(redact.exit, 1)
  assert.match(redact.err, /legal hold `case-7` covers it .* \[retained\]/)
  const prune = await desk.run([...deed(data, 'prune', '--policy', policy), '--yes'])
  assert.equal(prune.exit, 1)
  assert.match(prune.err, /leaf 0 \(decision\) has to stay: under the legal hold `case-7`/)
  assert.match(
    (await desk.run(deed(data, 'hold', 'lift', 'case-7'), 'yes')).out,
    /^.*lifted case-7/,
  )
  const none = await desk.run(['ledger', 'hold', 'list', '--data', data, '-o', 'json'])
  assert.deepEqual(JSON.parse(none.out), { holds: [] })
})

test('prune shows first what it would do, and the log says it afterwards', async () => {
  const data = await aLog(300)
  const line = deed(data, 'prune', '--policy', policy)
  const store = await openLog(data)
  const look = await desk.run([...line, '--dry-run'])
  assert.equal(look.exit, 0, 'also while the mediator runs')
  assert.match(look.out, /^leaves 0 to 255 of 300 may go\nwhat follows is less than a bundle/)
  const busy = await desk.run([...line, '--yes'])
  assert.equal(busy.exit, 3)
  assert.match(busy.err, /a mediator writes to .*: stop it, run this again, start it again/)
  await store.close()
  const { exit, out } = await desk.run(line, 'yes')
  assert.equal(exit, 0)
  assert.match(out, /pruned leaves 0 to 255; leaf 300 says so/)
  assert.ok(!holds(data))
  const verified = await desk.run(['ledger', 'verify', '--data', data])
  assert.equal(verified.exit, 0)
  assert.match(verified.out, /leaves 0 to 255 were pruned: leaf 300, alice: asked for by mail/)
  const json = await desk.run(['ledger', 'verify', '--data', data, '-o', 'json'])
  assert.equal(JSON.parse(json.out).minimum, 256)
  const status = await desk.run(['ledger', 'status', '--data', data, '-o', 'json'])
  assert.deepEqual([status.exit, JSON.parse(status.out).tail.ok], [0, true], status.err)
  const copied = await desk.run(['ledger', 'backup', '--data', data, '--out', `${data}-copy`])
  assert.equal(copied.exit, 0, copied.err)
  const bundle = join(room, 'bundle')
  const exported = await desk.run(['ledger', 'export', '--data', data, '--out', bundle])
  assert.equal(exported.exit, 0, exported.err)
  assert.match(exported.out, /exported leaves 256 to 300 of 301/)
  assert.equal((await desk.run(['ledger', 'verify', '--data', bundle])).exit, 0)
  const since = ['--from', '2020-01-01', '--out', `${bundle}-2`]
  assert.equal((await desk.run(['ledger', 'export', '--data', data, ...since])).exit, 0)
  const gone = ['--from', '0', '--out', `${bundle}-3`]
  const refused = await desk.run(['ledger', 'export', '--data', data, ...gone])
  assert.equal(refused.exit, 2)
  assert.match(refused.err, /leaves below 256 were pruned/)
})

test('a bundle hands out values with the salts that prove them, and a changed one is found', async () => {
  const data = await aLog(2)
  const out = `${data}-bundle`
  const line = ['ledger', 'export', '--data', data, '--out', out, '--with-values']
  assert.equal((await desk.run(line)).exit, 0)
  const path = join(out, 'leaves.jsonl')
  assert.match(readFileSync(path, 'utf8'), /hunter2-the-secret/)
  const checked = await desk.run(['ledger', 'verify', '--data', out])
  assert.equal(checked.exit, 0, checked.err)
  assert.match(checked.out, /values +4 are the ones that the leaves commit to/)
  writeFileSync(path, readFileSync(path, 'utf8').replace('hunter2', 'hunter3'))
  const changed = await desk.run(['ledger', 'verify', '--data', out])
  assert.equal(changed.exit, 5)
  assert.match(changed.err, /leaf 0 did not commit to this `reasoning`.*\[value_differs\]/)
  await desk.run([...deed(data, 'redact', 'i0'), '--yes'])
  const after = ['ledger', 'export', '--data', data, '--out', `${out}-2`, '--with-values']
  assert.equal((await desk.run(after)).exit, 0)
  assert.doesNotMatch(readFileSync(join(`${out}-2`, 'leaves.jsonl'), 'utf8'), /hunter2/)
  const noData = ['ledger', 'export', '--data', out, '--out', `${out}-3`, '--with-values']
  const refused = await desk.run(noData)
  assert.equal(refused.exit, 2)
  assert.match(refused.err, /name the data directory with --data/)
})

test('what is wrong is said before anything is written', async () => {
  const data = await aLog()
  const broken = join(room, 'broken.yaml')
  writeFileSync(broken, 'version: 1\nkeep: {refusals: 90d}\n')
  const refused = [
    [deed(data, 'redact', 'i0'), 2, /nobody can be asked here; to go on pass --yes/],
    [[...deed(data, 'redact', 'i9'), '--yes'], 4, /there is no intent `i9`/],
    [[...deed(data, 'redact', 'i0', '--name', 'secrets'), '--yes'], 2, /`secrets` is invalid/],
    [deed(data, 'hold', 'add', 'x'), 2, /a hold covers one thing/],
    [deed(data, 'hold', 'add', 'x', '--leaf', '1', '--everything'), 2, /a hold covers one thing/],
    [deed(data, 'hold', 'add', 'x', '--intent', 'i9'), 4, /nothing is held: .* intent `i9`/],
    [deed(data, 'hold', 'add', 'x', '--leaf', '99'), 4, /nothing is held: .* leaf 99 /],
    [deed(data, 'hold', 'add', 'x', '--agent', 'a'), 2, /write it as `namespace\/serviceaccount`/],
    [deed(data, 'hold', 'add', 'X y', '--everything'), 2, /`id`: must be lower-case/],
    [[...deed(data, 'hold', 'lift', 'none'), '--yes'], 4, /there is no hold `none`/],
    [
      [...deed(data, 'prune', '--policy', broken), '--yes'],
      2,
      /retention policy is wrong: there is no setting `keep.refusals`/,
    ],
    [[...deed(data, 'prune', '--policy', join(room, 'none')), '--yes'], 4, /cannot be read/],
    [deed(room, 'prune', '--policy', policy), 2, /is no data directory/],
    [['ledger', 'redact', 'i0', '--data', data, '--yes'], 2, /required option/],
  ] as const
  for (const [line, exit, says] of refused) {
    const { exit: got, err } = await desk.run(line)
    assert.equal(got, exit, `${line.join(' ')}: ${err}`)
    assert.match(err, says)
  }
  assert.ok(holds(data))
  const none = await desk.run(['ledger', 'hold', 'list', '--data', data, '-o', 'json'])
  assert.deepEqual(JSON.parse(none.out), { holds: [] })
})
