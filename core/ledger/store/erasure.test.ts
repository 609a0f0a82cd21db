import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { leafHash, verifyConsistency, verifyInclusion } from '../log/tree.ts'
import { verifyLedger } from '../log/verify.ts'
import { storeReader } from '../sqlite/reader.ts'
import { because, day, found, intent, policy } from './erasure-builder.ts'
import { parsePolicy } from './retention.ts'
import { opens } from './sealed.ts'
import { type TestLedger, testLedger } from './store-builder.ts'

interface Known {
  readonly id: string
  readonly secret: string
  readonly leaf: number
  /** When a refusal may be pruned, in milliseconds since the epoch. */
  readonly until: number
  erased: boolean
}

type Step =
  | { readonly do: 'append'; readonly count: number }
  | { readonly do: 'redact'; readonly which: number; readonly params: boolean }
  | { readonly do: 'hold'; readonly which: number }
  | { readonly do: 'lift' }
  | { readonly do: 'age'; readonly days: number }
  | { readonly do: 'prune' }

/** Short for every class, so that what the steps themselves write does not stop every prune. */
const short = {
  version: 1 as const,
  keep: Object.fromEntries(Object.keys(policy.keep).map((kind) => [kind, '10d'])),
}

/** Every kind of step with an effect: what random steps may miss. */
const example: Step[] = [
  { do: 'hold', which: 270 },
  { do: 'redact', which: 3, params: true },
  { do: 'redact', which: 270, params: false },
  { do: 'age', days: 12 },
  { do: 'prune' },
  { do: 'append', count: 300 },
  { do: 'prune' },
  { do: 'lift' },
  { do: 'redact', which: 3, params: true },
  { do: 'redact', which: 270, params: false },
  { do: 'redact', which: 270, params: false },
  { do: 'age', days: 12 },
  { do: 'prune' },
]

const which = fc.nat({ max: 2 ** 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant('redact' as const), which, params: fc.boolean() }),
  fc.record({ do: fc.constant('hold' as const), which }),
  fc.constant({ do: 'lift' as const }),
  fc.record({ do: fc.constant('age' as const), days: fc.integer({ min: 1, max: 12 }) }),
  fc.constant({ do: 'prune' as const }),
)

/** A ledger and what it must be able to show and must not. */
class Model {
  readonly #ledger: TestLedger
  readonly #known: Known[] = []
  readonly #checkpoints: { size: number; root: Buffer; note: string }[] = []
  readonly #held: Known[] = []
  /** The model's own: how far leaves may be gone. */
  #pruned = 0

  constructor(ledger: TestLedger) {
    this.#ledger = ledger
  }

  async take(one: Step): Promise<void> {
    const { store, clock } = this.#ledger
    switch (one.do) {
      case 'append': {
        const at = clock.now()
        const from = this.#known.length
        const added = Array.from({ length: one.count }, async (_, i) => {
          const id = `i${from + i}`
          const secret = `secret-of-${id}-`
          const leaf = await intent(store, id, { at, secret })
          return { id, secret, leaf, until: at + 10 * day, erased: false }
        })
        this.#known.push(...(await Promise.all(added)))
        break
      }
      case 'redact':
        return this.#redact(one)
      case 'hold': {
        const known = this.#known[one.which % this.#known.length]
        if (known === undefined || this.#held.includes(known)) return
        await store.putHold({ id: known.id, scope: { intent: known.id }, ...because })
        this.#held.push(known)
        break
      }
      case 'lift': {
        const known = this.#held.shift()
        if (known !== undefined) await store.liftHold({ id: known.id, ...because })
        break
      }
      case 'age':
        clock.time += one.days * day
        break
      case 'prune':
        return this.#prune()
    }
  }

  async #redact({ which, params }: Step & { do: 'redact' }): Promise<void> {
    const known = this.#known[which % this.#known.length]
    if (known === undefined) return
    const names = params ? ['params', 'reasoning', 'trigger', 'messages'] : undefined
    const request = { of: { intent: known.id }, ...(names && { names }), ...because }
    const { store } = this.#ledger
    if (known.leaf < this.#pruned) {
      await assert.rejects(store.redact(request), { code: 'not_found' })
    } else if (this.#held.includes(known)) {
      await assert.rejects(store.redact(request), { code: 'retained' })
    } else {
      const { leafIndexes } = await store.redact(request)
      assert.equal(leafIndexes.length, known.erased ? 0 : 1, 'once')
      known.erased = true
    }
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#ledger
    const done = await store
      .prune({ policy: parsePolicy(short), ...because })
      .catch((error) => error)
    if (done instanceof Error) {
      assert.match(done.message, /^nothing was pruned: /)
      return
    }
    assert.equal(done.to % 256, 0)
    for (const known of this.#known) {
      if (known.leaf < this.#pruned || known.leaf >= done.to) continue
      assert.ok(clock.now() >= known.until, `${known.id} was pruned before its time`)
      assert.ok(!this.#held.includes(known), `${known.id} was pruned under a hold`)
    }
    this.#pruned = done.to
  }

  async check(): Promise<void> {
    const { store, directory, key } = this.#ledger
    const read = storeReader(directory)
    const earlier = this.#checkpoints.at(-1)
    const known = earlier === undefined ? {} : { knownCheckpoint: earlier.note }
    const verdict = await verifyLedger({ read, vkey: key.vkey, ...known })
    read.close()
    assert.ok(verdict.ok, JSON.stringify(verdict))
    assert.equal(verdict.minimum, this.#pruned)
    const { size } = verdict
    const root = Buffer.from(verdict.root, 'base64')
    for (const { size: from, root: fromRoot } of this.#checkpoints) {
      const proof = await store.consistencyProof(from, size)
      assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof }))
    }
    this.#checkpoints.push({ size, root, note: verdict.checkpoint })
    await this.#checkLeaves(size, root)
    const gone = this.#known.filter(({ leaf, erased }) => erased || leaf < this.#pruned)
    const left = await found(
      directory,
      gone.map(({ secret }) => secret),
    )
    assert.deepEqual(left, [], 'erased values in the files')
  }

  async #checkLeaves(size: number, root: Buffer): Promise<void> {
    const { store } = this.#ledger
    for (const { id, leaf: index, erased } of this.#known) {
      // a sample of those whose values stand, and every one whose value does not
      if (!erased && index % 17 !== 0) continue
      const leaf = await store.leaf(index)
      assert.equal(leaf === undefined, index < this.#pruned, `leaf ${index}`)
      if (leaf === undefined) continue
      const proof = await store.inclusionProof(index, size)
      assert.ok(verifyInclusion({ index, size, leaf: leafHash(leaf.bytes), proof, root }))
      for (const [name, value] of Object.entries(leaf.values)) {
        const commitment = leaf.sealed?.[name]
        assert.ok(commitment && opens(commitment, value), name)
      }
      assert.equal(Object.keys(leaf.values).length, erased ? 0 : 2, id)
      assert.equal(Object.keys(leaf.redacted).length, erased ? 2 : 0, id)
      assert.equal((await store.events(id)).length, 2)
    }
  }
}

it('T72 whatever is appended, redacted, held and pruned in whatever order: every proof that is left verifies, and nothing erased is found', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      await using ledger = await testLedger()
      const model = new Model(ledger)
      await model.take({ do: 'append', count: 300 })
      for (const one of steps) {
        await model.take(one)
        if (one.do === 'redact' || one.do === 'prune') await model.check()
      }
      await ledger.reopen()
      await model.check()
    }),
    // a run writes thousands of leaves: a failure is told at once, not after minutes of shrinking
    { numRuns: 6, endOnFailure: true, examples: [[example]] },
  )
})
