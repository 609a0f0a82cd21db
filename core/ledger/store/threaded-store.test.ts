import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { JackstayError } from '@jackstay/contract/errors'
import { storeReader } from '../sqlite/reader.ts'
import { anAppend, testLedger } from './store-builder.ts'
import { openThreadedStore } from './threaded-store.ts'

describe('the thread of the store', () => {
  it('commits while the event loop of the caller stands still', async () => {
    await using ledger = await testLedger()
    const appended = ledger.store.appendLeaves([{ kind: 'decision', data: 'x' }])
    await turn()
    const reader = storeReader(ledger.directory)
    const deadline = Date.now() + 60_000
    let bytes: Uint8Array | undefined
    const read = reader.tile
    // never lets go of the loop for longer than a promise that is settled already
    while (bytes === undefined && Date.now() < deadline) bytes = await read('entries', 0, 1)
    reader.close()
    assert.ok(bytes !== undefined)
    assert.deepEqual(await appended, { leafIndexes: [0] })
  })

  it('keeps the order of calls, and the code and cause of errors', async () => {
    await using ledger = await testLedger()
    const { store } = ledger
    const calls = [
      store.append(anAppend()),
      store.append(anAppend({ expectedSeq: 1 })),
      store.append(anAppend({ expectedSeq: 1 })),
      store.append(anAppend({ expectedSeq: 2 })),
    ]
    const results = await Promise.allSettled(calls)
    assert.deepEqual(
      results.map((one) => (one.status === 'fulfilled' ? one.value.seq : one.reason.code)),
      [1, 2, 'intent_conflict', 3],
    )
    const [, , conflict] = results
    assert.ok(conflict?.status === 'rejected' && conflict.reason instanceof JackstayError)
    assert.equal(conflict.reason.status, 409)
  })

  it('takes the time of the call with the call', async () => {
    await using ledger = await testLedger()
    const { store, clock } = ledger
    await store.claim('i1', 'a', 1000)
    const early = store.claim('i1', 'b', 1000)
    clock.time += 1000
    assert.equal(await early, undefined)
    assert.equal((await store.claim('i1', 'b', 1000))?.fence, 2)
  })

  it('refuses what cannot be sent, and goes on', async () => {
    await using ledger = await testLedger()
    const { store } = ledger
    const unsendable: unknown = () => 0
    const broken = { limit: 1, phase: unsendable }
    const [before, refused] = await Promise.allSettled([
      store.append(anAppend()),
      Reflect.apply(store.list, store, [broken]),
    ])
    assert.equal(before.status, 'fulfilled')
    assert.ok(refused.status === 'rejected')
    assert.equal(refused.reason.code, 'invalid_request')
    assert.equal((await store.events('i1')).length, 1)
  })

  it('fails everything and ends the program once the thread is gone', async () => {
    await using ledger = await testLedger()
    const { directory, key, clock } = ledger
    await ledger.store.close()
    const ends: JackstayError[] = []
    const workers: Worker[] = []
    const store = await openThreadedStore(
      { directory, origin: key.name, key, clock, fatal: (error) => ends.push(error) },
      (workerData) => {
        const worker = new Worker(new URL('./store-worker.ts', import.meta.url), { workerData })
        workers.push(worker)
        return worker
      },
    )
    const pending = assert.rejects(store.append(anAppend()), { code: 'not_ready' })
    await workers[0]?.terminate()
    await pending
    await assert.rejects(store.size(), /the thread of the ledger has ended/)
    assert.equal(ends.length, 1)
    await store.close()
    await rm(directory, { recursive: true })
  })
})
