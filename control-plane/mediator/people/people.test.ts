import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { IntentEvent } from '@jackstay/contract/history'
import type { Json } from '@jackstay/contract/json'
import { inbox } from '@jackstay/contract/people-api'
import type { IntentSummary, StoredEvent } from '@jackstay/ledger/store'
import { askPeople, Line } from '../line/line-builder.ts'
import type { IntentObjectView } from '../ports.ts'
import { changes } from '../reading/changes.ts'
import { listOf } from '../reading/views.ts'
import { inboxOf } from './inbox.ts'
import { recent } from './recent.ts'
import { sightings } from './sightings.ts'
import { summaries } from './summaries.ts'

const waitingCount = 10_000

/** A store with one history, which everybody has; it counts how often one is read. */
function counting(events: readonly IntentEvent[]) {
  const reads: string[] = []
  const rows = events.map(
    ({ type, at, data }, i): StoredEvent => ({
      type,
      at,
      data: data as Json,
      seq: i + 1,
      leafIndexes: [],
    }),
  )
  return {
    reads,
    events: async (id: string) => {
      reads.push(id)
      return rows
    },
  }
}

const base = Date.parse('2026-01-01T12:00:00Z')
function object(i: number, over: Partial<IntentObjectView> = {}): IntentObjectView {
  return {
    ...{ namespace: 'shop', name: `i-${i}`, uid: `u-${i}`, deleting: false },
    createdAt: new Date(base + i * 1000).toISOString(),
    phase: 'approve',
    // the last that came is the first that expires
    expiresAt: new Date(base + (waitingCount * 2 - i) * 1000).toISOString(),
    statusHash: `sha256:${'0'.repeat(64)}`,
    ...over,
  }
}

describe('what people read', () => {
  let line: Line
  before(async () => {
    line = new Line()
    line.policies = [askPeople]
    assert.equal(await line.go(), 'approve')
  })

  it('the inbox of 10,000 reads the histories that it shows, the next to expire first', async () => {
    const objects = Array.from({ length: waitingCount }, (_, i) => object(i))
    const store = counting(line.events)
    const found = inbox.parse(await inboxOf(objects, store, 20))
    assert.equal(found.waiting.count, waitingCount)
    assert.equal(found.waiting.items.length, 20)
    const wanted = Array.from({ length: 20 }, (_, i) => `i-${waitingCount - 1 - i}`)
    assert.deepEqual(store.reads, wanted)
    const [first] = found.waiting.items
    assert.match(first?.diff[0] ?? '', /Deployment shop\/web \/spec\/replicas: 2 → 5/)
    assert.match(first?.needs[0] ?? '', /1 approval\(s\) by /)
  })

  it('the inbox has undos that are held, and nothing that is being deleted or has ended', async () => {
    const store = counting(line.events)
    const found = await inboxOf(
      [
        object(1, { phase: 'undo' }),
        object(2, { phase: 'rollback_failed' }),
        object(3, { deleting: true }),
        object(4, { phase: 'verified' }),
        object(5, { phase: undefined }),
      ],
      store,
      20,
    )
    assert.equal(found.waiting.count, 0)
    assert.equal(found.held.count, 2)
  })

  it('the inbox leaves out objects of a ledger that is gone', async () => {
    const none = { events: async () => [] }
    assert.deepEqual((await inboxOf([object(1)], none, 20)).waiting.items, [])
  })

  it('a list reads a history once for each event it got, however often it is asked', async () => {
    const store = counting(line.events)
    const rows = Array.from(
      { length: 200 },
      (_, i): IntentSummary => ({
        ...{ id: `i-${i}`, ordinal: i + 1, seq: line.events.length, phase: 'approve' },
        ...{ terminal: false, startedAt: '', updatedAt: '', agent: 'a/b', action: 'c.d' },
        ...{ kid: 'k', jwsDigest: 'x' },
      }),
    )
    const known = summaries(store)
    const list = () => listOf({ list: async () => rows }, known, { limit: 200 })
    const [first, second] = [await list(), await list()]
    assert.equal(store.reads.length, 200)
    assert.deepEqual(second, first)
    rows.splice(0, 1, { ...(rows[0] as IntentSummary), seq: line.events.length + 1 })
    await list()
    assert.equal(store.reads.length, 201)
  })

  it('watchers get every change once, and are told when they missed some', async () => {
    const all = recent('run', changes(), () => base)
    const start = all.after(undefined)
    assert.deepEqual(start, { changes: [], next: 'run.0', missed: false })
    for (let i = 0; i < 3; i++) all.note(line.record())
    const first = all.after(start.next)
    assert.deepEqual([first.changes.length, first.next, first.missed], [3, 'run.3', false])
    assert.equal(all.after(first.next).changes.length, 0)
    for (let i = 0; i < 3000; i++) all.note(line.record())
    const late = all.after(first.next)
    assert.deepEqual([late.changes.length, late.missed], [200, true])
    assert.equal(all.after(late.next).missed, false)
    for (const foreign of ['other.1', 'run.99999', 'run.x', 'nonsense', 'run.-1']) {
      assert.deepEqual(all.after(foreign), { changes: [], next: 'run.3003', missed: true })
    }
  })

  it('remembers a bounded number of Pods', () => {
    const seen = sightings(() => base)
    for (let i = 0; i <= 10_000; i++) seen.saw(`pod-${i}`)
    assert.equal(seen.at('pod-0'), undefined)
    assert.equal(seen.at('pod-10000'), '2026-01-01T12:00:00.000Z')
  })

  it('calls a Pod silent by when it was last heard of, or by the start', () => {
    let now = base
    const seen = sightings(() => now)
    now += 60_000
    seen.saw('heard')
    now += 59_999
    assert.deepEqual(
      [seen.silentFor('heard', 60_000), seen.silentFor('never', 60_000)],
      [false, true],
    )
    now += 1
    assert.equal(seen.silentFor('heard', 60_000), true)
  })
})
