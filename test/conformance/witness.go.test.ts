import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { goProgram, unbuildable } from '@jackstay/cluster/go-program'
import { freePorts } from '@jackstay/cluster/ports'
import { outcomeOf } from '@jackstay/cluster/process'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { formatAddCheckpoint } from '@jackstay/ledger/add-checkpoint'
import { signCheckpoint } from '@jackstay/ledger/checkpoint'
import {
  cosignatureVerifier,
  cosignerFromSkey,
  formatCosignerSkey,
} from '@jackstay/ledger/cosignature'
import { generateSkey, ledgerKeyFrom } from '@jackstay/ledger/key'
import { storeTiles } from '@jackstay/ledger/log-tiles'
import { openNote, verifierFromVkey } from '@jackstay/ledger/note'
import { emptyFrontier, rootOf } from '@jackstay/ledger/tree'
import { witnessFile } from '@jackstay/ledger/witness-file'
import { witnessHandler } from '@jackstay/ledger/witness-handler'
import { parseWitnessPolicy } from '@jackstay/ledger/witness-policy'
import { collectCosignatures } from '@jackstay/ledger/witnessing'
import { freeLog, origin, type RealLog, readerOf, realLog, subfolder } from './logs.ts'
import { litewitness, verifiers } from './recipes.ts'

const options = unlessCi(await unbuildable([litewitness, verifiers]))
const seed = Buffer.alloc(32, 0x5a)
const name = 'witness.example/w1'
/** The same key as theirs: both then sign alike. */
const cosigner = cosignerFromSkey(formatCosignerSkey(name, seed))
const signal = AbortSignal.timeout(240_000)

interface Running extends AsyncDisposable {
  readonly url: URL
  post(body: string): Promise<Response>
}

/** litewitness beside an SSH agent, knowing one log. */
async function startLitewitness(log: RealLog, folder: string): Promise<Running> {
  const [program, agent] = [
    await goProgram(litewitness, () => {}),
    await goProgram(verifiers, () => {}),
  ]
  const db = join(folder, 'litewitness.db')
  knowLog(db, log)
  const socket = join(folder, 'agent')
  const [port = 0] = await freePorts(1)
  const url = new URL(`http://127.0.0.1:${port}/`)
  const args = ['-name', name, '-db', db, '-ssh-agent', socket, '-listen', url.host, '-key', 'KEY']
  const command = ['with-agent', socket, seed.toString('hex'), program, ...args]
  const child = spawn(agent, command, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4096)
  })
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  while (
    !(await fetch(url, { signal }).then(
      (r) => r.ok,
      () => false,
    ))
  ) {
    assert.equal(child.exitCode, null, said)
    await sleep(50, undefined, { signal })
  }
  return {
    url,
    post: (body) => fetch(new URL('add-checkpoint', url), { method: 'POST', body, signal }),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}

/** What its own `witnessctl add-log` and `add-key` write. */
function knowLog(path: string, { key }: RealLog): void {
  const db = new DatabaseSync(path)
  db.exec(`CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
    CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin))`)
  const empty = Buffer.from(rootOf(emptyFrontier)).toString('base64')
  db.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, empty)
  db.prepare('INSERT INTO key VALUES (?, ?)').run(origin, key.vkey)
  db.close()
}

describe('litewitness', options, () => {
  let log: RealLog
  before(async () => {
    log = await realLog()
    await log.grow(40)
  })
  after(() => log[Symbol.asyncDispose]())

  async function collect(theirs: Running, read = storeTiles(log.store)) {
    const text = `witness w ${cosigner.vkey} ${theirs.url}\nquorum w\n`
    return collectCosignatures(read, log.key.vkey, parseWitnessPolicy(text), {
      ...{ fetch, signal, timeoutMs: 10_000, random: () => 0 },
      wait: (ms) => sleep(ms, undefined, { signal }),
    })
  }

  it('cosigns our log through our client; we and other libraries take its cosignature', async () => {
    await using theirs = await startLitewitness(log, await subfolder(log, 'a'))
    for (const more of [0, 30, 300]) {
      await log.grow(more)
      const { note, verdict, checkpoint } = await collect(theirs)
      assert.ok(verdict.met, verdict.reason)
      assert.equal(checkpoint.size, log.entries.length)
      const file = join(log.root, 'cosigned')
      await writeFile(file, note)
      const program = await goProgram(verifiers, () => {})
      const opened = await outcomeOf([program, 'cosigned', file, log.key.vkey, cosigner.vkey])
      assert.equal(
        opened.stdout,
        `${log.entries.length} leaves, cosigned by ${name}\n`,
        opened.stderr,
      )
      await writeFile(file, note.replace(`\n${checkpoint.size}\n`, `\n${checkpoint.size + 1}\n`))
      assert.equal(
        (await outcomeOf([program, 'cosigned', file, log.key.vkey, cosigner.vkey])).code,
        1,
      )
    }
  })

  it('T69: contradicts a truncated, forked or replaced log that its owner signed', async () => {
    await using theirs = await startLitewitness(log, await subfolder(log, 'b'))
    assert.ok((await collect(theirs)).verdict.met)
    const other = log.entries.map((_, i) => Buffer.from(`{"forged":${i}}`))
    const size = log.entries.length
    const forgeries = {
      'truncated tail': log.entries.slice(0, size - 1),
      'edited entry': [...log.entries.with(3, Buffer.from('{}')), Buffer.from('{}')],
      fork: [...log.entries.slice(0, size - 1), Buffer.from('{}'), Buffer.from('{}')],
      'full replacement': [...other, Buffer.from('{}')],
      'full replacement of the same size': other,
    }
    for (const [what, entries] of Object.entries(forgeries)) {
      const forged = await readerOf(log, what, entries)
      const { verdict, answers } = await collect(theirs, forged)
      assert.equal(answers[0]?.answer.kind, 'contradicts', what)
      assert.ok(!verdict.met, what)
    }
    assert.ok((await collect(theirs)).verdict.met, 'and it still knows the good one')
  })

  it('answers as our witness does, request for request', async () => {
    const folder = await subfolder(log, 'c')
    await using theirs = await startLitewitness(log, folder)
    const logs = new Map([[origin, [verifierFromVkey(log.key.vkey)]]])
    const state = await witnessFile(join(folder, 'ours'))
    const ours = witnessHandler({ cosigner, logs, state, clock: Date })
    const free = freeLog(log.entries, log.key)
    const forged = freeLog(
      [...log.entries.slice(0, 10), ...Array(20).fill(Buffer.from('{}'))],
      log.key,
    )
    const signed = (size: number, by = free, key = log.key) =>
      signCheckpoint({ origin: key.name, size, root: by.root(size) }, [key])
    const body = async (oldSize: number, size: number, checkpoint = signed(size)) => {
      const proof = oldSize > size ? [] : await log.store.consistencyProof(oldSize, size)
      return formatAddCheckpoint({ oldSize, proof, checkpoint })
    }
    const impostor = ledgerKeyFrom(generateSkey(origin))
    const stranger = ledgerKeyFrom(generateSkey('stranger.example'))
    const requests: readonly (readonly [string, string, number, number?])[] = [
      ['first', await body(0, 12), 200],
      ['again', await body(12, 12), 200],
      ['stale size', await body(0, 20), 409],
      ['growth', await body(12, 20), 200],
      ['truncated', await body(20, 12), 400],
      ['truncated, with its own size', await body(12, 12), 409],
      ['no proof', formatAddCheckpoint({ oldSize: 20, proof: [], checkpoint: signed(25) }), 422],
      ['fork', await body(20, 25, signed(25, forged)), 422],
      ['another key of this name', await body(20, 25, signed(25, free, impostor)), 403],
      ['no request', 'old x\n\n', 400],
      ['no old size', `\n\n${signed(25)}`, 400],
      // the text it follows had 403 for an unknown log, and no answer of its own for the next one
      ['unknown log', await body(0, 5, signed(5, free, stranger)), 404, 403],
      ['same size, other tree', await body(20, 20, signed(20, forged)), 409, 422],
      ['growth goes on', await body(20, 40), 200],
    ]
    for (const [what, text, expected, theirOwn = expected] of requests) {
      const their = await theirs.post(text)
      const our = await ours(new Request('http://w/add-checkpoint', { method: 'POST', body: text }))
      assert.deepEqual([what, our.status, their.status], [what, expected, theirOwn])
      const [said, saidTheirs] = [await our.text(), await their.text()]
      if (expected === 200) assertCosigned(text, said, saidTheirs)
      if (expected === 409 && theirOwn === 409) {
        assert.equal(said, saidTheirs, what)
        assert.equal(our.headers.get('content-type'), their.headers.get('content-type'))
      }
    }
  })
})

function assertCosigned(request: string, ...answers: readonly string[]): void {
  const note = request.slice(request.indexOf('\n\n') + 2)
  for (const lines of answers) {
    assert.ok(openNote(`${note}${lines}`, [cosignatureVerifier(cosigner.vkey)]).ok)
  }
}
