import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Observed } from '@jackstay/actions/action'
import { JackstayError } from '@jackstay/contract/errors'
import type { CreateWrite, EvictWrite, ObjectRef, PatchWrite } from '@jackstay/contract/plan'
import type { Ports, WriteAnswer, WriteIdentity } from '../ports.ts'
import { attempt } from './attempt.ts'
import { effectOf, inverseOf } from './effects.ts'
import { fieldManager } from './settle.ts'

const uid = '22222222-2222-4222-8222-222222222222'
const other = '33333333-3333-4333-8333-333333333333'
const pod: ObjectRef = {
  ...{ apiVersion: 'v1', kind: 'Pod', resource: 'pods', namespace: 'shop', name: 'web-1', uid },
}
const evict: EvictWrite = {
  ...{ id: 'w1', verb: 'evict', object: pod },
  before: [{ of: 'Pod', path: '/spec/nodeName', value: { is: 'n1' } }],
}
const create: CreateWrite = {
  ...{ id: 'w1', verb: 'create', body: { kind: 'Job' } },
  inverse: { body: { spec: { suspend: true } } },
  object: { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs', namespace: 'shop', name: 'r' },
}
const identity: WriteIdentity = {
  ...{ executor: 'e', intent: 'i1', agent: 'a', action: 'x', undo: false },
}
const bound = { write: 'w1', uid, resourceVersion: '1' }

interface World {
  object: Observed | undefined
  /** What the next sendings do and answer, in order. */
  answers: (() => WriteAnswer)[]
  sent: number
}

function objectOf(metadata: object): Observed {
  return { metadata: { uid, resourceVersion: '1', ...metadata } } as Observed
}

function portsOf(world: World): Ports {
  const send = async () => {
    world.sent++
    return (world.answers.shift() ?? (() => ({ kind: 'unknown', message: 'cut' }) as const))()
  }
  const targets = { read: async () => world.object, evict: send, create: send, patch: send }
  return { targets } as unknown as Ports
}

const busy = () => ({ kind: 'not_sent', message: 'too many requests' }) as const
const gone = { kind: 'unknown', message: 'cut' } as const
const unstopped = () => undefined

describe('an eviction', () => {
  const run = (world: World) =>
    attempt(effectOf(evict, bound, identity, portsOf(world)), false, unstopped)

  it('that was answered is told by the answer', async () => {
    const applied = () => ({ kind: 'applied', object: {} }) as const
    const world: World = { object: objectOf({}), answers: [applied], sent: 0 }
    assert.deepEqual(await run(world), { outcome: 'applied', settled: 'by_answer' })
  })

  it('without an answer is settled by reading, and not sent again once the Pod goes (T45)', async () => {
    const world: World = { object: objectOf({}), answers: [], sent: 0 }
    world.answers.push(() => {
      world.object = objectOf({ deletionTimestamp: '2026-01-01T00:00:00Z' })
      return gone
    })
    assert.deepEqual(await run(world), { outcome: 'applied', settled: 'by_reading' })
    assert.equal(world.sent, 1)
    world.object = undefined
    assert.deepEqual(await run(world), { outcome: 'applied', settled: 'by_reading' })
    assert.equal(world.sent, 1, 'after a crash the Pod is gone, and nothing is sent (T46)')
  })

  it('never meets another Pod of the same name (T32)', async () => {
    const world: World = { object: objectOf({ uid: other }), answers: [], sent: 0 }
    await run(world)
    assert.equal(world.sent, 0)
  })

  it('of a Pod that moved is bound anew, not sent', async () => {
    const world: World = { object: objectOf({ resourceVersion: '2' }), answers: [], sent: 0 }
    assert.equal((await run(world)).outcome, 'conflict')
    assert.equal(world.sent, 0)
  })

  it('that the API server is too busy for is told as such, for whoever tries again later', async () => {
    const world: World = { object: objectOf({}), answers: Array(5).fill(busy), sent: 0 }
    const { outcome, settled, unanswered } = await run(world)
    assert.deepEqual([outcome, settled, unanswered], ['unsent', 'by_answer', undefined])
    assert.equal(world.sent, 5)
    world.answers.push(busy, () => ({ kind: 'applied', object: {} }) as const)
    assert.equal((await run(world)).outcome, 'applied')
  })

  it('that a disruption budget holds back is for later', async () => {
    const later = () => ({ kind: 'later', message: 'the budget is used up' }) as const
    const world: World = { object: objectOf({}), answers: [later], sent: 0 }
    const { outcome, message } = await run(world)
    assert.deepEqual([outcome, message, world.sent], ['later', 'the budget is used up', 1])
  })
})

describe('an object that is made', () => {
  const run = (world: World) =>
    attempt(effectOf(create, undefined, identity, portsOf(world)), false, unstopped)
  const ours = () => objectOf({ uid: other, labels: { 'jackstay.dev/intent': 'i1' } })

  it('without an answer is found by its label, with its uid (T45, T46)', async () => {
    const world: World = { object: undefined, answers: [], sent: 0 }
    world.answers.push(() => {
      world.object = ours()
      return gone
    })
    const { outcome, settled, uid: made } = await run(world)
    assert.deepEqual([outcome, settled, made], ['applied', 'by_reading', other])
    await run(world)
    assert.equal(world.sent, 1)
  })

  it('never takes the place of somebody else’s', async () => {
    const forged = [{ manager: fieldManager('i1', false) }]
    const theirs = objectOf({ uid: other, managedFields: forged })
    const world: World = { object: theirs, answers: [], sent: 0 }
    assert.equal((await run(world)).outcome, 'conflict')
    assert.equal(world.sent, 0)
  })

  describe('is taken back', () => {
    const made = { ...create.object, uid: other }
    const binding = { write: 'w1', uid: other, resourceVersion: '1' }
    const back = (world: World) =>
      attempt(
        inverseOf(create, made, binding, { ...identity, undo: true }, portsOf(world)),
        false,
        unstopped,
      )
    const stopped = (manager: string) => ({
      ...objectOf({
        ...{ uid: other, resourceVersion: '2' },
        managedFields: [{ manager, fieldsV1: { 'f:spec': { 'f:suspend': {} } } }],
      }),
      spec: { suspend: true },
    })

    it('by stopping it, found where the answer was lost (T45, T46)', async () => {
      const world: World = { object: objectOf({ uid: other }), answers: [], sent: 0 }
      world.answers.push(() => {
        world.object = stopped(fieldManager('i1', true))
        return gone
      })
      const { outcome, settled } = await back(world)
      assert.deepEqual([outcome, settled], ['applied', 'by_reading'])
      await back(world)
      assert.equal(world.sent, 1)
    })

    it('and left alone once it is gone, or another of the same name is there (T32)', async () => {
      const landed = { outcome: 'applied', settled: 'by_reading' }
      const world: World = { object: undefined, answers: [], sent: 0 }
      assert.deepEqual(await back(world), landed)
      world.object = objectOf({ uid })
      assert.deepEqual(await back(world), landed)
      world.object = objectOf({ uid: other, deletionTimestamp: '2026-01-01T00:00:00Z' })
      assert.deepEqual(await back(world), landed)
      assert.equal(world.sent, 0)
    })

    it('is bound anew where it moved, and so is what somebody else stopped', async () => {
      const world: World = { object: stopped('somebody'), answers: [], sent: 0 }
      assert.equal((await back(world)).outcome, 'conflict')
      assert.equal(world.sent, 0)
    })
  })
})

describe('a change that only removes a field', () => {
  const deployment: ObjectRef = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
    ...{ namespace: 'shop', name: 'web', uid },
  }
  const path = '/spec/paused'
  const resume: PatchWrite = {
    ...{ id: 'w1', verb: 'patch', object: deployment, body: { spec: { paused: false } } },
    before: [{ of: 'Deployment', path, value: { is: true } }],
    after: [{ of: 'Deployment', path, value: 'absent' }],
    inverse: { body: { spec: { paused: true } } },
  }
  const paused = () => ({ ...objectOf({}), spec: { paused: true } })
  const resumed = () => ({ ...objectOf({ resourceVersion: '2' }), spec: {} })
  const run = (world: World, maySent = false) =>
    attempt(effectOf(resume, bound, identity, portsOf(world)), maySent, unstopped)

  it('and that somebody else made first is theirs, not ours (T46)', async () => {
    const world: World = { object: resumed(), answers: [], sent: 0 }
    const { outcome, unanswered } = await run(world)
    assert.deepEqual([outcome, unanswered, world.sent], ['conflict', undefined, 0])
  })

  it('and that the API server said did not land is somebody else’s too (T46)', async () => {
    const world: World = { object: paused(), answers: [], sent: 0 }
    world.answers.push(() => {
      world.object = resumed()
      return { kind: 'conflict', message: 'it was modified' }
    })
    const { outcome, unanswered } = await run(world)
    assert.deepEqual([outcome, unanswered], ['conflict', undefined])
  })

  it('counts as ours once it left and no answer came, then or before a crash (T45, T46)', async () => {
    const world: World = { object: paused(), answers: [], sent: 0 }
    world.answers.push(() => {
      world.object = resumed()
      return gone
    })
    assert.equal((await run(world)).outcome, 'applied')
    assert.equal((await run({ object: resumed(), answers: [], sent: 0 }, true)).outcome, 'applied')
  })

  it('is known not to have left where the API server is away before anything did (T46)', async () => {
    const world: World = { object: paused(), answers: [busy], sent: 0 }
    const { targets } = portsOf(world)
    const away = new JackstayError('upstream_unavailable', 'no route')
    const read = async () => (world.sent === 0 ? paused() : Promise.reject(away))
    const ports = { targets: { ...targets, read } } as unknown as Ports
    const { outcome, unanswered } = await attempt(
      effectOf(resume, bound, identity, ports),
      false,
      unstopped,
    )
    assert.deepEqual([outcome, unanswered, world.sent], ['unsent', undefined, 1])
    // once something left, nobody knows
    world.answers = [() => gone]
    world.sent = 0
    await assert.rejects(attempt(effectOf(resume, bound, identity, ports), false, unstopped), away)
  })

  it('says of one that was not taken that an earlier one may still land (T45)', async () => {
    const { outcome, unanswered } = await run(
      { object: paused(), answers: Array(5).fill(busy), sent: 0 },
      true,
    )
    assert.deepEqual([outcome, unanswered], ['unsent', true])
  })

  it('says of a conflict that what left unanswered may still land', async () => {
    const moved = { ...objectOf({ resourceVersion: '3' }), spec: { paused: true } }
    const { outcome, unanswered } = await run({ object: moved, answers: [], sent: 0 }, true)
    assert.deepEqual([outcome, unanswered], ['conflict', true])
  })
})
