import assert from 'node:assert/strict'
import { it } from 'node:test'
import { waiting } from './waiting.ts'

it('one caller holds eight long polls, another is not touched, and places come back (T02)', async () => {
  const desk = waiting()
  const end = Promise.withResolvers<void>()
  const held = Array.from({ length: 8 }, () => desk.take('a', () => end.promise))
  await assert.rejects(
    desk.take('a', async () => undefined),
    { code: 'rate_limited' },
  )
  assert.equal(await desk.take('b', async () => 'served'), 'served')
  end.resolve()
  await Promise.all(held)
  assert.equal(await desk.take('a', async () => 'again'), 'again')
})
