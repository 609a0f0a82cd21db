import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fill, testLedger } from '../store/store-builder.ts'
import { signCheckpoint } from './checkpoint.ts'
import { generateSkey, ledgerKeyFrom } from './key.ts'
import { verifierFromVkey } from './note.ts'
import { formatProof, parseProof, verifyProof } from './proof.ts'

/** The head of the example in the specification. */
const example = `c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJw==
`

describe('proof', () => {
  it('reads and writes the form of the specification', () => {
    const parsed = parseProof(example)
    assert.ok(parsed !== undefined)
    assert.equal(parsed.index, 73894)
    assert.equal(parsed.path.length, 5)
    assert.ok(parsed.checkpoint.startsWith('example.com/fancylog\n109482\n'))
    assert.equal(formatProof(parsed), example)
    const extra = Buffer.from('jackstay')
    const longer = formatProof({ ...parsed, extra })
    assert.equal(longer.split('\n')[1], 'extra amFja3N0YXk=')
    assert.deepEqual(parseProof(longer), { ...parsed, extra })
  })

  it('refuses what deviates from it', () => {
    for (const [from, to] of [
      ['@v1', '@v2'],
      ['index 73894', 'index 073894'],
      ['index 73894', 'index -1'],
      ['index 73894\n', ''],
      ['index 73894', 'extra *\nindex 73894'],
      ['gSKyXoY', 'gSKyXo'],
      ['5vk=\n\n', '5vk=\n'],
    ] as const) {
      assert.equal(parseProof(example.replace(from, to)), undefined, to)
    }
    const path = Array.from({ length: 64 }, () => Buffer.alloc(32))
    assert.throws(() => formatProof({ index: 1, path, checkpoint: 'x\n' }), {
      code: 'invalid_request',
    })
  })

  it('proves each leaf of a log, and nothing else', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 70)
    const verifier = verifierFromVkey(ledger.key.vkey)
    const checkpoint = await ledger.store.checkpoint()
    for (let index = 0; index < 70; index++) {
      const path = await ledger.store.inclusionProof(index, 70)
      const leaf = await ledger.store.leaf(index)
      assert.ok(leaf !== undefined)
      const text = formatProof({ index, path, checkpoint })
      assert.ok(verifyProof(text, leaf.bytes, verifier).ok)
      assert.ok(!verifyProof(text, Buffer.from('{}'), verifier).ok)
      const moved = formatProof({ index: (index + 1) % 70, path, checkpoint })
      assert.ok(!verifyProof(moved, leaf.bytes, verifier).ok)
    }
  })

  it('T69: holds with no byte changed but those of the extra data', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 5)
    const leaf = await ledger.store.leaf(3)
    assert.ok(leaf !== undefined)
    const path = await ledger.store.inclusionProof(3, 5)
    const text = formatProof({ index: 3, path, checkpoint: await ledger.store.checkpoint() })
    const verifier = verifierFromVkey(ledger.key.vkey)
    const changes = fc.tuple(fc.nat({ max: text.length - 1 }), fc.constantFrom('A', '\n', '0'))
    fc.assert(
      fc.property(changes, ([at, character]) => {
        fc.pre(text[at] !== character)
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        assert.ok(!verifyProof(changed, leaf.bytes, verifier).ok, `${at}`)
      }),
      { numRuns: 400 },
    )
  })

  it('T69: refuses the proof of another log, or of one signed with another key', async () => {
    await using ledger = await testLedger()
    await fill(ledger.store, 2)
    const leaf = await ledger.store.leaf(0)
    assert.ok(leaf !== undefined)
    const path = await ledger.store.inclusionProof(0, 2)
    const forger = ledgerKeyFrom(generateSkey(ledger.key.name))
    const root = Buffer.from((await ledger.store.checkpoint()).split('\n')[2] ?? '', 'base64')
    const checkpoint = signCheckpoint({ origin: forger.name, size: 2, root }, [forger])
    const text = formatProof({ index: 0, path, checkpoint })
    assert.ok(verifyProof(text, leaf.bytes, verifierFromVkey(forger.vkey)).ok)
    const verdict = verifyProof(text, leaf.bytes, verifierFromVkey(ledger.key.vkey))
    assert.deepEqual(verdict, { ok: false, problem: 'not signed by a known key' })
  })
})
