import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inOrder } from './read-ahead.ts'

it('reads in order, so far ahead and no further', async () => {
  const started: number[] = []
  const seen: number[] = []
  const read = async (index: number) => {
    started.push(index)
    // the later one comes first
    for (let i = 0; i < 10 - index; i++) await undefined
    return index
  }
  for await (const index of inOrder(8, 3, read)) {
    seen.push(index)
    assert.ok(Math.max(...started) <= index + 3, `at ${index} it read ${started.join()}`)
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7])
})

it('throws what a read threw, at its turn', async () => {
  const seen: number[] = []
  const read = async (index: number) => {
    if (index === 2) throw new Error('the disk is gone')
    return index
  }
  const all = async () => {
    for await (const index of inOrder(5, 4, read)) {
      // rejected long before anybody waits for it: must not end the process
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(index)
    }
  }
  await assert.rejects(all(), /the disk is gone/)
  assert.deepEqual(seen, [0, 1])
})
