import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Turns } from './turns.ts'

it('one agent has so many reads under way, and takes nobody else’s turn', async () => {
  const turns = new Turns(2, (running) => `${running} reads are under way`)
  const gate = Promise.withResolvers<void>()
  const running = ['a', 'a', 'b'].map((caller) => turns.take(caller, () => gate.promise))
  await assert.rejects(
    turns.take('a', async () => 1),
    { code: 'rate_limited' },
  )
  assert.equal(turns.size, 2)
  gate.resolve()
  await Promise.all(running)
  assert.equal(turns.size, 0)
  const failing = turns.take('a', () => Promise.reject(new TypeError('no')))
  await assert.rejects(failing, TypeError)
  assert.equal(turns.size, 0)
})
