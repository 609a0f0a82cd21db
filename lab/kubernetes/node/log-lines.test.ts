import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../objects.ts'
import { logLines, runOf } from './log-lines.ts'

const name = 'web'
const began = '2026-01-01T00:00:00Z'
const from = Date.parse(began)

function pod(status: object): KubeObject {
  return {
    metadata: { name: 'p', uid: 'u' },
    spec: { containers: [{ name, image: 'shop:2' }] },
    status: { containerStatuses: [{ name, ...status }] },
  }
}

const running = { state: { running: { startedAt: began } } }
const ended = (reason: string, exitCode: number) => ({
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { reason, exitCode, startedAt: began, finishedAt: began } },
})

function said(status: object, now = from, says: readonly string[] = [], previous = false) {
  const run = runOf(pod(status), name, previous)
  return run && logLines(run, now, says).map(({ text }) => text)
}

describe('what a container writes', () => {
  it('is that it starts, and what it serves as long as it runs', () => {
    assert.deepEqual(said(running), ['starting web, image shop:2'])
    const minute = said(running, from + 60_000)
    assert.equal(minute?.[2], 'serving on port 8080')
    assert.equal(minute?.filter((text) => text.startsWith('GET / 200')).length, 12)
    assert.deepEqual(said(running, from + 60_000), minute)
  })

  it('has its error as last words, and none where it was killed', () => {
    assert.deepEqual(said(ended('Error', 3), from, ['error: no database']), [
      ...['starting web, image shop:2', 'configuration read: 0 variables'],
      ...['error: no database', 'exiting with code 3'],
    ])
    assert.equal(said(ended('OOMKilled', 137))?.at(-1), 'loading into memory')
  })

  it('is of the run before only where there was one', () => {
    assert.equal(said(running, from, [], true), undefined)
    assert.equal(
      said({ ...ended('Error', 1), ...running }, from, [], true)?.at(-1),
      'exiting with code 1',
    )
    assert.equal(said({ state: { waiting: { reason: 'ContainerCreating' } } }), undefined)
  })

  it('is bounded, however long a run lasts', () => {
    const year = said(running, from + 365 * 24 * 3_600_000)
    assert.ok(year !== undefined && year.length < 2010)
  })
})
