import assert from 'node:assert/strict'
import { it } from 'node:test'
import { recentIds } from './recent-ids.ts'

const signedForMs = 60_000

it('an id that has not come since is new only once anything signed before has expired (T01)', () => {
  let now = 0
  const ids = recentIds(() => now)
  assert.equal(ids.mayHaveCome('a'), true, 'it may have come to the program before this one')
  now = 2 * signedForMs
  assert.equal(ids.mayHaveCome('a'), false)
  ids.add('a')
  now += signedForMs
  ids.add('b')
  assert.equal(ids.mayHaveCome('a'), true)
})

it('what is too much to remember makes every id doubtful for as long as a signature lives (T13)', () => {
  let now = 0
  const ids = recentIds(() => now, 2)
  now = 2 * signedForMs
  for (const id of ['a', 'b', 'c']) ids.add(id)
  assert.equal(ids.mayHaveCome('a'), true)
  assert.equal(ids.mayHaveCome('another'), true)
  now += 2 * signedForMs
  assert.equal(ids.mayHaveCome('another'), false)
})
