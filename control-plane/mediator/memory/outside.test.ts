import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Cosigner,
  cosignatureVerifier,
  cosignerFromSkey,
  formatCosignerSkey,
} from '@jackstay/ledger/cosignature'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { type LedgerPolicy, noLedgerPolicy } from '@jackstay/ledger/ledger-policy'
import { openNote, verifierFromVkey } from '@jackstay/ledger/note'
import { openStore } from '@jackstay/ledger/store'
import { witnessFile } from '@jackstay/ledger/witness-file'
import { witnessHandler } from '@jackstay/ledger/witness-handler'
import { parseWitnessPolicy } from '@jackstay/ledger/witness-policy'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { openOutside } from './outside.ts'

const origin = 'jackstay.dev/3f8e1c1e-0000-4000-8000-00000000000a'
const cosigner: Cosigner = cosignerFromSkey(formatCosignerSkey('w.example', Buffer.alloc(32, 4)))

class TestClock {
  time = Date.parse('2026-01-01T00:00:00Z')
  now(): number {
    return this.time
  }
}

async function scene() {
  const root = await mkdtemp(join(tmpdir(), 'jackstay-outside-'))
  const dataDir = join(root, 'data')
  const clock = new TestClock()
  const key = await loadOrCreateKey(dataDir, origin)
  const open = () => openStore({ directory: dataDir, origin, key, clock })
  const scene = {
    ...{ root, dataDir, clock, key, open, said: [] as string[] },
    store: await open(),
    registry: metrics({ name: 'test', process: false }),
    leaf: async (count = 1, note = 'honest') => {
      const leaf = { kind: 'suspension' as const, data: { note, time: '2026-01-01T00:00:00Z' } }
      for (let i = 0; i < count; i++) await scene.store.appendLeaves([leaf])
    },
    outside: (policy: LedgerPolicy, answer = async (_: Request) => new Response()) => {
      scene.registry = metrics({ name: 'test', process: false })
      return openOutside({
        ...{ store: scene.store, vkey: key.vkey, policy, dataDir, clock },
        fetch: (url, init) => answer(new Request(url, init)),
        log: logger({ name: 'test', write: (line) => void scene.said.push(line) }),
        metrics: scene.registry,
        random: () => 0.5,
        signal: new AbortController().signal,
      })
    },
    [Symbol.asyncDispose]: async () => {
      await scene.store.close()
      await rm(root, { recursive: true, force: true })
    },
  }
  return scene
}

const kept = (root: string): LedgerPolicy => ({
  ...{ ...noLedgerPolicy, folder: root },
  anchors: [{ name: 'disk', file: 'kept.jsonl' }],
})

describe('outside', () => {
  it('says Unanchored until a place outside took the newest checkpoint', async () => {
    await using s = await scene()
    const alone = await s.outside(noLedgerPolicy)
    assert.deepEqual((await alone.status()).anchored, {
      ok: false,
      reason: 'no place outside is configured to keep checkpoints',
    })
    const outside = await s.outside(kept(s.root))
    await s.leaf(3)
    assert.equal((await outside.status()).anchored.ok, false)
    await outside.round()
    const status = await outside.status()
    assert.deepEqual(status.anchored, { ok: true, reason: 'kept by `disk` (3 leaves)' })
    assert.equal(status.newestLeafAt, '2026-01-01T00:00:00Z')
    assert.ok(status.tail.ok)
    await s.leaf()
    s.clock.time += 3_600_001
    assert.equal((await outside.status()).anchored.ok, false, 'grown, and nothing kept for an hour')
    assert.match((await s.registry.expose()).text, /jackstay_ledger_anchored\{[^}]*\} 1/)
  })

  it('goes on where no anchor can be reached, and says so once', async () => {
    await using s = await scene()
    const policy: LedgerPolicy = {
      ...{ ...noLedgerPolicy, anchorEveryMs: 0 },
      anchors: [{ name: 'notary', http: 'https://n.example/c' }],
    }
    const outside = await s.outside(policy, async () => new Response('', { status: 500 }))
    await s.leaf()
    await outside.round()
    await outside.round()
    await s.leaf()
    assert.match(
      (await outside.status()).anchored.reason,
      /`notary` never took one: it answered 500/,
    )
    assert.equal(s.said.filter((line) => line.includes('it answered 500')).length, 1)
    assert.match((await s.registry.expose()).text, /jackstay_ledger_anchored\{[^}]*\} 0/)
  })

  it('T69, T70: does not start on an old backup or a replaced log', async () => {
    await using s = await scene()
    await s.leaf(2)
    await s.store.close()
    const backup = join(s.root, 'backup')
    await cp(s.dataDir, backup, { recursive: true })
    s.store = await s.open()
    await s.leaf(3)
    await (await s.outside(kept(s.root))).round()
    await s.store.close()
    await rm(s.dataDir, { recursive: true })
    await cp(backup, s.dataDir, { recursive: true })
    s.store = await s.open()
    await assert.rejects(s.outside(kept(s.root)), {
      code: 'ledger_damaged',
      message: /`disk` keeps a checkpoint of: the log has 2 leaves and had 5.*ledger recover/,
    })
    await s.leaf(4, 'forged') // longer than before, with other leaves
    await assert.rejects(s.outside(kept(s.root)), { message: /first 5 leaves are not those/ })
  })

  it('collects cosignatures, serves them with the checkpoint, and anchors both', async () => {
    await using s = await scene()
    const logs = new Map([[origin, [verifierFromVkey(s.key.vkey)]]])
    const state = await witnessFile(join(s.root, 'witness'))
    const witness = witnessHandler({ cosigner, logs, state, clock: s.clock })
    const text = `witness w ${cosigner.vkey} https://w.example/\nquorum w\n`
    const policy = {
      ...{ ...kept(s.root), anchorEveryMs: 0 },
      witnesses: { policy: parseWitnessPolicy(text), required: true, everyMs: 0 },
    }
    const outside = await s.outside(policy, witness)
    assert.equal((await outside.status()).witnessed?.ok, false)
    await s.leaf(2)
    await outside.round()
    const verifiers = [cosignatureVerifier(cosigner.vkey), verifierFromVkey(s.key.vkey)]
    const opened = openNote(await outside.checkpoint(), verifiers)
    assert.equal(opened.ok && opened.signers.length, 2)
    const status = await outside.status()
    assert.deepEqual([status.witnessed?.ok, status.witnessed?.size], [true, 2])
    assert.equal(status.witnessed?.cosigned[0]?.at, '2026-01-01T00:00:00.000Z')
    const [line = ''] = (await readFile(join(s.root, 'kept.jsonl'), 'utf8')).split('\n')
    assert.equal(JSON.parse(line).checkpoint, await outside.checkpoint())
    await s.leaf()
    assert.notEqual(
      await outside.checkpoint(),
      await outside.witnessed(),
      'newer, not cosigned yet',
    )
    assert.equal((await outside.status()).witnessed?.size, 2)
  })

  it('T69: reports a witness that has seen another log', async () => {
    await using s = await scene()
    await s.leaf(3)
    const headers = { 'content-type': 'text/x.tlog.size' }
    const answer = async () => new Response('7\n', { status: 409, headers })
    const text = `witness w ${cosigner.vkey} https://w.example/\nquorum w\n`
    const witnesses = { policy: parseWitnessPolicy(text), required: false, everyMs: 0 }
    const outside = await s.outside({ ...noLedgerPolicy, witnesses }, answer)
    await outside.round()
    assert.ok(s.said.some((line) => line.includes('a witness has seen another ledger')))
    assert.match(s.said.join(''), /it has cosigned 7 leaves, this log has 3/)
    const { text: exposed } = await s.registry.expose()
    assert.match(exposed, /witness_failures_total\{[^}]*kind="contradicts"[^}]*\} 1/)
    await s.leaf() // appends go on
  })
})
