import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lateAnswers } from './late-answers.ts'

const { signal } = new AbortController()

/** Whether it is still held after everything that was due at once has run. */
async function isHeld(answer: Promise<unknown>): Promise<boolean> {
  const soon = new Promise<'soon'>((resolve) => setImmediate(() => resolve('soon')))
  return (await Promise.race([answer, soon])) === 'soon'
}

describe('answers to a flood (T02)', () => {
  it('are held back, but not without bounds, and of one caller alone', async () => {
    const late = lateAnswers(60_000)
    const gone = new AbortController()
    const answers = Array.from({ length: 64 }, () => late.due('a', gone.signal))
    assert.ok(await isHeld(Promise.race(answers)))
    assert.equal(await late.due('a', signal), false)
    assert.ok(await isHeld(late.due('b', gone.signal)))
    gone.abort()
    assert.ok((await Promise.all(answers)).every((held) => held))
    const after = new AbortController()
    assert.ok(await isHeld(late.due('a', after.signal)))
    after.abort()
  })

  it('come after a while', async () => {
    const from = performance.now()
    // the timer keeps no program running: something else has to
    const running = setInterval(() => undefined, 1000)
    await lateAnswers(100).due('a', signal)
    clearInterval(running)
    assert.ok(performance.now() - from >= 45)
  })

  it('do not come all at once: their connections would ask again in one moment', async () => {
    const running = setInterval(() => undefined, 1000)
    const late = lateAnswers(200)
    const came = Array.from({ length: 30 }, async () => {
      await late.due('a', signal)
      return performance.now()
    })
    const moments = await Promise.all(came)
    clearInterval(running)
    assert.ok(Math.max(...moments) - Math.min(...moments) > 20)
  })
})
