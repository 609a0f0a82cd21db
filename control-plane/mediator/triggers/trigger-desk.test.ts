import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { AlertmanagerWebhook } from '@jackstay/contract/trigger'
import { classHash } from '@jackstay/judge/class-ceiling'
import { allowAll, classSpec, Line } from '../line/line-builder.ts'
import { storeFor } from '../memory/store-builder.ts'
import type { ClassView } from '../ports.ts'
import { changes } from '../reading/changes.ts'
import { triggerDesk } from './trigger-desk.ts'

async function desk(t: TestContext) {
  const world = { now: 1_000_000, dead: new Set<string>(), offered: true }
  const clock = { now: () => world.now }
  const { store } = await storeFor(t, clock)
  let serial = 0
  const newId = () => `t${++serial}`
  const isLive = (uid: string) => !world.dead.has(uid)
  const it = triggerDesk({
    ...{ store, clock, changes: changes(), newId, isLive, isOffered: () => world.offered },
    onResolved: () => undefined,
  })
  const spec = { ...classSpec, triggers: [{ labels: { team: 'a' } }] }
  const found: ClassView = { name: 'a', uid: 'u', spec, hash: classHash(spec) }
  const poll = async (pod: string) => {
    const taken = await it.take(found, pod, 0, new AbortController().signal)
    return taken.map(({ id }) => id)
  }
  return { world, it, poll }
}

function alerts(n: number, team = 'a', from = 0): AlertmanagerWebhook {
  const one = (i: number) => ({
    ...{ status: 'firing' as const, labels: { team }, annotations: {} },
    ...{ startsAt: '2026-01-01T00:00:00Z', endsAt: '', fingerprint: (from + i).toString(16) },
  })
  const list = Array.from({ length: n }, (_, i) => one(i))
  return { version: '4', groupKey: team, status: 'firing', receiver: 'x', alerts: list }
}

describe('an alert', () => {
  it('is one Pod’s for as long as that lives, however long it takes', async (t) => {
    const { world, it, poll } = await desk(t)
    await it.accept(alerts(1))
    assert.deepEqual(await poll('pod-a'), ['t1'])
    await it.acknowledge(['t1'], 'pod-a')
    world.now += 24 * 3600_000
    assert.deepEqual([await poll('pod-a'), await poll('pod-b')], [[], []])
    world.dead.add('pod-a')
    const both = await Promise.all([poll('pod-b'), poll('pod-c')])
    assert.deepEqual(both.flat(), ['t1'], 'one takes over, not two')
  })

  it('is not offered while its class is held, and is kept for when it is not (T85)', async (t) => {
    const { world, it, poll } = await desk(t)
    await it.accept(alerts(1))
    world.offered = false
    assert.deepEqual(await poll('pod-a'), [])
    world.offered = true
    assert.deepEqual(await poll('pod-b'), ['t1'])
  })

  it('whose answer was lost is offered again, to the same Pod too', async (t) => {
    const { world, it, poll } = await desk(t)
    await it.accept(alerts(1))
    assert.deepEqual(await poll('pod-a'), ['t1'])
    world.now += 29_000
    assert.deepEqual([await poll('pod-a'), await poll('pod-b')], [[], []])
    world.now += 1_000
    assert.deepEqual(await poll('pod-a'), ['t1'])
  })

  it('is kept by nobody’s word but its holder’s', async (t) => {
    const { world, it, poll } = await desk(t)
    await it.accept(alerts(1))
    await it.acknowledge(['t1', 'unknown'], 'pod-b')
    assert.deepEqual(await poll('pod-a'), ['t1'])
    await it.acknowledge(['t1'], 'pod-b')
    world.now += 30_000
    assert.deepEqual(await poll('pod-b'), ['t1'])
  })

  it('is not hidden behind a thousand of others', async (t) => {
    const { it, poll } = await desk(t)
    await it.accept(alerts(1))
    for (let i = 0; i < 4; i++) await it.accept(alerts(256, 'other', 1 + i * 256))
    assert.deepEqual(await poll('pod-a'), ['t1'])
  })
})

it('an alert that resolved before the dispatch ends its intent, and nothing is written', async () => {
  const line = new Line()
  line.policies = [allowAll]
  line.alert()
  line.resolve()
  assert.equal(await line.toEnd(), 'obsolete/trigger_resolved')
  assert.deepEqual(line.cluster.effects, [])
})
