import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IntentRecord } from '@jackstay/contract/record'
import type { NewLeaf } from '@jackstay/ledger/store'
import { Line } from '../line/line-builder.ts'
import type { History, Leaf } from '../ports.ts'
import { aggregation } from './aggregation.ts'

const start = Date.parse('2026-01-01T12:00:00Z')

/** Histories, leaves and notes in memory; they outlive the aggregation. */
class Memory {
  now = start
  readonly ended = new Map<string, { record: IntentRecord; leaves: number }>()
  readonly own: Leaf[] = []
  readonly shared = new Map<string, NewLeaf>()
  note: number | undefined
  dying = false
  #serial = 0

  open() {
    return aggregation({
      clusterUid: 'u',
      clock: { now: () => this.now },
      onAggregated: () => undefined,
      read: async (id) => this.#get(id).record,
      hasLeaf: async (id) => this.#get(id).leaves > 0,
      store: {
        notes: async () => (this.note === undefined ? [] : [{ name: 'x', value: this.note }]),
        putNote: async (_, value) => {
          this.note = typeof value === 'number' ? value : undefined
        },
        list: async () =>
          [...this.ended.values()].map(({ record }) => {
            const at = record.ended?.at ?? ''
            const row = { id: record.id, ordinal: 1, seq: 2, phase: 'refused', terminal: true }
            return { ...row, startedAt: at, updatedAt: at }
          }),
        appendLeaves: async ([leaf], { token = '' } = {}) => {
          if (leaf !== undefined && !this.shared.has(token)) this.shared.set(token, leaf)
          if (this.dying) throw new Error('the process died here')
          return { leafIndexes: [] }
        },
      },
    })
  }

  #get(id: string) {
    const found = this.ended.get(id)
    assert.ok(found)
    return found
  }

  readonly append: History['append'] = async (record, events, leaves) => {
    const [event] = events
    assert.ok(event?.type === 'ended')
    const done = { ...record, ended: { ...event.data, at: event.at } }
    this.ended.set(record.id, { record: done, leaves: leaves.length })
    this.own.push(...leaves)
    return done
  }

  async refuse(append: History['append'], n: number, agent = 'ns/a'): Promise<void> {
    for (let i = 0; i < n; i++) {
      const base = new Line().record()
      const { authenticated } = base
      const who = { ...authenticated.agent, name: agent }
      const record = {
        ...base,
        id: `i${++this.#serial}`,
        authenticated: { ...authenticated, agent: who },
      }
      const data = { phase: 'refused', reason: 'denied', stage: 'decide', message: 'no' } as const
      const at = new Date(this.now).toISOString()
      const leaf = { kind: 'decision', data: {}, sealed: {} } as const
      await append(record, [{ type: 'ended', at, data }], [leaf])
    }
  }

  counted(): number {
    const counts = [...this.shared.values()].map(({ data }) => {
      const found = data as { data: { refusals: { count: number } } }
      return found.data.refusals.count
    })
    return counts.reduce((sum, n) => sum + n, 0)
  }
}

describe('refusals', () => {
  it('beyond ten of one agent for one reason in ten seconds share a leaf, counted exactly (T13)', async () => {
    const memory = new Memory()
    const running = await memory.open()
    const append = running.around(memory.append)
    await memory.refuse(append, 500)
    await memory.refuse(append, 3, 'ns/b')
    assert.equal(memory.own.length, 13)
    await running.flush()
    assert.equal(memory.shared.size, 0, 'the ten seconds are not over')
    memory.now += 10_000
    await running.flush()
    await running.flush()
    assert.equal(memory.shared.size, 1)
    assert.equal(memory.own.length + memory.counted(), 503)
    assert.equal(memory.ended.size, 503, 'each has its own end')
    assert.equal(memory.note, undefined)
    await memory.refuse(append, 1)
    assert.equal(memory.own.length, 14, 'the next ten seconds begin anew')
  })

  it('that were counted when the program died are found again, and written once', async () => {
    const memory = new Memory()
    const first = await memory.open()
    await memory.refuse(first.around(memory.append), 30)
    const second = await memory.open()
    await memory.refuse(second.around(memory.append), 5)
    memory.now += 10_000
    memory.dying = true
    await assert.rejects(second.flush(), 'on record, and dead before it knew')
    memory.dying = false
    const third = await memory.open()
    await third.flush()
    assert.equal(memory.own.length + memory.counted(), 35)
    assert.equal(memory.shared.size, 1)
  })
})
