import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '@jackstay/contract/json'
import type { IntentRecord } from '@jackstay/contract/record'
import { defaultThresholds } from '@jackstay/judge/breaker-thresholds'
import { Line } from '../line/line-builder.ts'
import type { Breakers, Transition } from './breakers.ts'
import { breakerEvent } from './events.ts'
import { readReset } from './reset.ts'
import { startBreakers } from './start.ts'

const start = Date.parse('2026-01-01T12:00:00Z')

/** A store of notes and ended intents, which outlives the breakers that write to it. */
class Memory {
  readonly notes = new Map<string, Json>()
  readonly records = new Map<string, IntentRecord>()
  readonly moved: Transition[] = []
  now = start
  failing = false
  #serial = 0

  async open(): Promise<Breakers> {
    return startBreakers({
      thresholds: defaultThresholds,
      clock: { now: () => this.now },
      newId: () => `n${++this.#serial}`,
      read: async (id) => this.#read(id),
      onChange: (transition) => this.moved.push(transition),
      onError: () => undefined,
      store: {
        notes: async () => [...this.notes].map(([name, value]) => ({ name, value })),
        putNote: async (name, value) => {
          if (this.failing) throw new Error('the disk is full')
          if (value === undefined) this.notes.delete(name)
          else this.notes.set(name, structuredClone(value))
        },
        list: async () => [...this.records.values()].map(rowOf).toReversed(),
        intent: async (id) => {
          const found = this.records.get(id)
          return found && rowOf(found)
        },
      },
    })
  }

  #read(id: string): IntentRecord {
    const found = this.records.get(id)
    assert.ok(found)
    return found
  }

  /** An intent of the agent, ended as said, or open. */
  intent(agent: string, phase?: 'verified' | 'failed' | 'refused', reason?: string): IntentRecord {
    this.now += 10
    const base = new Line().record()
    const id = `i${++this.#serial}`
    const { authenticated } = base
    const at = new Date(this.now).toISOString()
    const ended = { phase, reason: reason ?? 'write_refused', stage: 'execute', message: 'x', at }
    const claims = { ...authenticated.claims, params: { replicas: this.#serial } }
    const record = {
      ...base,
      id,
      authenticated: { ...authenticated, claims, agent: { ...authenticated.agent, name: agent } },
      ...(phase && { ended }),
    } as IntentRecord
    this.records.set(id, record)
    return record
  }
}

function rowOf({ id, ended, authenticated }: IntentRecord) {
  const updatedAt = ended?.at ?? authenticated.at
  const phase = ended?.phase ?? 'admit'
  return { id, phase, updatedAt, ordinal: 1, seq: 1, startedAt: updatedAt, terminal: !!ended }
}

function fail(memory: Memory, breakers: Breakers, agent: string, n: number): void {
  for (let i = 0; i < n; i++) breakers.ended(memory.intent(agent, 'failed'))
}

describe('breakers of a mediator', () => {
  it('stop the agent that failed and no other, and say which, why and until when (T74)', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 3)
    const no = await breakers.gate(memory.intent('ns/a'))
    assert.equal(no?.refused, 'breaker_open')
    assert.match(
      no?.message ?? '',
      /agent `ns\/a` .*changes failed \(3 of 3\).*after 2026-01-01T12:01/,
    )
    assert.equal(await breakers.gate(memory.intent('ns/b')), undefined)
    assert.deepEqual(
      breakers.views().map(({ scope, key, state }) => [scope, key, state]),
      [['agent', 'ns/a', 'open']],
    )
  })

  it('stop what two agents ran into for the whole class', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 2)
    fail(memory, breakers, 'ns/b', 2)
    const no = await breakers.gate(memory.intent('ns/c'))
    assert.match(no?.message ?? '', /the target `Deployment shop\/web`/)
  })

  it('let one of a stampede through when their time is up (T74)', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 3)
    memory.now += 60_000
    const herd = Array.from({ length: 100 }, () => memory.intent('ns/a'))
    const answers = await Promise.all(herd.map((one) => breakers.gate(one)))
    assert.equal(answers.filter((no) => no === undefined).length, 1)
  })

  it('are not fed by their own refusals', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 3)
    const before = breakers.views()
    for (let i = 0; i < 100; i++) breakers.ended(memory.intent('ns/a', 'refused', 'breaker_open'))
    assert.deepEqual(breakers.views(), before)
    memory.now += 60_000
    const probe = memory.intent('ns/a')
    assert.equal(await breakers.gate(probe), undefined)
    memory.now += 10
    breakers.ended({ ...memory.intent('ns/a', 'verified', 'succeeded'), id: probe.id })
    assert.equal(await breakers.gate(memory.intent('ns/a')), undefined)
    assert.deepEqual(
      memory.moved.map(({ to }) => to),
      ['open', 'half-open', 'closed'],
    )
  })

  it('survive a crash, evidence that was not written included: a crash loop opens them', async () => {
    const memory = new Memory()
    for (let i = 0; i < 3; i++) {
      const breakers = await memory.open()
      memory.failing = true
      fail(memory, breakers, 'ns/a', 1) // and dies before it is written
      memory.failing = false
    }
    const breakers = await memory.open()
    assert.ok((await breakers.gate(memory.intent('ns/a'))) !== undefined)
    const again = await memory.open()
    assert.ok((await again.gate(memory.intent('ns/a'))) !== undefined)
  })

  it('keep the one probe over a restart, and give its place away once it ended', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 3)
    memory.now += 60_000
    const probe = memory.intent('ns/a')
    assert.equal(await breakers.gate(probe), undefined)
    const second = await memory.open()
    assert.ok((await second.gate(memory.intent('ns/a'))) !== undefined, 'the probe is still out')
    assert.equal(await second.gate(probe), undefined, 'and is asked again')
    memory.records.delete(probe.id)
    const third = await memory.open()
    assert.equal(await third.gate(memory.intent('ns/a')), undefined, 'nobody would ever try')
  })

  it('pass no probe that is not on record', async () => {
    const memory = new Memory()
    const breakers = await memory.open()
    fail(memory, breakers, 'ns/a', 3)
    await breakers.flush()
    memory.now += 60_000
    memory.failing = true
    await assert.rejects(breakers.gate(memory.intent('ns/a')))
  })

  it('whose state does not read are open until somebody looked', async () => {
    const memory = new Memory()
    memory.notes.set('breaker/agent/a/ns/a', { broken: true })
    const breakers = await memory.open()
    assert.ok((await breakers.gate(memory.intent('ns/a'))) !== undefined)
    breakers.reset({ class: 'a', before: memory.now + 1 })
    assert.equal(await breakers.gate(memory.intent('ns/a')), undefined)
  })

  it('are opened by requests that were malformed or too many, of that agent alone', async () => {
    for (const [cause, n] of [
      ['malformed', 10],
      ['flood', 30],
    ] as const) {
      const memory = new Memory()
      const breakers = await memory.open()
      for (let i = 0; i < n; i++) breakers.outright({ agent: 'ns/a', class: 'a' }, cause)
      assert.ok((await breakers.gate(memory.intent('ns/a'))) !== undefined, cause)
      assert.equal(await breakers.gate(memory.intent('ns/b')), undefined)
    }
  })
})

describe('a reset', () => {
  const now = Date.parse('2026-01-01T12:00:00Z')
  it('is a time that has come, for all of a class or for one', () => {
    const before = now - 1000
    assert.deepEqual(readReset('a', '2026-01-01T11:59:59Z', now), { class: 'a', before })
    const only = { scope: 'target', key: 'Deployment shop/web' }
    const text = '2026-01-01T11:59:59Z target Deployment shop/web'
    assert.deepEqual(readReset('a', text, now), { class: 'a', before, only })
  })
  for (const text of [
    '',
    'now',
    '2027-01-01T00:00:00Z',
    '2026-01-01T11:59:59Z all',
    '1',
    '2026-01-01T00:00:00Z agent',
  ]) {
    it(`that reads \`${text}\` closes nothing`, () => {
      assert.equal(readReset('a', text, now), undefined)
    })
  }
})

it('an Event has a time of six digits', async () => {
  const memory = new Memory()
  const breakers = await memory.open()
  fail(memory, breakers, 'ns/a', 3)
  const [opened] = memory.moved
  assert.ok(opened)
  assert.equal(breakerEvent(opened, 'u', start).eventTime, '2026-01-01T12:00:00.000000Z')
})
