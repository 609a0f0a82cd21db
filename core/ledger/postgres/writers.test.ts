import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { verifyLedger } from '../log/verify.ts'
import { openStore, type Store } from '../store/store.ts'
import { anAppend, origin } from '../store/store-builder.ts'
import { postgresLedgers } from './builder.ts'
import { openPostgresReader } from './reader.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())

const backends = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'jackstay-ledger' AND state <> 'idle' ORDER BY random() LIMIT 1`

/** Programs on one log, and everything they said is durable. */
class Writers {
  readonly acknowledged: string[] = []
  readonly #args: readonly string[]
  readonly #onLine: () => void
  #children: ChildProcess[] = []

  constructor(args: readonly string[], onLine: (count: number) => void) {
    this.#args = args
    this.#onLine = () => onLine(this.acknowledged.length)
  }

  start(name: string): void {
    const program = join(import.meta.dirname, 'writer.ts')
    const child = spawn(process.execPath, [program, ...this.#args, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children.push(child)
    createInterface(child.stdout).on('line', (line) => {
      // A killed program may leave half a line: what it did not finish saying does not count.
      if (!line.endsWith(' .')) return
      this.acknowledged.push(line)
      this.#onLine()
    })
  }

  async killOldest(): Promise<void> {
    const child = this.#children.shift()
    if (child === undefined) return
    assert.equal(child.exitCode, null, 'it was still at work')
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }

  async killAll(): Promise<void> {
    while (this.#children.length > 0) await this.killOldest()
  }
}

async function assertSound(store: Store, acknowledged: readonly string[]): Promise<void> {
  const size = await store.size()
  const said: unknown[] = []
  for (let i = 0; i < size; i++) said.push((await store.leaf(i))?.data)
  assert.equal(new Set(said).size, size, 'no append stands twice')
  const indexes = new Set<string>()
  for (const line of acknowledged) {
    const [intent, seq, index = ''] = line.split(' ')
    assert.equal(said[Number(index)], `${intent} ${seq}`, 'an acknowledged leaf stands where said')
    indexes.add(index)
  }
  assert.equal(indexes.size, acknowledged.length, 'no index was given twice')
  let events = 0
  for (const id of await store.open()) {
    const history = await store.events(id)
    assert.deepEqual(
      history.map(({ seq, leafIndexes }) => leafIndexes.map((i) => [seq, said[i]])),
      history.map((_, i) => [[i + 1, `${id} ${i + 1}`]]),
    )
    assert.equal((await store.intent(id))?.seq, history.length)
    events += history.length
  }
  assert.equal(events, size, 'events and leaves are one')
}

describe('several programs on one log', () => {
  it('T46 T47 lose, repeat and skip nothing while backends and programs are killed', async () => {
    const skey = generateSkey(origin)
    const key = ledgerKeyFrom(skey)
    const schema = 'replicas'
    const first = await openStore({ url: server.url, schema, origin, key })
    const early = await first.checkpoint()
    const enough = Promise.withResolvers<void>()
    let ended = 0
    let next = 3
    const writers = new Writers([server.url, schema, skey], (count) => {
      if (count % 30 === 0) void server.query(backends).then(({ length }) => (ended += length))
      if (count % 250 === 0) {
        writers.start(`p${next++}`)
        void writers.killOldest()
      }
      if (count === 1000) enough.resolve()
    })
    for (const name of ['p0', 'p1', 'p2']) writers.start(name)
    await enough.promise
    await writers.killAll()
    assert.ok(ended > 10 && next > 5, 'backends and programs were killed')
    await assertSound(first, writers.acknowledged)
    const shared = writers.acknowledged.filter((line) => line.startsWith('shared-'))
    assert.ok(shared.length > 20, 'some worked on the same intents')
    const read = await openPostgresReader({ url: server.url, schema })
    const verdict = await verifyLedger({ read, vkey: key.vkey, knownCheckpoint: early })
    assert.ok(verdict.ok)
    await read.close()
    await first.close()
  })

  it('T47 a claim holds for all of them, by the clock of the database alone', async () => {
    await using ledger = await postgresLedgers(server)()
    const other = await ledger.another()
    const { store, clock } = ledger
    const old = await store.claim('i1', 'a', 60_000)
    assert.ok(old)
    assert.equal(await other.claim('i1', 'b', 60_000), undefined)
    await store.append(anAppend({ fence: old.fence }))
    await clock.advance(60_000)
    const late = anAppend({ fence: old.fence, expectedSeq: 1 })
    await assert.rejects(store.append(late), { code: 'intent_conflict' })
    const fresh = await other.claim('i1', 'b', 60_000)
    assert.ok(fresh && fresh.fence > old.fence)
    const both = await Promise.allSettled([
      store.append(late),
      other.append({ ...late, fence: fresh.fence }),
    ])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    assert.equal(await store.renew('i1', old.fence, 60_000), false)
    assert.equal(await store.release('i1', fresh.fence), true, 'a fence is known to all')
    await other.close()
  })

  it('T01 one sees at once what another has stored', async () => {
    await using ledger = await postgresLedgers(server)()
    const other = await ledger.another()
    await ledger.store.append(
      anAppend({ index: { kid: 'k', jwsDigest: 'd' }, leaves: [{ kind: 'decision', data: 1 }] }),
    )
    assert.deepEqual(await other.replay('k', 'i1', 'd'), { kind: 'same', intentId: 'i1' })
    assert.equal(await other.size(), 1)
    assert.equal(await other.checkpoint(), await ledger.store.checkpoint())
    await other.close()
  })
})
