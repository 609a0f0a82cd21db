import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { goProgram, unbuildable } from '@jackstay/cluster/go-program'
import { outcomeOf } from '@jackstay/cluster/process'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { formatProof } from '@jackstay/ledger/proof'
import { forgeriesOf, freeLog, type RealLog, realLog } from './logs.ts'
import { verifiers } from './recipes.ts'

const options = unlessCi(await unbuildable([verifiers]))
const timeoutMs = 60_000

async function check(...args: readonly string[]) {
  const program = await goProgram(verifiers, () => {})
  return outcomeOf([program, ...args], { signal: AbortSignal.timeout(timeoutMs) })
}

describe('golang.org/x/mod sumdb/tlog and sumdb/note', options, () => {
  it('read every tile, entry and proof of our log, at sizes around every edge', async () => {
    await using log = await realLog()
    const earlier = join(log.root, 'earlier')
    await writeFile(earlier, await log.store.checkpoint())
    for (const more of [1, 254, 1, 1, 255, 188]) {
      await log.grow(more)
      const folder = await log.export(`log-${log.entries.length}`)
      const { code, stdout, stderr } = await check('log', folder, log.key.vkey, earlier)
      assert.equal(code, 0, stderr)
      assert.equal(stdout, `${log.entries.length} leaves\n`)
      await writeFile(earlier, await log.store.checkpoint())
    }
  })

  it('T69: refuse every forgery; those by the owner against an earlier checkpoint', async () => {
    await using log = await realLog()
    await log.grow(300)
    const good = await log.export('good')
    const earlier = join(log.root, 'earlier')
    await writeFile(earlier, await log.store.checkpoint())
    assert.equal((await check('log', good, log.key.vkey, earlier)).code, 0)
    for (const { name, folder, byOwner } of await forgeriesOf(log, good)) {
      const { code } = await check('log', folder, log.key.vkey, earlier)
      assert.equal(code, 1, name)
      const blind = await check('log', folder, log.key.vkey)
      assert.equal(blind.code, byOwner ? 0 : 1, `${name}, with no earlier checkpoint`)
    }
  })

  it('read our proof of one leaf, and no other', async () => {
    await using log = await realLog()
    await log.grow(70)
    const checkpoint = await log.store.checkpoint()
    const file = join(log.root, 'one.tlog-proof')
    for (const index of [0, 1, 63, 64, 69]) {
      const path = await log.store.inclusionProof(index, 70)
      const extra = log.entries[index] ?? Buffer.of()
      await writeFile(file, formatProof({ index, path, checkpoint, extra }))
      const { code, stdout, stderr } = await check('proof', file, log.key.vkey)
      assert.equal(code, 0, stderr)
      assert.equal(stdout, `leaf ${index} of 70\n`)
    }
    const good = await readFile(file, 'utf8')
    const forged = freeLog(log.entries.with(3, Buffer.from('{}')), log.key).checkpoint
    for (const [name, text] of [
      ['edited entry', good.replace(/^extra .*$/m, 'extra e30=')],
      ['another index', good.replace('index 69', 'index 68')],
      [
        'flipped byte of the path',
        good.replace(/(index 69\n)(.)/, (_, i, c) => i + (c === 'A' ? 'B' : 'A')),
      ],
      ['fork', good.replace(checkpoint, forged)],
    ] as const) {
      assert.notEqual(text, good)
      await writeFile(file, text)
      assert.equal((await check('proof', file, log.key.vkey)).code, 1, name)
    }
  })
})

interface Claim {
  readonly kind: 'inclusion' | 'consistency'
  readonly index?: number
  readonly from?: number
  readonly to: number
  readonly leaf?: Uint8Array
  readonly fromRoot?: Uint8Array
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

function line({ leaf, fromRoot, toRoot, proof, ...rest }: Claim): string {
  const base64 = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('base64')
  return `${JSON.stringify({
    ...rest,
    ...{ leaf: base64(leaf), fromRoot: base64(fromRoot), toRoot: base64(toRoot) },
    proof: proof.map(base64),
  })}\n`
}

describe('transparency-dev/merkle', options, () => {
  async function claims(log: RealLog): Promise<Claim[]> {
    const free = freeLog(log.entries, log.key)
    const found: Claim[] = []
    for (const to of [1, 2, 3, 7, 8, 64, 65, 255, 256, 257, 300]) {
      const toRoot = free.root(to)
      for (const index of new Set([0, 1, to >> 1, to - 2, to - 1])) {
        if (index < 0 || index >= to) continue
        const proof = await log.store.inclusionProof(index, to)
        const leaf = log.entries[index] ?? Buffer.of()
        found.push({ kind: 'inclusion', index, to, leaf, toRoot, proof })
      }
      for (let from = 1; from <= to; from++) {
        const proof = await log.store.consistencyProof(from, to)
        found.push({ kind: 'consistency', from, to, fromRoot: free.root(from), toRoot, proof })
      }
    }
    return found
  }

  it('takes our inclusion and consistency proofs, and none of a forgery (T69)', async () => {
    await using log = await realLog()
    await log.grow(300)
    const file = join(log.root, 'claims')
    const good = await claims(log)
    await writeFile(file, good.map(line).join(''))
    const all = await check('merkle', file)
    assert.equal(all.stdout, `${good.length} proofs\n`, all.stderr)
    assert.ok(good.length > 1000)
    const other = log.entries.map((_, i) => Buffer.from(`{"forged":${i}}`))
    const [fork, replaced] = [
      freeLog([...log.entries.slice(0, 200), ...other.slice(200)], log.key),
      freeLog(other, log.key),
    ]
    const inclusion = good.findLast(({ kind }) => kind === 'inclusion')
    const consistency = good.find(({ from, to }) => from === 257 && to === 300)
    assert.ok(inclusion !== undefined && consistency !== undefined)
    const flipped = ([first, ...rest]: readonly Uint8Array[]) => {
      const bytes = Buffer.from(first ?? [])
      bytes[5] = (bytes[5] ?? 0) ^ 1
      return [bytes, ...rest]
    }
    const forgeries: readonly (readonly [string, Claim])[] = [
      ['flipped byte', { ...inclusion, proof: flipped(inclusion.proof) }],
      ['edited entry', { ...inclusion, leaf: Buffer.from('{}') }],
      ['other index', { ...inclusion, index: 0 }],
      ['truncated tail', { ...inclusion, to: inclusion.to - 1 }],
      ['flipped byte', { ...consistency, proof: flipped(consistency.proof) }],
      ['fork', { ...consistency, toRoot: fork.root(300) }],
      ['full replacement', { ...consistency, toRoot: replaced.root(300) }],
      ['truncated tail', { ...consistency, from: 300, to: 257 }],
    ]
    for (const [name, claim] of forgeries) {
      await writeFile(file, line(claim))
      const { code, stderr } = await check('merkle', file)
      assert.equal(code, 1, `${claim.kind}, ${name}`)
      assert.match(stderr, /claim 0/)
    }
  })
})
