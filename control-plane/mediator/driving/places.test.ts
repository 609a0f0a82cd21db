import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { workQueue } from '@jackstay/kube/queue'
import { places } from './places.ts'

/** A queue with room for two, whose first never ends by itself. */
function full(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gate = Promise.withResolvers<void>()
  const queue = workQueue({ concurrency: 1, maxKeys: 2, handle: () => gate.promise })
  t.after(async () => {
    gate.resolve()
    await queue.drain(AbortSignal.timeout(1000))
  })
  const seen = { behind: 0 }
  const open = places(queue, () => seen.behind++)
  return { open, seen }
}

describe('a full queue', () => {
  it('refuses a place, and asks once for what is open', (t) => {
    const { open, seen } = full(t)
    const took = ['a', 'b', 'c', 'd', 'e'].map((id) => open.take(id))
    assert.equal(took[0], true)
    assert.deepEqual(took.slice(3), [false, false])
    assert.equal(open.behind(), true)
    t.mock.timers.tick(60_000)
    assert.equal(seen.behind, 1)
  })

  it('is asked for again after it was caught up with, and was full again', (t) => {
    const { open, seen } = full(t)
    const overflow = () => ['a', 'b', 'c', 'd', 'e'].forEach((id) => void open.take(id))
    overflow()
    open.catchUp()
    assert.equal(open.behind(), false)
    t.mock.timers.tick(60_000)
    assert.equal(seen.behind, 0)
    overflow()
    t.mock.timers.tick(60_000)
    assert.equal(seen.behind, 1)
  })

  it('takes nothing more once it is closed, and asks nobody', (t) => {
    const { open, seen } = full(t)
    for (const id of ['a', 'b', 'c', 'd', 'e']) open.take(id)
    open.close()
    assert.equal(open.take('a'), false)
    t.mock.timers.tick(60_000)
    assert.equal(seen.behind, 0)
  })
})
