import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { generateSkey, ledgerKeyFrom } from '@jackstay/ledger/key'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { openStore } from '@jackstay/ledger/store'
import { Desk, type Fake, startFake, status, tokenRoute } from './fake-servers.ts'
import { id, story, verified } from './story-builder.ts'

let api: Fake
let mediator: Fake
let desk: Desk
before(async () => {
  api = await startFake()
  mediator = await startFake()
  desk = new Desk(api.origin, mediator.origin)
})
after(async () => {
  desk.clean()
  await Promise.all([api.stop(), mediator.stop()])
})

const view = story(verified)
beforeEach(() => {
  api.routes = tokenRoute
  mediator.routes = {
    'GET /v1/intents': { status: 200, body: { intents: [view.summary], next: '17' } },
    [`GET /v1/intents/${id}`]: { status: 200, body: view },
  }
})

test('reads with a token of the audience for reading, made as the user', async () => {
  const { exit, err } = await desk.run(['why', id])
  assert.deepEqual({ exit, err }, { exit: 0, err: '' })
  const made = api.seen.at(-1)
  assert.equal(made?.authorization, 'Bearer the-users-token')
  assert.match(JSON.stringify(made?.body), /"audiences":\["jackstay-read"\]/)
  // the mediator never sees a credential that the API server accepts
  assert.equal(mediator.seen.at(-1)?.authorization, 'Bearer reading-token')
})

test("lists the context's namespace unless told otherwise", async () => {
  await desk.run(['intents', 'list', '--phase', 'approve', '--limit', '5'])
  assert.equal(mediator.seen.at(-1)?.url.search, '?limit=5&phase=approve&namespace=shop')
  await desk.run(['intents', 'list', '-n', 'other'])
  assert.equal(mediator.seen.at(-1)?.url.search, '?limit=50&namespace=other')
  const { out } = await desk.run(['intents', 'list', '-A'])
  assert.equal(mediator.seen.at(-1)?.url.search, '?limit=50')
  assert.match(out, /verified +workload.scale/)
  assert.match(out, /more: --before 17/)
})

test('an empty list says where it looked', async () => {
  mediator.routes = { 'GET /v1/intents': { status: 200, body: { intents: [] } } }
  const { exit, out } = await desk.run(['intents', 'list'])
  assert.equal(exit, 0)
  assert.equal(out, 'no intents for targets in `shop`; -A looks everywhere\n')
})

test('-o json gives machines the whole record', async () => {
  const { out } = await desk.run(['why', id, '-o', 'json'])
  assert.equal(JSON.parse(out).record.phase, 'verified')
  const list = await desk.run(['-o', 'json', 'intents', 'list'])
  assert.deepEqual(JSON.parse(list.out), { intents: [view.summary], next: '17' })
})

/** What goes wrong, and how the command ends: one line, a code, what to do. */
const failures: readonly {
  readonly name: string
  readonly line: readonly string[]
  readonly arrange?: () => void
  readonly exit: number
  readonly says: RegExp
}[] = [
  {
    name: 'an unknown flag',
    line: ['intents', 'list', '--bogus'],
    exit: 2,
    says: /unknown option `--bogus`/,
  },
  { name: 'an unknown command', line: ['intent'], exit: 2, says: /did you mean `intents`\?/ },
  {
    name: 'a missing argument',
    line: ['why'],
    exit: 2,
    says: /missing required argument `id`, like `jackstay why ID`; see `jackstay why --help`/,
  },
  {
    name: 'nothing to approve, before a reason is asked for',
    line: ['approve'],
    exit: 2,
    says: /argument `subject`, like `jackstay approve ID --reason 'known peak'`/,
  },
  {
    name: 'no reason',
    line: ['reject', 'x'],
    exit: 2,
    says: /--reason is missing: `jackstay reject x --reason 'why'`/,
  },
  {
    name: 'no scope',
    line: ['suspend'],
    exit: 2,
    says: /name one scope: .*, like `--target shop\/Deployment\/api`/,
  },
  {
    name: 'a word that a group does not know',
    line: ['agents', 'revoke', 'x'],
    exit: 2,
    says: /`revoke` is none of `jackstay agents`: list \[usage\]/,
  },
  {
    name: 'a limit out of range',
    line: ['intents', 'list', '--limit', '0'],
    exit: 2,
    says: /invalid: write a number from 1 to 200;/,
  },
  {
    name: 'an unknown phase',
    line: ['intents', 'list', '--phase', 'x'],
    exit: 2,
    says: /`--phase <phase>` argument `x` is invalid/,
  },
  {
    name: 'a missing kubeconfig',
    line: ['--kubeconfig', '/nowhere', 'why', id],
    exit: 2,
    says: /`\/nowhere` does not exist; pass --kubeconfig/,
  },
  {
    name: 'an unknown context',
    line: ['--context', 'prod', 'why', id],
    exit: 2,
    says: /no context `prod`; use one of: x/,
  },
  {
    name: 'a malformed server address',
    line: ['--server', 'mediator', 'why', id],
    exit: 2,
    says: /`mediator` is no address of a server/,
  },
  {
    name: 'plain HTTP beyond this machine',
    line: ['--server', 'http://mediator.example.com', 'why', id],
    exit: 2,
    says: /would show your token/,
  },
  {
    name: 'a mediator that is away',
    line: ['--server', 'http://127.0.0.1:2', 'why', id],
    exit: 3,
    says: /does not answer \(ECONNREFUSED\): start it, forward its port/,
  },
  {
    name: 'no right to make the token',
    arrange: () => {
      api.routes = {
        [Object.keys(tokenRoute)[0] ?? '']: status(403, 'Forbidden', 'alice cannot create token'),
      }
    },
    line: ['why', id],
    exit: 3,
    says: /you may not make a token .*; ask for the ClusterRole `jackstay-view` \[forbidden\]/,
  },
  {
    name: 'expired credentials',
    arrange: () => {
      api.routes = {
        [Object.keys(tokenRoute)[0] ?? '']: status(401, 'Unauthorized', 'Unauthorized'),
      }
    },
    line: ['why', id],
    exit: 3,
    says: /renew the credentials/,
  },
  {
    name: 'a mediator of another cluster',
    arrange: () => {
      const error = { code: 'unauthenticated', message: 'the token is not known', retryable: false }
      mediator.routes = { [`GET /v1/intents/${id}`]: { status: 401, body: { error } } }
    },
    line: ['why', id],
    exit: 3,
    says: /the token is not known; the mediator must serve the cluster/,
  },
  {
    name: 'an unknown intent',
    arrange: () => {
      const error = { code: 'not_found', message: 'there is no such intent', retryable: false }
      mediator.routes = { [`GET /v1/intents/${id}`]: { status: 404, body: { error } } }
    },
    line: ['why', id],
    exit: 4,
    says: /there is no such intent; `jackstay intents list -A`/,
  },
  {
    name: 'a server that is no mediator',
    arrange: () => {
      mediator.routes = { [`GET /v1/intents/${id}`]: { status: 200, body: '<html>' } }
    },
    line: ['why', id],
    exit: 3,
    says: /a form this version does not know/,
  },
  {
    name: 'a redirect, which would carry the token elsewhere',
    arrange: () => {
      mediator.routes = { [`GET /v1/intents/${id}`]: { status: 302, body: '' } }
    },
    line: ['why', id],
    exit: 3,
    says: /answered 302 and is no mediator; check --server/,
  },
  {
    name: 'a proxy in the way',
    arrange: () => {
      mediator.routes = { [`GET /v1/intents/${id}`]: { status: 502, body: '<html>' } }
    },
    line: ['why', id],
    exit: 3,
    says: /answered 502 and is no mediator; check --server/,
  },
]

for (const { name, arrange, line, exit, says } of failures) {
  test(`${name}: exit code ${exit}, one line`, async () => {
    arrange?.()
    const ran = await desk.run(line)
    assert.equal(ran.exit, exit, ran.err)
    assert.match(ran.err, says)
    assert.match(ran.err, /^error: [^\n]*\n$/)
    assert.doesNotMatch(ran.err, /\n +at /)
  })
}

test('T55 an error message of a server is escaped like everything else', async () => {
  const error = { code: 'not_found', message: '\u001b[2Jgone\u202e', retryable: false }
  mediator.routes = { [`GET /v1/intents/${id}`]: { status: 404, body: { error } } }
  const { err } = await desk.run(['why', id])
  assert.doesNotMatch(err.trimEnd(), /[\p{Cc}\p{Cf}]/u)
  assert.match(err, /\\u\{1b\}\[2Jgone\\u\{202e\}/)
})

test('with -o json an error is JSON too', async () => {
  const { exit, err } = await desk.run(['-o', 'json', '--context', 'prod', 'why', id])
  const { error } = JSON.parse(err)
  assert.deepEqual(
    { exit, code: error.code, in: error.exit },
    { exit: 2, code: 'invalid_config', in: 2 },
  )
})

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'

/** A data directory with a log of three leaves. */
async function dataFolder(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'jackstay-ledger-'))
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: { now: () => 0 } })
  const leaf = { kind: 'suspension', data: { a: 1 } } as const
  await store.appendLeaves([leaf, leaf, leaf])
  await store.close()
  return directory
}

test('verifies a data directory, and says that the key came from there', async (t) => {
  const directory = await dataFolder()
  t.after(() => rmSync(directory, { recursive: true }))
  const { exit, out } = await desk.run(['ledger', 'verify', '--data', directory])
  assert.equal(exit, 0)
  assert.match(out, /^ok/)
  assert.match(out, new RegExp(`origin +${origin}\nsize +3 leaves\nroot +\\S+=\n`))
  assert.match(out, /the key was taken from the folder/)
})

test('exit code 5 for a log that another key signed', async (t) => {
  const directory = await dataFolder()
  t.after(() => rmSync(directory, { recursive: true }))
  const other = ledgerKeyFrom(generateSkey(origin)).vkey
  const file = join(directory, 'other.vkey')
  writeFileSync(file, `${other}\n`)
  for (const key of [other, file]) {
    const { exit, out, err } = await desk.run([
      'ledger',
      'verify',
      '--data',
      directory,
      '--key',
      key,
    ])
    assert.equal(exit, 5)
    assert.match(out, /^checkpoint_invalid/)
    assert.match(err, /the ledger does not verify/)
  }
})

test('verifies over HTTP, and says when the key came from the server itself', async (t) => {
  const directory = await dataFolder()
  t.after(() => rmSync(directory, { recursive: true }))
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: { now: () => 0 } })
  t.after(() => store.close())
  mediator.routes = {
    'GET /ledger/vkey': { status: 200, body: `${key.vkey}\n` },
    'GET /ledger/checkpoint': { status: 200, body: await store.checkpoint() },
    'GET /ledger/tile/entries/000.p/3': { status: 200, body: await store.entries(0, 3) },
    'GET /ledger/tile/0/000.p/3': { status: 200, body: await store.tile(0, 0, 3) },
  }
  const { exit, out, err } = await desk.run(['ledger', 'verify'])
  assert.equal(exit, 0, err)
  assert.match(out, /^ok/)
  assert.match(out, /the key was taken from the server `http:\/\/127.0.0.1:\d+` itself/)
  const kept = await desk.run(['ledger', 'verify', '--key', key.vkey])
  assert.doesNotMatch(kept.out, /the key was taken/)
  assert.ok(
    mediator.seen.slice(-3).every(({ authorization }) => authorization === 'Bearer reading-token'),
  )
})

test('a missing checkpoint file is exit code 4', async (t) => {
  const directory = await dataFolder()
  t.after(() => rmSync(directory, { recursive: true }))
  const line = ['ledger', 'verify', '--data', directory, '--checkpoint', join(directory, 'none')]
  const { exit, err } = await desk.run(line)
  assert.equal(exit, 4)
  assert.match(err, /cannot be read \(ENOENT\); correct the path/)
})

test('a file or folder named by mistake says nothing about the log', async (t) => {
  const directory = await dataFolder()
  t.after(() => rmSync(directory, { recursive: true }))
  const [words, empty] = [join(directory, 'words'), join(directory, 'empty')]
  writeFileSync(words, 'hello\n')
  mkdirSync(empty)
  for (const [line, says] of [
    [['--data', directory, '--checkpoint', words], /is no checkpoint of a log; correct --checkp/],
    [['--data', empty], /is neither a data directory nor an exported log; correct --data/],
    [
      ['--data', empty, '--key', ledgerKeyFrom(generateSkey(origin)).vkey],
      /is neither a data directory nor an exported log/,
    ],
    [['--nonsense', empty], /unknown option `--nonsense`; see `jackstay ledger verify --help`/],
  ] as const) {
    const { exit, err } = await desk.run(['ledger', 'verify', ...line])
    assert.equal(exit, 2, err)
    assert.match(err, says)
  }
})
