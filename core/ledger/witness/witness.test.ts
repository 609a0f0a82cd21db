import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { signCheckpoint } from '../log/checkpoint.ts'
import { cosignatureVerifier, cosignerFromSkey, formatCosignerSkey } from '../log/cosignature.ts'
import { generateSkey, type LedgerKey, ledgerKeyFrom } from '../log/key.ts'
import { openNote, verifierFromVkey } from '../log/note.ts'
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts'
import { decideAddCheckpoint, type WitnessedTree } from './witness.ts'
import { type GrownLog, grownLog } from './witness-builder.ts'
import { witnessFile } from './witness-file.ts'
import { type WitnessOptions, witnessHandler } from './witness-handler.ts'

const key = ledgerKeyFrom(generateSkey('log.example'))
const logs = new Map([[key.name, [verifierFromVkey(key.vkey)]]])
const cosigner = cosignerFromSkey(formatCosignerSkey('w.example/w1', Buffer.alloc(32, 9)))
const clock = { now: () => 1_700_000_000_500 }

/** The example body of the specification. */
const example = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`

describe('add-checkpoint', () => {
  it('reads and writes the example of the specification', () => {
    const parsed = parseAddCheckpoint(example)
    assert.ok(parsed !== undefined)
    assert.deepEqual([parsed.oldSize, parsed.proof.length], [20852014, 4])
    assert.equal(formatAddCheckpoint(parsed), example)
  })

  it('refuses what deviates from it', () => {
    const hash = 'PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n'
    for (const [from, to] of [
      ['old 20852014', 'old 020852014'],
      ['old 20852014', 'old -1'],
      ['old 20852014', 'new 20852014'],
      ['PlRNCrwH', 'PlRNCrw'],
      [hash, hash.repeat(61)],
    ] as const) {
      assert.equal(parseAddCheckpoint(example.replace(from, to)), undefined, to.slice(0, 20))
    }
    assert.ok(parseAddCheckpoint(example.replace(hash, hash.repeat(60))) !== undefined)
  })
})

function ask(log: GrownLog, from: number, to: number, signer: LedgerKey = key) {
  const checkpoint = signCheckpoint({ origin: signer.name, size: to, root: log.root(to) }, [signer])
  return { oldSize: from, proof: log.consistency(from, to), checkpoint }
}

function statusOf(request: Parameters<typeof decideAddCheckpoint>[0], seen?: WitnessedTree) {
  const decision = decideAddCheckpoint(request, logs, seen)
  return decision.kind === 'cosign' ? 200 : decision.status
}

describe('witness', () => {
  it('cosigns every honest growth of a log, and the same tree again', () => {
    const log = grownLog(300)
    const size = fc.integer({ min: 0, max: 300 })
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const seen = { size: from, root: log.root(from) }
        const decision = decideAddCheckpoint(ask(log, from, to), logs, seen)
        assert.equal(decision.kind, 'cosign')
        assert.deepEqual(decision.kind === 'cosign' && decision.next, {
          size: to,
          root: log.root(to),
        })
      }),
    )
  })

  it('T69: never cosigns two trees of which one does not extend the other', () => {
    const honest = grownLog(64)
    const size = fc.integer({ min: 1, max: 64 })
    fc.assert(
      fc.property(size, size, fc.nat(), (a, b, at) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const seen = { size: from, root: honest.root(from) }
        // one leaf below `from` differs: edited, forked, or replaced from there on
        const forked = grownLog(64, { from: at % from })
        assert.ok([409, 422].includes(statusOf(ask(forked, from, to), seen)))
        assert.ok([409, 422].includes(statusOf({ ...ask(forked, from, to), proof: [] }, seen)))
      }),
      { numRuns: 300 },
    )
  })

  it('T69: refuses a truncated log with the size it has seen', () => {
    const log = grownLog(20)
    const seen = { size: 20, root: log.root(20) }
    for (const oldSize of [0, 5, 19]) {
      const decision = decideAddCheckpoint(ask(log, oldSize, 19), logs, seen)
      assert.equal(decision.kind === 'refuse' && decision.status, 409)
      assert.equal(decision.kind === 'refuse' && decision.size, 20)
    }
    assert.equal(statusOf({ ...ask(log, 19, 19), oldSize: 20 }, seen), 400)
  })

  it('answers with the codes of the specification', () => {
    const log = grownLog(20)
    const good = ask(log, 0, 20)
    const stranger = ledgerKeyFrom(generateSkey('stranger.example'))
    const impostor = ledgerKeyFrom(generateSkey(key.name))
    assert.equal(statusOf(good), 200)
    assert.equal(statusOf({ ...good, checkpoint: 'nonsense' }), 400)
    assert.equal(statusOf(ask(log, 0, 20, stranger)), 404)
    assert.equal(statusOf(ask(log, 0, 20, impostor)), 403)
    assert.equal(statusOf({ ...good, oldSize: 21 }), 400)
    assert.equal(statusOf(ask(log, 5, 20)), 409)
    assert.equal(statusOf({ ...good, proof: [Buffer.alloc(32)] }), 422)
    const empty = signCheckpoint({ origin: key.name, size: 0, root: Buffer.alloc(32) }, [key])
    assert.equal(statusOf({ oldSize: 0, proof: [], checkpoint: empty }), 409, 'no empty tree')
  })
})

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-witness-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

function post(body: string, path = '/w1/add-checkpoint'): Request {
  return new Request(`https://w.example${path}`, { method: 'POST', body })
}

describe('witnessHandler', () => {
  it('answers with a cosignature that verifies, and remembers across restarts', async () => {
    await using dir = await folder()
    const log = grownLog(40)
    const options = async (): Promise<WitnessOptions> => ({
      ...{ cosigner, logs, clock },
      state: await witnessFile(join(dir.path, 'witness')),
    })
    const first = await witnessHandler(await options())(post(formatAddCheckpoint(ask(log, 0, 30))))
    assert.equal(first.status, 200)
    const { checkpoint } = ask(log, 0, 30)
    const opened = openNote(`${checkpoint}${await first.text()}`, [
      cosignatureVerifier(cosigner.vkey),
    ])
    assert.ok(opened.ok)
    const restarted = witnessHandler(await options())
    const stale = await restarted(post(formatAddCheckpoint(ask(log, 0, 40))))
    assert.equal(stale.status, 409)
    assert.equal(stale.headers.get('content-type'), 'text/x.tlog.size')
    assert.equal(await stale.text(), '30\n')
    assert.equal((await restarted(post(formatAddCheckpoint(ask(log, 30, 40))))).status, 200)
  })

  it('lets one of two racing checkpoints win, never both', async () => {
    await using dir = await folder()
    const log = grownLog(40)
    const state = await witnessFile(join(dir.path, 'witness'))
    const handle = witnessHandler({ cosigner, logs, clock, state })
    const sizes = [40, 20, 30, 10]
    const answers = await Promise.all(
      sizes.map((size) => handle(post(formatAddCheckpoint(ask(log, 0, size))))),
    )
    const won = sizes.filter((_, i) => answers[i]?.status === 200)
    assert.equal(won.length, 1)
    assert.equal((await state.read(key.name))?.size, won[0])
    assert.ok(answers.every(({ status }) => status === 200 || status === 409))
  })

  it('signs nothing that it could not write down', async () => {
    const state = {
      read: async () => undefined,
      replace: () => Promise.reject(new Error('disk full')),
    }
    const handle = witnessHandler({ cosigner, logs, clock, state })
    const request = post(formatAddCheckpoint(ask(grownLog(3), 0, 3)))
    await assert.rejects(handle(request), /disk full/)
  })

  it('refuses other paths, other verbs, endless and malformed bodies', async () => {
    const state = await witnessFile('/nonexistent/never-written')
    const handle = witnessHandler({ cosigner, logs, clock, state })
    assert.equal((await handle(post('', '/w1/other'))).status, 404)
    assert.equal((await handle(new Request('https://w.example/add-checkpoint'))).status, 405)
    assert.equal((await handle(post('x'.repeat(70_000)))).status, 413)
    assert.equal((await handle(post('old 0\n'))).status, 400)
  })

  it('refuses to start on a state it cannot read', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'witness')
    const state = await witnessFile(path)
    assert.ok(await state.replace('a b', undefined, { size: 3, root: Buffer.alloc(32, 1) }))
    assert.equal((await (await witnessFile(path)).read('a b'))?.size, 3)
    await writeFile(path, (await readFile(path, 'utf8')).replace('3 ', '03 '))
    await assert.rejects(witnessFile(path), { code: 'ledger_damaged' })
  })
})
