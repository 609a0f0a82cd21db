import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { backoffDelay } from './backoff.ts'
import { ManualClock, until } from './fake-api.ts'
import { type WorkQueue, workQueue } from './queue.ts'

const signal = new AbortController().signal
let queue: WorkQueue
afterEach(() => queue.stop())

/** A handler whose runs end when the test says so. */
function gate() {
  const runs: { key: string; end: (error?: Error) => void }[] = []
  const handle = (key: string) =>
    new Promise<void>((resolve, reject) =>
      runs.push({ key, end: (error) => (error ? reject(error) : resolve()) }),
    )
  return { runs, handle, keys: () => runs.map(({ key }) => key) }
}

describe('work queue', () => {
  it('works a key once however often it was added, and once more if added while it runs', async () => {
    const { runs, handle, keys } = gate()
    queue = workQueue({ handle })
    for (let i = 0; i < 5; i++) queue.add('a')
    assert.deepEqual(keys(), ['a'])
    queue.add('a')
    assert.deepEqual(keys(), ['a'], 'never two runs of one key at a time')
    runs[0]?.end()
    await until('the second run', () => runs.length === 2)
    runs[1]?.end()
    await queue.idle(signal)
    assert.deepEqual(keys(), ['a', 'a'])
    assert.equal(queue.size, 0)
  })

  it('works different keys side by side up to its concurrency', async () => {
    const { runs, handle, keys } = gate()
    queue = workQueue({ handle, concurrency: 2 })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    assert.deepEqual(keys(), ['a', 'b'])
    runs[1]?.end()
    await until('the third', () => runs.length === 3)
    assert.deepEqual(keys(), ['a', 'b', 'c'])
  })

  it('delays, and the soonest of several delays counts', async () => {
    const clock = new ManualClock()
    const { handle, keys } = gate()
    queue = workQueue({ handle, clock })
    queue.addAfter('a', 1_000)
    queue.addAfter('a', 100)
    queue.addAfter('a', 500)
    clock.advance(99)
    assert.deepEqual(clock.pending, [100])
    clock.advance(1)
    await until('it runs', () => keys().length === 1)
    assert.equal(queue.size, 1)
  })

  it('backs off after failures and starts over after success', async () => {
    const clock = new ManualClock()
    const { runs, handle } = gate()
    const errors: number[] = []
    queue = workQueue({
      handle,
      clock,
      random: () => 1,
      backoff: { minMs: 10, maxMs: 100 },
      onError: (_error, _key, attempt) => errors.push(attempt),
    })
    queue.add('a')
    for (const [attempt, delay] of [20, 40, 80, 100, 100].entries()) {
      runs[attempt]?.end(new Error('no'))
      await until('it waits', () => clock.pending.length === 1)
      assert.deepEqual(clock.pending, [delay])
      clock.advance(delay)
      await until('it runs again', () => runs.length === attempt + 2)
    }
    runs.at(-1)?.end()
    await queue.idle(signal)
    assert.deepEqual(errors, [0, 1, 2, 3, 4])
    queue.add('a')
    runs.at(-1)?.end(new Error('no'))
    await until('it waits', () => clock.pending.length === 1)
    assert.deepEqual(clock.pending, [20])
  })

  it('refuses keys beyond its bound, but not those it knows', () => {
    const { handle } = gate()
    queue = workQueue({ handle, maxKeys: 2, concurrency: 1, clock: new ManualClock() })
    queue.add('a')
    queue.addAfter('b', 100)
    assert.throws(() => queue.add('c'), { code: 'overloaded' })
    assert.throws(() => queue.addAfter('c', 1), { code: 'overloaded' })
    queue.add('a')
    queue.add('b')
    assert.equal(queue.size, 2)
  })

  it('drains: finishes what is ready, drops what is delayed, takes no more', async () => {
    const { runs, handle, keys } = gate()
    const clock = new ManualClock()
    queue = workQueue({ handle, concurrency: 1, clock })
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 1)
    const drained = queue.drain(signal)
    assert.throws(() => queue.add('d'), { code: 'draining' })
    clock.advance(1)
    runs[0]?.end(new Error('no')) // a failure while draining is not repeated
    await until('the last', () => runs.length === 2)
    runs[1]?.end()
    await drained
    await new Promise(setImmediate)
    assert.deepEqual(keys(), ['a', 'b'])
    assert.equal(queue.size, 0)
  })

  it('a drain out of time aborts the running handlers', async () => {
    const seen: string[] = []
    queue = workQueue({
      handle: (key, stop) =>
        new Promise((resolve) =>
          stop.addEventListener('abort', () => resolve(void seen.push(key))),
        ),
    })
    queue.add('a')
    await assert.rejects(queue.drain(AbortSignal.abort()), { code: 'not_ready' })
    assert.deepEqual(seen, ['a'])
  })

  it('never runs one key twice at a time and never loses one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (adds, concurrency) => {
          const running = new Set<string>()
          const pending = new Set<string>()
          queue = workQueue({
            concurrency,
            handle: async (key) => {
              assert.ok(!running.has(key))
              running.add(key)
              pending.delete(key)
              await new Promise(setImmediate)
              running.delete(key)
            },
          })
          for (const [key, pause] of adds) {
            pending.add(key)
            queue.add(key)
            if (pause) await new Promise(setImmediate)
          }
          await queue.idle(signal)
          assert.equal(pending.size, 0)
          queue.stop()
        },
      ),
      { numRuns: 50 },
    )
  })
})

it('a backoff delay stays within its bounds', () => {
  queue = workQueue({ handle: async () => {} })
  const bounds = fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 60_000 }))
  fc.assert(
    fc.property(
      fc.nat(10_000),
      bounds,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, [minMs, extra], random) => {
        const delay = backoffDelay(attempt, { minMs, maxMs: minMs + extra }, random)
        assert.ok(delay >= minMs && delay <= minMs + extra)
      },
    ),
  )
})
