import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { together } from './together.ts'

/** A reading that ends when a test says so, with the value of that moment. */
function slow() {
  let now = 0
  const open: { readonly question: string; readonly end: () => void }[] = []
  const read = together((question: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const seen = `${question}${now}`
    const end = () => (question === 'bad' ? reject(new Error(seen)) : resolve(seen))
    open.push({ question, end })
    return promise
  })
  return { read, open, change: () => now++ }
}

describe('readings asked for together', () => {
  it('are one for all who asked before it began, and never one that had begun before', async () => {
    const { read, open, change } = slow()
    const first = read('a')
    change()
    const later = [read('a'), read('a'), read('a')]
    assert.equal(open.length, 1)
    open[0]?.end()
    assert.equal(await first, 'a0')
    await new Promise(setImmediate)
    assert.equal(open.length, 2)
    // this one comes after the second has begun
    change()
    const last = read('a')
    open[1]?.end()
    assert.deepEqual(await Promise.all(later), ['a1', 'a1', 'a1'])
    await new Promise(setImmediate)
    open[2]?.end()
    assert.equal(await last, 'a2')
    assert.equal(open.length, 3)
  })

  it('of different things do not wait for each other', async () => {
    const { read, open } = slow()
    const both = [read('a'), read('b')]
    assert.deepEqual(
      open.map(({ question }) => question),
      ['a', 'b'],
    )
    open[1]?.end()
    assert.equal(await both[1], 'b0')
    open[0]?.end()
    assert.equal(await both[0], 'a0')
  })

  it('fail for those who shared it, and are tried again by the next', async () => {
    const { read, open } = slow()
    const first = read('bad')
    const second = read('bad')
    open[0]?.end()
    await assert.rejects(first, /bad0/)
    await new Promise(setImmediate)
    open[1]?.end()
    await assert.rejects(second, /bad0/)
    const third = read('bad')
    open[2]?.end()
    await assert.rejects(third, /bad0/)
    assert.equal(open.length, 3)
  })
})
