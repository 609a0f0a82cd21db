import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { generateSkey, ledgerKeyFrom } from './key.ts'
import { formatSkey, openNote, signerFromSkey, signNote, verifierFromVkey } from './note.ts'

/** The example of golang.org/x/mod/sumdb/note. */
const skey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const text =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const note = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`

describe('note', () => {
  it('signs and opens the reference example byte for byte', () => {
    const key = ledgerKeyFrom(skey)
    assert.equal(key.vkey, vkey)
    assert.equal(signNote(text, [key]), note)
    const opened = openNote(note, [verifierFromVkey(vkey)])
    assert.ok(opened.ok)
    assert.equal(opened.text, text)
    assert.deepEqual(
      opened.signers.map((one) => one.name),
      ['PeterNeumann'],
    )
  })

  it('refuses a note with any character changed', () => {
    const verifier = verifierFromVkey(vkey)
    fc.assert(
      fc.property(
        fc.nat({ max: note.length - 1 }),
        fc.constantFrom('x', '\n', ' ', '\0'),
        (at, c) => {
          const changed = note.slice(0, at) + c + note.slice(at + 1)
          fc.pre(changed !== note)
          assert.ok(!openNote(changed, [verifier]).ok)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('knows one spelling of a signature only', () => {
    const verifier = verifierFromVkey(vkey)
    // The last bits of the base64 text carry nothing, and Node skips characters it does not know.
    assert.ok(!openNote(note.replace('JnAM=', 'JnAN='), [verifier]).ok)
    assert.ok(!openNote(note.replace('JnAM=', 'Jn*AM='), [verifier]).ok)
    assert.ok(!openNote(note.replace('JnAM=', 'JnAM'), [verifier]).ok)
  })

  it('passes over unknown signers, wants one known, and lets no known one fail', () => {
    const verifier = verifierFromVkey(vkey)
    const other = ledgerKeyFrom(generateSkey('jackstay.dev/other'))
    const both = signNote(text, [other, ledgerKeyFrom(skey)])
    assert.ok(openNote(both, [verifier]).ok)
    assert.ok(!openNote(signNote(text, [other]), [verifier]).ok)
    assert.ok(
      !openNote(both.replace('x08go/Z', 'x08go/Y'), [verifier, verifierFromVkey(other.vkey)]).ok,
    )
  })

  it('refuses mangled keys and never repeats a private one', () => {
    for (let at = 0; at < vkey.length; at++) {
      assert.throws(() => verifierFromVkey(vkey.slice(0, at)), { code: 'invalid_config' })
    }
    for (let at = 0; at < skey.length; at++) {
      assert.throws(
        () => signerFromSkey(skey.slice(0, at)),
        (error: Error) => !error.message.includes('AYEKF'),
      )
    }
    assert.throws(() => formatSkey('with space', Buffer.alloc(32)), { code: 'invalid_config' })
  })

  it('opens a checkpoint only for its own origin and with a valid size and root', () => {
    const key = ledgerKeyFrom(generateSkey('jackstay.dev/c1'))
    const verifier = verifierFromVkey(key.vkey)
    const root = Buffer.alloc(32, 7)
    const good = openCheckpoint(
      signCheckpoint({ origin: key.name, size: 5, root }, [key]),
      verifier,
    )
    assert.deepEqual(good, { ok: true, checkpoint: { origin: key.name, size: 5, root } })
    const open = (body: string) => openCheckpoint(signNote(body, [key]), verifier).ok
    assert.ok(!open(`jackstay.dev/c2\n5\n${root.toString('base64')}\n`))
    assert.ok(!open(`${key.name}\n05\n${root.toString('base64')}\n`))
    assert.ok(!open(`${key.name}\n-1\n${root.toString('base64')}\n`))
    assert.ok(!open(`${key.name}\n5\n${root.toString('base64').slice(0, 8)}\n`))
    assert.ok(!open(`${key.name}\n5\n`))
  })
})
