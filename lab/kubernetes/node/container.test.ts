import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LabClock } from '../clock.ts'
import { textAt } from '../resources/columns.ts'
import { type Behaviour, wellBehaved } from './behaviour.ts'
import { type Living, live } from './container.ts'

const start = Date.UTC(2026, 0, 1)

/** What a container goes through in so many seconds, looked at whenever something is due. */
function lifeOf(
  behaviour: Behaviour | undefined,
  seconds: number,
  container: object = {},
  restarts = 'Always',
) {
  const seen: string[] = []
  let before: Living['before']
  let now = start
  const clock = new LabClock({ now: () => now })
  while (now <= start + seconds * 1000) {
    const { status, dueMs } = live({
      ...{ container: { name: 'c', image: 'test/c:1', ...container }, behaviour },
      ...{ before, missing: undefined, restarts, here: now - start, clock },
    })
    before = status
    const word =
      textAt(status, 'state.waiting.reason') || (status.ready === true ? 'ready' : 'running')
    if (seen.at(-1) !== word) seen.push(word)
    now += dueMs === undefined ? seconds * 1000 : Math.max(1, dueMs)
  }
  return { seen, before }
}

describe('a container', () => {
  it('starts, and is ready a while later', () => {
    const { seen, before } = lifeOf(wellBehaved, 5)
    assert.deepEqual(seen, ['ContainerCreating', 'running', 'ready'])
    assert.equal(before?.restartCount, 0)
  })

  it('that crashes is started again at once, then ever later', () => {
    const crashing = { ...wellBehaved, readyMs: undefined, exit: { code: 1, afterMs: 500 } }
    const { seen, before } = lifeOf(crashing, 40)
    assert.deepEqual(seen.slice(0, 4), [
      'ContainerCreating',
      'running',
      'CrashLoopBackOff',
      'running',
    ])
    assert.equal(before?.restartCount, 3)
    assert.equal(textAt(before, 'lastState.terminated.exitCode'), '1')
  })

  it('is killed where it needs more memory than it may have', () => {
    const resources = { limits: { memory: '16Mi' } }
    const { before } = lifeOf(wellBehaved, 30, { resources })
    assert.equal(textAt(before, 'lastState.terminated.reason'), 'OOMKilled')
    assert.equal(
      lifeOf(wellBehaved, 30, { resources: { limits: { memory: '64Mi' } } }).before?.ready,
      true,
    )
  })

  it('of an image that nobody has never starts', () => {
    assert.deepEqual(lifeOf(undefined, 10).seen, ['ErrImagePull', 'ImagePullBackOff'])
  })
})
