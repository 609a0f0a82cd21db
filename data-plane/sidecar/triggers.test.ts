import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Trigger } from '@jackstay/contract/trigger'
import { clockAt, startApp } from './sidecar-world.ts'
import { inboxOf } from './triggers.ts'

const never = new AbortController().signal
const alert = (id: string): Trigger => ({
  ...{ id, source: 'alertmanager', status: 'firing', fingerprint: 'f', groupKey: 'g' },
  ...{ startsAt: '2026-01-05T12:00:00Z', receivedAt: '2026-01-05T12:00:00Z' },
  ...{ labels: {}, annotations: {} },
})

function start() {
  const clock = clockAt()
  const batches: Trigger[][] = []
  const line = { triggers: async () => ({ triggers: batches.shift() ?? [] }) }
  return { clock, batches, inbox: inboxOf(line, clock, 'run') }
}

describe('the inbox', () => {
  it('holds alerts as long as their lease, and goes on after the last one seen', async () => {
    const { clock, batches, inbox } = start()
    batches.push([alert('a'), alert('b')], [alert('c')])
    assert.equal((await inbox.pull(0, never)).length, 2)
    await inbox.pull(0, never)
    const ids = (list: ReturnType<typeof inbox.held>) => list.map(({ trigger }) => trigger.id)
    assert.deepEqual(ids(inbox.held()), ['a', 'b', 'c'])
    const [, b] = inbox.held()
    assert.deepEqual(ids(inbox.after(b?.id)), ['c'])
    assert.deepEqual(ids(inbox.after('earlier-7')), ['a', 'b', 'c'])
    clock.at += 5 * 60_000
    assert.deepEqual(ids(inbox.held()), [])
  })

  it('holds an alert that comes again once, as news, and never more than its bound', async () => {
    const { batches, inbox } = start()
    batches.push([alert('a'), alert('b')], [alert('a')])
    await inbox.pull(0, never)
    const seen = inbox.held().at(-1)?.id
    await inbox.pull(0, never)
    assert.deepEqual(
      inbox.after(seen).map(({ trigger }) => trigger.id),
      ['a'],
    )
    batches.push(Array.from({ length: 100 }, (_, n) => alert(`n${n}`)))
    await inbox.pull(0, never)
    assert.equal(inbox.held().length, 64)
  })
})

describe('the stream of alerts', () => {
  it('begins with what is held, goes on where it was cut, and is bounded', async (t: TestContext) => {
    let handed = 0
    const { app } = await startApp(t, [
      async (c) => {
        if (handed++ === 0) return c.json({ triggers: [alert('a'), alert('b')] })
        await new Promise(setImmediate)
        return c.json({ triggers: [] })
      },
    ])
    const open = async (last?: string) => {
      const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': last }
      const response = await app.request('/v1/triggers/stream', { headers })
      const reader = response.body?.getReader()
      return { response, reader }
    }
    const first = await open()
    const events = await until(first.reader, /"id":"b"/)
    assert.match(events, /event: trigger/)
    const resumed = await open('run-1')
    const rest = await until(resumed.reader, /"id":"b"/)
    assert.doesNotMatch(rest, /"id":"a"/)
    const others = [await open(), await open()]
    assert.equal((await open()).response.status, 429)
    for (const { reader } of [first, resumed, ...others]) await reader?.cancel()
    // their places are free as soon as their loops have noticed
    let again = await open()
    while (again.response.status === 429) {
      await new Promise(setImmediate)
      again = await open()
    }
    assert.equal(again.response.status, 200)
    await again.reader?.cancel()
  })
})

async function until(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  seen: RegExp,
): Promise<string> {
  let text = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (value) text += new TextDecoder().decode(value)
    if (done || seen.test(text)) return text
  }
}
