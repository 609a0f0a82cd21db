import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { enrol } from './enrol.ts'
import {
  agentCaller,
  type KeyPair,
  newKey,
  newWorld,
  podUid,
  proofOf,
  runningPod,
  token,
  type World,
} from './enrolment-world.ts'

const key = await newKey()
const other = await newKey()
const signal = new AbortController().signal
const path = `jackstay-class-web/pod-${podUid}`

async function ask(world: World, by: KeyPair = key) {
  return await enrol({ proof: await proofOf(by), token }, world.ports, signal)
}

async function refuses(world: World, code: string, by: KeyPair = key): Promise<void> {
  await assert.rejects(ask(world, by), { code })
  assert.equal(world.stored.size, 0, 'nothing is stored')
}

describe('enrol', () => {
  it('stores the key of a live Pod under the Pod uid', async () => {
    const world = newWorld()
    assert.deepEqual(await ask(world), {
      agentKey: path,
      kid: key.kid,
      agent: 'jackstay-class-web/fixer',
      class: 'web',
    })
    assert.deepEqual(world.stored.get(path)?.spec, {
      agent: 'jackstay-class-web/fixer',
      class: 'web',
      podName: 'fixer-0',
      podUid,
      thumbprint: key.kid,
      publicKey: key.publicKey,
    })
  })

  it('asks nobody while the proof is not right', async () => {
    const world = newWorld()
    const proof = await proofOf(key, { token: 'another' })
    await assert.rejects(enrol({ proof, token }, world.ports, signal), { code: 'unauthenticated' })
    assert.deepEqual(world.calls, [])
  })

  it('T81 asks for a token of the audience `jackstay-enrol` and no other', async () => {
    const world = newWorld()
    await ask(world)
    assert.equal(world.calls[0], 'identify jackstay-enrol')
    const wrong = newWorld()
    wrong.caller = new JackstayError('wrong_audience', 'the token is for somebody else')
    await refuses(wrong, 'wrong_audience')
  })

  it('T05 refuses a person, a token without a Pod, and a Pod of another ServiceAccount', async () => {
    const person = newWorld()
    person.caller = { kind: 'user', username: 'jane', groups: [] }
    await refuses(person, 'unauthenticated')
    const loose = newWorld()
    const { pod: _, ...unbound } = { pod: undefined, ...agentCaller }
    loose.caller = unbound
    await refuses(loose, 'unauthenticated')
    const foreign = newWorld()
    foreign.pod = { ...runningPod, serviceAccount: 'someone-else' }
    await refuses(foreign, 'unauthenticated')
  })

  it('T07 refuses a Pod that is gone, replaced, ending or finished', async () => {
    const pods = [
      undefined,
      { ...runningPod, uid: '99999999-9999-4999-8999-999999999999' },
      { ...runningPod, deletionTimestamp: '2026-01-05T11:59:59Z' },
      { ...runningPod, phase: 'Failed' },
      { ...runningPod, phase: 'Succeeded' },
      { ...runningPod, phase: '' },
    ]
    for (const pod of pods) {
      const world = newWorld()
      world.pod = pod
      await refuses(world, 'pod_not_live')
    }
  })

  it('accepts a Pod that is still pending: an init container enrols', async () => {
    const world = newWorld()
    world.pod = { ...runningPod, phase: 'Pending' }
    await ask(world)
  })

  it('refuses a namespace without exactly one AgentClass and names them', async () => {
    const none = newWorld()
    none.classes = []
    await refuses(none, 'forbidden')
    const two = newWorld()
    two.classes = ['web', 'batch']
    await assert.rejects(ask(two), /`batch`, `web`.*keep one/)
    await refuses(two, 'forbidden')
  })

  it('T08 gives the same key the same answer', async () => {
    const world = newWorld()
    assert.deepEqual(await ask(world), await ask(world))
    assert.deepEqual(world.alarms, [])
    assert.equal(world.stored.get(path)?.revoked, false)
  })

  it('T08 revokes the first key when a second one is offered, stores no second and raises the alarm', async () => {
    const world = newWorld()
    await ask(world)
    await assert.rejects(ask(world, other), { code: 'second_enrolment' })
    assert.equal(world.stored.size, 1)
    assert.equal(world.stored.get(path)?.spec.thumbprint, key.kid)
    assert.equal(world.stored.get(path)?.revoked, true)
    assert.deepEqual(world.alarms, [
      {
        agent: 'jackstay-class-web/fixer',
        podName: 'fixer-0',
        podUid,
        stored: key.kid,
        offered: other.kid,
        revoked: true,
      },
    ])
    await assert.rejects(ask(world), { code: 'key_revoked' })
    await assert.rejects(ask(world, other), { code: 'second_enrolment' })
  })

  it('T08 tries again when the revocation gets no answer', async () => {
    const world = newWorld()
    await ask(world)
    world.revokeFailures = ['cut', 'cut']
    await assert.rejects(ask(world, other), { code: 'second_enrolment' })
    assert.equal(world.stored.get(path)?.revoked, true)
  })

  it('T08 says so when the first key could not be revoked', async () => {
    const world = newWorld()
    await ask(world)
    world.revokeFailures = ['cut', 'cut', 'refused']
    await assert.rejects(ask(world, other), { code: 'upstream_unavailable' })
    assert.deepEqual(
      world.alarms.map(({ revoked, why }) => ({ revoked, why })),
      [{ revoked: false, why: 'refused' }],
    )
  })

  it('settles a creation without an answer by reading', async () => {
    const lost = newWorld()
    lost.createAnswers = ['unknown']
    await assert.rejects(ask(lost), { code: 'upstream_unavailable', retryable: true })
    const stored = newWorld()
    await ask(stored)
    stored.createAnswers = ['unknown']
    assert.equal((await ask(stored)).kid, key.kid)
  })

  it('T08 lets exactly one of many concurrent keys in', async () => {
    const world = newWorld()
    const pairs = await Promise.all(Array.from({ length: 8 }, newKey))
    const results = await Promise.allSettled(pairs.map((pair) => ask(world, pair)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(world.stored.size, 1)
    assert.equal(world.stored.get(path)?.revoked, true)
  })
})
