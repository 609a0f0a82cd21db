import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { reads } from '@jackstay/contract/reads'
import { AgentReader } from './agent.ts'
import { listOf, startApiServer } from './api-server-world.ts'
import { readEvents } from './events.ts'

const agent = { namespace: 'jackstay-class-web', name: 'fixer' }
const path = '/api/v1/namespaces/shop/events'

function eventOf(n: number, changes: object = {}) {
  return {
    metadata: { name: `e${n}`, namespace: 'shop' },
    involvedObject: { kind: 'Pod', name: 'web-0', namespace: 'shop', uid: 'u' },
    type: 'Warning',
    reason: 'BackOff',
    message: `said ${n}`,
    count: 1,
    source: { component: 'kubelet' },
    firstTimestamp: `2026-01-05T12:00:0${n}Z`,
    lastTimestamp: `2026-01-05T12:00:0${n}Z`,
    ...changes,
  }
}

async function start(t: TestContext) {
  const server = await startApiServer(t)
  const reader = new AgentReader(server.client, agent, new AbortController().signal)
  const read = (question: object) => readEvents(reader, reads.events.request.parse(question))
  return { ...server, read }
}

describe('events', () => {
  it('come newest first, and equal ones are one with their count', async (t) => {
    const { read, answers, asked } = await start(t)
    const again = { message: 'said 1', count: 4 }
    answers.set(path, listOf('Event', [eventOf(1), eventOf(3), eventOf(2), eventOf(5, again)]))
    const { events, truncated } = await read({ kind: 'Pod', namespace: 'shop', name: 'web-0' })
    assert.deepEqual(
      events.map(({ message, count, firstSeen, lastSeen }) => [
        message,
        count,
        firstSeen,
        lastSeen,
      ]),
      [
        ['said 1', 5, '2026-01-05T12:00:01Z', '2026-01-05T12:00:05Z'],
        ['said 3', 1, '2026-01-05T12:00:03Z', '2026-01-05T12:00:03Z'],
        ['said 2', 1, '2026-01-05T12:00:02Z', '2026-01-05T12:00:02Z'],
      ],
    )
    assert.equal(truncated, false)
    const query = new URL(asked[0]?.url ?? '', 'http://x').searchParams
    assert.equal(query.get('fieldSelector'), 'involvedObject.kind=Pod,involvedObject.name=web-0')
  })

  it('read the newer form of events, and whatever else is odd', async (t) => {
    const { read, answers } = await start(t)
    const series = { count: 9, lastObservedTime: '2026-01-05T13:00:00.000001Z' }
    const newer = { count: null, firstTimestamp: null, lastTimestamp: null, source: {}, series }
    const eventTime = '2026-01-05T12:30:00.000000Z'
    const reportingComponent = 'scheduler'
    answers.set(
      path,
      listOf('Event', [
        eventOf(1, { ...newer, eventTime, reportingComponent }),
        { metadata: { name: 'odd', creationTimestamp: '2026-01-05T11:00:00Z' } },
        { metadata: { name: 'wrong' }, message: 7 },
      ]),
    )
    const { events } = await read({ namespace: 'shop' })
    assert.deepEqual(
      events.map(({ count, lastSeen, source }) => [count, lastSeen, source]),
      [
        [9, '2026-01-05T13:00:00.000001Z', 'scheduler'],
        [1, '2026-01-05T11:00:00Z', ''],
      ],
    )
  })

  it('T38 T61 are somebody else’s words: cleaned, cut, marked', async (t) => {
    const { read, answers } = await start(t)
    const message = `token=hunter2 \u001b[31m ${'x '.repeat(2000)}`
    answers.set(path, listOf('Event', [eventOf(1, { message, reason: 'a\u202eb' })]))
    const { events, untrusted, withheld } = await read({ namespace: 'shop' })
    assert.match(events[0]?.message ?? '', /^token=\[redacted\] \\u\{1b\}\[31m x x/)
    assert.ok((events[0]?.message.length ?? 0) <= 1024)
    assert.equal(events[0]?.reason, 'a\\u{202e}b')
    assert.deepEqual({ untrusted, withheld }, { untrusted: true, withheld: 1 })
  })

  it('are read page by page within a bound, and say when there were more', async (t) => {
    const { read, answers, asked } = await start(t)
    answers.set(path, listOf('Event', [eventOf(1)], 'next'))
    const { truncated } = await read({ namespace: 'shop' })
    assert.equal(truncated, true)
    assert.equal(asked.length, 4)
    answers.set(path, listOf('Event', [eventOf(1), eventOf(2)]))
    assert.equal((await read({ namespace: 'shop', limit: 1 })).truncated, true)
  })

  it('about a node stand in `default`', async (t) => {
    const { read, asked, answers } = await start(t)
    answers.set('/api/v1/namespaces/default/events', listOf('Event', []))
    await read({ kind: 'Node', name: 'n1' })
    assert.match(asked[0]?.url ?? '', /^\/api\/v1\/namespaces\/default\/events\?/)
    await assert.rejects(read({ kind: 'Pod', name: 'web-0' }), { code: 'invalid_request' })
    await assert.rejects(read({ kind: 'Secret', namespace: 'shop' }), { code: 'forbidden' })
  })
})
