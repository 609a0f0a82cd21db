import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import {
  cosignatureVerifier,
  cosignedAt,
  cosignerFromSkey,
  formatCosignerSkey,
  withSignatures,
} from './cosignature.ts'
import { generateSkey, ledgerKeyFrom } from './key.ts'
import { openNote, parseSignatureLine, signNote, verifierFromVkey } from './note.ts'

const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'

/** Made by filippo.io/torchwood v0.6.1 from the seed 00 01 … 1f. */
const theirs = {
  vkey: 'witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4',
  time: 0x6b072f78,
  line: '— witness.example/w1 519lMgAAAABrBy94aDcgY59pQMeIV4hDVWVFNq1g/Voa9aXdL1Lqu0+Y+duC8HgVcp3nidNrEs4T0/IJYkBdpKvRs/OgItjC9MteDA==\n',
}
const seed = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
const cosigner = cosignerFromSkey(formatCosignerSkey('witness.example/w1', seed))

describe('cosignature', () => {
  it('signs and opens as another implementation does, byte for byte', () => {
    assert.equal(cosigner.vkey, theirs.vkey)
    assert.equal(cosigner.cosign(text, theirs.time), theirs.line)
    const verifier = cosignatureVerifier(theirs.vkey)
    const note = `${text}\n${theirs.line}`
    assert.ok(openNote(note, [verifier]).ok)
    assert.deepEqual([...cosignedAt(note, [verifier]).values()], [theirs.time])
  })

  it('reads the time in the example of the specification', () => {
    const line =
      '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=='
    const parsed = parseSignatureLine(line)
    const known = { name: 'witness.example.com/w1', keyId: '8d66cf3f', verify: () => true }
    assert.equal(parsed?.keyId, known.keyId)
    assert.deepEqual([...cosignedAt(`${text}\n${line}\n`, [known]).values()], [1679315147])
  })

  it('refuses another text, another time, a cut signature and a time beyond 2^63', () => {
    const verifier = cosignatureVerifier(theirs.vkey)
    const opens = (body: string, line: string) => openNote(`${body}\n${line}`, [verifier]).ok
    assert.ok(!opens(text.replace('20852163', '20852164'), theirs.line))
    assert.ok(!opens(`${text}an extension\n`, theirs.line))
    const bytes = Buffer.from(theirs.line.split(' ')[2] ?? '', 'base64')
    const line = (change: Uint8Array) =>
      `— witness.example/w1 ${Buffer.from(change).toString('base64')}\n`
    assert.ok(opens(text, line(bytes)))
    for (let at = 4; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 0x80
      assert.ok(!opens(text, line(changed)), `byte ${at}`)
    }
    assert.ok(!opens(text, line(bytes.subarray(0, -1))))
    assert.ok(!opens(text, line(Buffer.concat([bytes, Buffer.of(0)]))))
  })

  it('keeps the keys of logs and witnesses apart', () => {
    const log = ledgerKeyFrom(generateSkey('log.example'))
    assert.throws(() => cosignatureVerifier(log.vkey), { code: 'invalid_config' })
    assert.throws(() => verifierFromVkey(theirs.vkey), { code: 'invalid_config' })
    assert.throws(() => cosignerFromSkey(generateSkey('log.example')), { code: 'invalid_config' })
    assert.throws(() => ledgerKeyFrom(formatCosignerSkey('log.example', seed)), {
      code: 'invalid_config',
    })
  })

  it('stands on a checkpoint beside the signature of the log, once', () => {
    const log = ledgerKeyFrom(generateSkey('log.example'))
    const root = Buffer.alloc(32, 3)
    const note = signCheckpoint({ origin: log.name, size: 9, root }, [log])
    const line = cosigner.cosign(note.slice(0, note.indexOf('\n\n') + 1), 7)
    const both = withSignatures(note, [line])
    assert.equal(withSignatures(both, [line]), both)
    const verifiers = [verifierFromVkey(log.vkey), cosignatureVerifier(cosigner.vkey)]
    const opened = openNote(both, verifiers)
    assert.equal(opened.ok && opened.signers.length, 2)
    assert.ok(openCheckpoint(both, verifierFromVkey(log.vkey)).ok)
    // Somebody's bad signature must not be passed over as if it were not there.
    assert.ok(!openNote(both.replace('\n9\n', '\n8\n'), verifiers).ok)
    assert.ok(signNote(text, [log]).includes('— log.example '))
  })
})
