import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { intentView } from '@jackstay/contract/api'
import type { IntentRecord } from '@jackstay/contract/record'
import type { AppendRequest } from '@jackstay/ledger/store'
import { id } from '../line/asked-builder.ts'
import { Line } from '../line/line-builder.ts'
import { journal } from '../memory/journal.ts'
import { storeFor } from '../memory/store-builder.ts'
import type { History } from '../ports.ts'
import { changes } from '../reading/changes.ts'
import { viewOf } from '../reading/views.ts'
import { type First, type OpeningOptions, openings } from './opening.ts'

/** A line whose one intent is on record nowhere yet, and what is done about it. */
async function newcomer(t: TestContext, patienceMs?: number) {
  const line = new Line()
  const { store } = await storeFor(t, { now: () => line.now })
  const said = { appends: [] as AppendRequest[], ended: [] as string[], lost: [] as string[] }
  const pending: IntentRecord[] = []
  const options: OpeningOptions = {
    ports: {
      ...line.ports(),
      allowances: {
        take: () => true,
        pending: (_, except) => pending.filter((one) => one.id !== except).length,
        note: (record) => void pending.push(record),
        forget: () => void pending.pop(),
      },
    },
    store: {
      ...store,
      intent: (one) => store.intent(one),
      append: async (request) => {
        said.appends.push(request)
        return await store.append(request)
      },
    },
    ...{ journal: journal(), holder: 'this', changes: changes(), note: () => undefined },
    refusals: { around: (append: History['append']) => append },
    onEnd: ({ ended }) => said.ended.push(`${ended?.phase}/${ended?.reason}`),
    onLost: (record) => said.lost.push(record.id),
  }
  const [first] = line.events
  assert.ok(first?.type === 'authenticated')
  const begin = (one: First = first) => openings(options, patienceMs).begin(one)
  return { line, store, options, said, first, begin }
}

const types = (request: AppendRequest | undefined) =>
  request?.events.map(({ type }) => type).join(' ')

describe('a new intent', () => {
  it('that is refused at once takes one transaction, with its leaf, and nobody holds it (T13)', async (t) => {
    const { line, store, said, begin } = await newcomer(t)
    line.policies = []
    const { record, fence } = await begin()
    assert.deepEqual([record.ended?.reason, fence], ['denied', undefined])
    assert.equal(said.appends.length, 1)
    assert.equal(types(said.appends[0]), 'authenticated admitted planned ended')
    const row = await store.intent(id)
    assert.deepEqual([row?.terminal, row?.agent], [true, 'jackstay-class-a/agent'])
    assert.deepEqual((await store.events(id)).at(-1)?.leafIndexes, [0])
    assert.deepEqual(said.ended, ['refused/denied'])
    assert.ok((await store.claim(id, 'another', 1000)) !== undefined)
  })

  it('is answered from what was written of it as the store would answer', async (t) => {
    const { line, store, options, begin } = await newcomer(t)
    line.policies = []
    const kept = journal()
    kept.follow(id)
    Object.assign(options, { journal: kept })
    await begin()
    const answer = intentView.parse(JSON.parse(await viewOf({ store, journal: kept }, id)))
    assert.deepEqual(answer.events.at(-1)?.leafIndexes, [0])
    const read = intentView.parse(JSON.parse(await viewOf({ store, journal: journal() }, id)))
    assert.deepEqual(answer, read)
  })

  it('that goes on is held by who put it on record', async (t) => {
    const { store, said, begin } = await newcomer(t)
    const { record, fence } = await begin()
    assert.equal(record.phase, 'rehearse')
    assert.equal(types(said.appends[0]), 'authenticated admitted planned decided')
    assert.ok(fence !== undefined)
    assert.equal(await store.claim(id, 'another', 1000), undefined)
    assert.deepEqual([said.ended, said.lost], [[], []])
  })

  it('is on record although what it needs to be judged does not come, or fails (T45)', async (t) => {
    const { options, said, first } = await newcomer(t)
    const { targets } = options.ports
    for (const [n, get] of [
      () => new Promise<never>(() => undefined),
      () => Promise.reject(new Error('the API server is gone')),
    ].entries()) {
      const jti = `01890a5d-ac96-7000-8000-00000000001${n}`
      const one = { ...first, data: { ...first.data, claims: { ...first.data.claims, jti } } }
      const ports = { ...options.ports, targets: { ...targets, get } }
      const { record } = await openings({ ...options, ports }, 20).begin(one)
      assert.equal(record.phase, 'plan')
      assert.equal(types(said.appends[n]), 'authenticated admitted')
    }
  })

  it('sent twice at once is looked at once; the second is told that it exists (T01)', async (t) => {
    const { options, said, first } = await newcomer(t)
    const door = openings(options)
    const both = await Promise.allSettled([door.begin(first), door.begin(first)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(said.appends.length, 1)
    await assert.rejects(door.begin(first), /exists/)
    // it stands and goes on: what it holds stays its own
    assert.deepEqual(said.lost, [])
  })

  it('that is on record already is not looked at: it takes no place of a rate or a breaker (T01, T74)', async (t) => {
    const { options, first } = await newcomer(t)
    await openings(options).begin(first)
    let gates = 0
    const gate = async () => void gates++
    const ports = { ...options.ports, breakers: { gate } }
    // by another program that has not heard of it, for another target
    const target = { ...first.data.claims.target, name: 'other' }
    const other = { ...first, data: { ...first.data, claims: { ...first.data.claims, target } } }
    await assert.rejects(openings({ ...options, ports }).begin(other), /exists/)
    assert.equal(gates, 0)
  })

  it('whose commit stands although its answer was lost is heard of, and lost only where it does not (T45)', async (t) => {
    const { line, options, said, first } = await newcomer(t)
    line.policies = []
    const { store } = options
    const append: typeof store.append = async (request) => {
      await store.append(request)
      throw new Error('the connection was cut')
    }
    await assert.rejects(openings({ ...options, store: { ...store, append } }).begin(first), /cut/)
    assert.deepEqual([said.ended, said.lost], [['refused/denied'], []])
  })

  it('that the store does not take holds nothing any more (T74)', async (t) => {
    const { options, said, first } = await newcomer(t)
    const append = () => Promise.reject(new Error('the disk is full'))
    const door = openings({ ...options, store: { ...options.store, append } })
    await assert.rejects(door.begin(first), /the disk is full/)
    assert.deepEqual([said.lost, said.ended], [[id], []])
  })
})
