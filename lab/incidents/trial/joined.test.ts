import assert from 'node:assert/strict'
import { it } from 'node:test'
import { eachStep } from './joined.ts'

it('every step is done, and what went wrong in any of them is told', async () => {
  const done: string[] = []
  const step = (name: string, error?: Error) => async () => {
    done.push(name)
    if (error !== undefined) throw error
  }
  const [first, third] = [new Error('the answer'), new Error('the end')]
  await assert.rejects(eachStep([step('a', first), step('b'), step('c', third)]), {
    message: 'the answer; then the end',
    errors: [first, third],
  })
  assert.deepEqual(done, ['a', 'b', 'c'])
  await assert.rejects(eachStep([step('a', first), step('b')]), (error) => error === first)
  await eachStep([step('a'), step('b')])
})
