import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonical } from '@jackstay/contract/json'
import { encodeLeaf } from '@jackstay/ledger/leaf'
import { seal } from '@jackstay/ledger/sealed'
import { askPeople, Line } from '../line/line-builder.ts'
import type { Leaf } from '../ports.ts'

/** The bytes that the log hashes for ever. */
function bytesOf({ sealed, ...leaf }: Leaf): string {
  return Buffer.from(encodeLeaf({ ...leaf, sealed: seal(sealed).commitments })).toString()
}

const ways: { readonly [name: string]: () => Promise<Line> } = {
  async 'refused for its parameters'() {
    const line = new Line({ 'param-secret': 'param-secret' })
    assert.equal(await line.toEnd(), 'refused/invalid_params')
    return line
  },
  async 'denied with a message'() {
    const line = new Line()
    const rules = [{ name: 'd', deny: { when: 'true', message: 'message-secret' } }]
    line.policies = [{ ...askPeople, rules }]
    assert.equal(await line.toEnd(), 'refused/denied')
    return line
  },
  async 'refused by the API server after an approval'() {
    const line = new Line()
    line.policies = [askPeople]
    await line.go()
    line.approve({ reason: 'reason-secret' })
    line.cluster.lose = Array.from({ length: 20 }, () => 'refused')
    assert.equal(await line.toEnd(), 'failed/write_refused')
    return line
  },
}

describe('T72 what may have to be erased is never in the bytes of a leaf', () => {
  const words = ['because', 'param-secret', 'message-secret', 'reason-secret', 'admission said no']
  const seen = new Set<string>()
  for (const [name, way] of Object.entries(ways)) {
    it(name, async () => {
      const { leaves } = await way()
      assert.ok(leaves.length > 0)
      for (const leaf of leaves) {
        const bytes = bytesOf(leaf)
        for (const word of words) {
          assert.ok(!bytes.includes(word), `${leaf.kind} shows ${word}: ${bytes}`)
          if (canonical(leaf.sealed).includes(word)) seen.add(word)
        }
        assert.ok(!bytes.includes('"replicas"'), 'no values of a plan either')
      }
    })
  }

  it('and stands sealed beside it', () => {
    assert.deepEqual(
      words.filter((word) => !seen.has(word)),
      [],
    )
  })
})
