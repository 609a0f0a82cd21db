import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadOrCreateKey } from '../custody/key-file.ts'
import { rotateKey } from '../custody/rotation.ts'
import { signCheckpoint } from '../log/checkpoint.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { storeTiles } from '../log/log-tiles.ts'
import { storeReader } from '../sqlite/reader.ts'
import { openStore } from '../store/store.ts'
import { fill, TestClock, testLedger } from '../store/store-builder.ts'
import { type Anchor, anchored } from './anchor.ts'
import { fileAnchor } from './anchor-file.ts'
import { gitAnchor } from './anchor-git.ts'
import { httpAnchor } from './anchor-http.ts'
import { openAnchoring } from './anchoring.ts'
import { contradiction } from './kept-checkpoint.ts'
import { anchorsOf, loadLedgerPolicy } from './ledger-policy.ts'
import { grownLog } from './witness-builder.ts'

const signal = new AbortController().signal
const clock = new TestClock()
const now = () => new Date(clock.now())
const key = ledgerKeyFrom(generateSkey('log.example'))
const noteOf = (size: number) =>
  signCheckpoint({ origin: key.name, size, root: grownLog(size).root(size) }, [key])

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-anchor-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Keeps what it is given, or fails as told. */
function memory(name: string, fault: { message?: string } = {}) {
  const kept: string[] = []
  const act = () => {
    if (fault.message !== undefined) throw new Error(fault.message)
  }
  const anchor: Anchor = {
    name,
    description: 'memory',
    push: async (note) => {
      act()
      kept.push(note)
    },
    newest: async () => {
      act()
      return kept.at(-1)
    },
  }
  return { anchor, kept, fault }
}

describe('file anchor', () => {
  it('appends, reads the newest back, and survives a torn line', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'checkpoints.jsonl')
    const anchor = fileAnchor({ name: 'disk', path, now })
    assert.equal(await anchor.newest(signal), undefined)
    await anchor.push(noteOf(1), signal)
    await anchor.push(noteOf(2), signal)
    await appendFile(path, '{"at":"2026-01-01T00:00:00Z","checkpo')
    assert.equal(await anchor.newest(signal), noteOf(2))
    await anchor.push(noteOf(3), signal)
    assert.equal(await anchor.newest(signal), noteOf(3))
    const lines = (await readFile(path, 'utf8')).split('\n')
    assert.equal(lines.length, 5)
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      at: now().toISOString(),
      checkpoint: noteOf(1),
    })
  })
})

describe('http anchor', () => {
  it('posts the note with the token of the file, read anew each time', async () => {
    await using dir = await folder()
    const tokenFile = join(dir.path, 'token')
    const seen: string[] = []
    const anchor = httpAnchor({
      ...{ name: 'notary', url: new URL('https://n.example/c'), tokenFile, timeoutMs: 1000 },
      fetch: async (url, { body, headers, redirect }) => {
        assert.equal(redirect, 'error')
        seen.push(`${url.href} ${headers?.authorization} ${body.split('\n')[1]}`)
        return new Response(null, { status: seen.length < 3 ? 204 : 403 })
      },
    })
    await writeFile(tokenFile, 'first\n')
    await anchor.push(noteOf(1), signal)
    await writeFile(tokenFile, 'second\n')
    await anchor.push(noteOf(2), signal)
    assert.deepEqual(seen, [
      'https://n.example/c Bearer first 1',
      'https://n.example/c Bearer second 2',
    ])
    await assert.rejects(anchor.push(noteOf(3), signal), { message: 'it answered 403' })
    await writeFile(tokenFile, 'two\nlines\n')
    await assert.rejects(anchor.push(noteOf(3), signal), { code: 'invalid_config' })
  })
})

const noGit = spawnSync('git', ['--version']).status === 0 ? false : 'needs the program `git`'

describe('git anchor', { skip: noGit }, () => {
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', args, { cwd, encoding: 'utf8' }).trim()

  it('commits each checkpoint on top of the branch of a remote', async () => {
    await using dir = await folder()
    const remote = join(dir.path, 'remote.git')
    git(dir.path, 'init', '--quiet', '--bare', remote)
    const options = { name: 'audit', remote, branch: 'main', file: 'logs/one', timeoutMs: 20_000 }
    const anchor = gitAnchor({ ...options, workspace: join(dir.path, 'w1') })
    assert.equal(await anchor.newest(signal), undefined)
    await anchor.push(noteOf(1), signal)
    await anchor.push(noteOf(2), signal)
    // another log, and another mediator with an empty folder, on the same branch
    const other = gitAnchor({ ...options, file: 'logs/two', workspace: join(dir.path, 'w2') })
    assert.equal(await other.newest(signal), undefined)
    await other.push(noteOf(9), signal)
    await anchor.push(noteOf(3), signal)
    assert.equal(await anchor.newest(signal), noteOf(3))
    assert.equal(await other.newest(signal), noteOf(9))
    assert.equal(git(remote, 'rev-list', '--count', 'main'), '4')
    assert.equal(git(remote, 'log', '-1', '--format=%s', 'main'), 'checkpoint 3 of log.example')
    assert.equal(`${git(remote, 'show', 'main~3:logs/one')}\n`, noteOf(1))
  })

  it('says what git says where the remote is away or refuses, without passwords', async () => {
    await using dir = await folder()
    const workspace = join(dir.path, 'w')
    const options = { name: 'audit', branch: 'main', file: 'c', timeoutMs: 20_000, workspace }
    const away = gitAnchor({ ...options, remote: join(dir.path, 'none.git') })
    await assert.rejects(away.push(noteOf(1), signal), {
      message: /ls-remote` failed: .*none\.git/,
    })
    const secret = gitAnchor({ ...options, remote: 'https://me:hunter2@127.0.0.1:1/x.git' })
    assert.ok(!secret.description.includes('hunter2'))
    await assert.rejects(
      secret.push(noteOf(1), signal),
      (error: Error) => error.message.includes('failed') && !error.message.includes('hunter2'),
    )
    const program = gitAnchor({ ...options, remote: `ext::sh -c touch% ${dir.path}/owned` })
    await assert.rejects(program.push(noteOf(1), signal), { message: /not allowed/ })
  })

  it('says why a protected branch was refused', async () => {
    await using dir = await folder()
    const remote = join(dir.path, 'remote.git')
    git(dir.path, 'init', '--quiet', '--bare', remote)
    await hook(remote, 'pre-receive', 'echo branch is protected >&2; exit 1')
    const workspace = join(dir.path, 'w')
    const place = { name: 'audit', remote, branch: 'main', file: 'c', timeoutMs: 20_000 }
    const anchor = gitAnchor({ ...place, workspace })
    await assert.rejects(anchor.push(noteOf(1), signal), { message: /branch is protected/ })
  })

  it('never forces: a push that was overtaken fails, and the next one goes on top', async () => {
    await using dir = await folder()
    const remote = join(dir.path, 'remote.git')
    git(dir.path, 'init', '--quiet', '--bare', remote)
    const workspace = join(dir.path, 'w')
    const place = { name: 'audit', remote, branch: 'main', file: 'c', timeoutMs: 20_000 }
    const anchor = gitAnchor({ ...place, workspace })
    await anchor.push(noteOf(1), signal)
    // somebody else's commit arrives between our look at the branch and our push
    const tree = `$(git rev-parse main^{tree})`
    const who = 'git -c user.name=x -c user.email=x@x'
    const other = `${who} commit-tree ${tree} -p main -m other`
    const overtake = `cd ${remote}; unset GIT_DIR; git update-ref refs/heads/main $(${other})`
    const { PATH = '' } = process.env
    const tools = join(dir.path, 'hooks')
    const real = git(dir.path, '--exec-path')
    const script = `PATH=${PATH}; [ $1 = push ] && (${overtake}); exec ${real}/git "$@"`
    await hook(dir.path, 'git', script)
    process.env.PATH = `${tools}:${PATH}`
    try {
      await assert.rejects(anchor.push(noteOf(2), signal), { message: /git push` failed/ })
    } finally {
      process.env.PATH = PATH
    }
    await anchor.push(noteOf(3), signal)
    const subjects = git(remote, 'log', '--format=%s', 'main').split('\n')
    assert.deepEqual(subjects, [
      'checkpoint 3 of log.example',
      'other',
      'checkpoint 1 of log.example',
    ])
  })

  async function hook(repository: string, name: string, script: string): Promise<void> {
    await mkdir(join(repository, 'hooks'), { recursive: true })
    await writeFile(join(repository, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
})

describe('anchoring', () => {
  it('pushes what an anchor does not have, keeps errors apart, and remembers', async () => {
    await using dir = await folder()
    const [good, bad] = [memory('good'), memory('bad', { message: 'the disk is full' })]
    const first = await openAnchoring([good.anchor, bad.anchor], dir.path, clock)
    await first.push(noteOf(1), signal)
    await first.push(noteOf(1), signal)
    assert.deepEqual(good.kept, [noteOf(1)])
    const again = await openAnchoring([good.anchor, bad.anchor], dir.path, clock)
    const [goodState, badState] = again.states()
    assert.equal(goodState?.pushed?.size, 1)
    assert.equal(badState?.error?.message, 'the disk is full')
    assert.equal(badState?.pushed, undefined)
    delete bad.fault.message
    const states = await again.push(noteOf(2), signal)
    assert.ok(states.every(({ pushed, error }) => pushed?.size === 2 && error === undefined))
    assert.deepEqual(bad.kept, [noteOf(2)])
  })

  it('says whether the log is anchored, and why not', () => {
    const at = (size: number, secondsAgo: number) => ({
      pushed: { note: '', size, at: new Date(clock.now() - secondsAgo * 1000).toISOString() },
    })
    const log = { size: 10, clock, staleMs: 60_000 }
    const error = { message: 'no route', at: '' }
    assert.equal(anchored([], log).anchored, false)
    assert.ok(anchored([{ name: 'a', ...at(10, 9999) }], log).anchored, 'nothing new to keep')
    assert.ok(
      anchored(
        [
          { name: 'a', ...at(3, 59) },
          { name: 'b', error },
        ],
        log,
      ).anchored,
    )
    const stale = anchored([{ name: 'a', ...at(9, 61), error }, { name: 'b' }], log)
    assert.equal(stale.anchored, false)
    assert.match(stale.reason, /`a` last took one at .*: no route; `b` never took one/)
  })

  it('T69, T70: finds a truncated, forked or replaced log at the next start', async () => {
    await using dir = await folder()
    await using ledger = await testLedger()
    await fill(ledger.store, 300)
    const { anchor, kept } = memory('far')
    const anchoring = await openAnchoring([anchor], dir.path, clock)
    const { vkey } = ledger.key
    await anchoring.push(await ledger.store.checkpoint(), signal)
    await fill(ledger.store, 50, 'later')
    const honest = await anchoring.compare(storeTiles(ledger.store), vkey, signal)
    assert.deepEqual(honest, { contradicted: [], unread: [] })
    const forge = async (count: number, prefix: string) => {
      await using twin = await testLedger()
      await fill(twin.store, count, prefix)
      // signed with the real key, as its owner could
      const [origin = '', size, root = ''] = (await twin.store.checkpoint()).split('\n')
      const bytes = Buffer.from(root, 'base64')
      const note = signCheckpoint({ origin, size: Number(size), root: bytes }, [ledger.key])
      const read = { ...storeTiles(twin.store), checkpoint: async () => note }
      const { contradicted } = await anchoring.compare(read, vkey, signal)
      return contradicted.map(({ defect }) => defect.problem)
    }
    assert.deepEqual(await forge(299, 'i'), ['truncated'])
    assert.deepEqual(await forge(400, 'other'), ['forked'])
    assert.deepEqual(await forge(300, 'other'), ['forked'])
    // the folder with our own notes was rolled back too: the place outside still knows
    await using fresh = await folder()
    const forgetful = await openAnchoring([anchor], fresh.path, clock)
    kept.push(
      signCheckpoint({ origin: ledger.key.name, size: 999, root: Buffer.alloc(32) }, [ledger.key]),
    )
    const { contradicted } = await forgetful.compare(storeTiles(ledger.store), vkey, signal)
    assert.deepEqual(
      contradicted.map(({ defect }) => defect.problem),
      ['truncated'],
    )
  })

  it('says which anchors could not be asked', async () => {
    await using dir = await folder()
    await using ledger = await testLedger()
    const { anchor } = memory('far', { message: 'away' })
    const anchoring = await openAnchoring([anchor], dir.path, clock)
    const found = await anchoring.compare(storeTiles(ledger.store), ledger.key.vkey, signal)
    assert.deepEqual(found, { contradicted: [], unread: [{ anchor: 'far', message: 'away' }] })
  })
})

describe('contradiction', () => {
  it('follows rotations of the key, and no other key', async () => {
    await using dir = await folder()
    const directory = dir.path
    const own = await loadOrCreateKey(directory, 'jackstay.dev/c1')
    const store = await openStore({ directory, origin: own.name, key: own, clock })
    await fill(store, 5)
    const before = await store.checkpoint()
    await store.close()
    const { vkey } = await rotateKey({
      place: { dataDir: directory, ledgerSchema: 'jackstay' },
      reason: 'r',
      by: 'b',
      clock,
    })
    const reader = storeReader(directory)
    assert.equal(await contradiction(reader, vkey, before), undefined)
    const [origin = '', , root = ''] = before.split('\n')
    const forger = ledgerKeyFrom(generateSkey(origin))
    const bytes = Buffer.from(root, 'base64')
    const forged = signCheckpoint({ origin, size: 5, root: bytes }, [forger])
    assert.equal((await contradiction(reader, vkey, forged))?.problem, 'known_checkpoint_invalid')
    reader.close()
  })

  it('tells a predecessor from a successor that was taken away', async () => {
    const log = grownLog(4)
    const note = (origin: string) => {
      const own = ledgerKeyFrom(generateSkey(origin))
      return { own, note: signCheckpoint({ origin, size: 4, root: log.root(4) }, [own]) }
    }
    const [first, second] = [note('log.example'), note('log.example/2')]
    const read = (checkpoint: string) => ({
      checkpoint: async () => checkpoint,
      tile: async () => undefined,
    })
    assert.equal(await contradiction(read(second.note), second.own.vkey, first.note), undefined)
    const gone = await contradiction(read(first.note), first.own.vkey, second.note)
    assert.equal(gone?.problem, 'truncated')
    const stranger = note('other.example')
    const foreign = await contradiction(read(first.note), first.own.vkey, stranger.note)
    assert.equal(foreign?.problem, 'known_checkpoint_invalid')
  })
})

describe('ledger policy', () => {
  it('reads one file, seen from its folder', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'ledger.yaml')
    await writeFile(join(dir.path, 'w.policy'), 'quorum none\n')
    await writeFile(
      path,
      `witnesses: { policy: w.policy, required: true }
anchors:
  - { name: disk, file: ../kept.jsonl }
  - { name: notary, http: 'https://n.example/c', tokenFile: token }
  - { name: audit, git: 'git@git.example:audit.git', branch: main }
staleAfterSeconds: 120
`,
    )
    const policy = await loadLedgerPolicy(path)
    assert.equal(policy.witnesses?.required, true)
    assert.equal(policy.staleMs, 120_000)
    const parts = { clock, fetch: async () => new Response() }
    const anchors = anchorsOf(policy, join(dir.path, 'data'), parts)
    assert.deepEqual(
      anchors.map(({ description }) => description),
      [
        `file ${join(dir.path, '..', 'kept.jsonl')}`,
        'POST https://n.example/c',
        'git git@git.example:audit.git main',
      ],
    )
    assert.throws(() => anchorsOf(policy, tmpdir(), parts), {
      message: /lies in the data directory/,
    })
  })

  it('refuses what it does not know and says where', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'ledger.yaml')
    for (const [text, message] of [
      ['anchors: [{ name: a, file: x, extra: 1 }]', /ledger\.yaml` is no ledger policy/],
      ['anchors: [{ name: a, file: x }, { name: a, file: y }]', /same name/],
      ["anchors: [{ name: a, http: 'http://n.example' }]", /no ledger policy/],
      ["anchors: [{ name: a, git: 'ext::sh', branch: main }]", /no ledger policy/],
      ['anchors: [{ name: a, git: --upload-pack=x, branch: main }]', /no ledger policy/],
      ['witnesses: { policy: gone }', /`.*gone` cannot be read \(ENOENT\)/],
      ['anchor: []', /no ledger policy/],
      ['a: [', /no ledger policy/],
    ] as const) {
      await writeFile(path, text)
      await assert.rejects(loadLedgerPolicy(path), { code: 'invalid_config', message })
    }
  })
})
