import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { Hono } from 'hono'
import {
  bearerToken,
  type CallersOptions,
  callers,
  podIsLive,
  requirePod,
  type TokenReviewResult,
} from './caller.ts'

const never = new AbortController().signal
const audience = 'jackstay-intent'

function reviewed(over: Partial<TokenReviewResult> = {}): TokenReviewResult {
  return {
    authenticated: true,
    username: 'system:serviceaccount:agents:oncall',
    uid: 'sa-1',
    groups: ['system:serviceaccounts'],
    audiences: [audience],
    extra: {
      'authentication.kubernetes.io/pod-name': ['oncall-0'],
      'authentication.kubernetes.io/pod-uid': ['pod-1'],
    },
    ...over,
  }
}

type Review = (token: string, signal: AbortSignal) => Promise<TokenReviewResult>

function setup(answer: Review, over: Partial<CallersOptions> = {}) {
  let now = 1_000
  const asked: string[] = []
  const it = callers({
    clock: () => now,
    reviewer: {
      tokenReview(token, audiences, signal) {
        asked.push(`${token} ${audiences.join()}`)
        return answer(token, signal)
      },
    },
    ...over,
  })
  const pass = (ms: number) => {
    now += ms
  }
  const identify = (token = 't', wanted = audience, signal = never) =>
    it.identify(token, wanted, signal)
  return { it, asked, pass, identify }
}

function code(expected: string) {
  return (error: unknown) => error instanceof JackstayError && error.code === expected
}

test('a Pod-bound token becomes a caller with its Pod', async () => {
  const { identify, asked } = setup(async () => reviewed())
  assert.deepEqual(await identify('t'), {
    kind: 'serviceaccount',
    username: 'system:serviceaccount:agents:oncall',
    groups: ['system:serviceaccounts'],
    namespace: 'agents',
    name: 'oncall',
    uid: 'sa-1',
    pod: { name: 'oncall-0', uid: 'pod-1' },
  })
  assert.deepEqual(asked, [`t ${audience}`])
})

test('T05 without our audience in the status nobody is authenticated', async () => {
  for (const audiences of [[], ['jackstay-enrol'], ['jackstay-intent2']]) {
    const { identify } = setup(async () => reviewed({ audiences }))
    await assert.rejects(identify(), code('wrong_audience'))
  }
})

test('T05 an answer for one audience is never used for another', async () => {
  const { identify } = setup(async () => reviewed())
  await identify('t')
  await assert.rejects(identify('t', 'jackstay-enrol'), code('wrong_audience'))
})

test('an unauthenticated token or a nameless user is refused', async () => {
  for (const over of [{ authenticated: false }, { username: '' }]) {
    const { identify } = setup(async () => reviewed(over))
    await assert.rejects(identify(), code('unauthenticated'))
  }
})

test('a failing or hanging API server authenticates nobody, and is asked again', async () => {
  let fail = true
  const { identify, asked } = setup(async () => {
    if (fail) throw new Error('connection refused')
    return reviewed()
  })
  await assert.rejects(identify(), code('upstream_unavailable'))
  fail = false
  await identify()
  assert.equal(asked.length, 2)
  const hanging = setup(() => new Promise(() => {}), { reviewMs: 5 })
  // AbortSignal.timeout alone does not keep the process awake
  const awake = setInterval(() => {}, 1000)
  await assert.rejects(hanging.identify(), code('upstream_unavailable'))
  clearInterval(awake)
})

test('a yes is believed for 60 s from its question, not longer', async () => {
  const { identify, asked, pass } = setup(async () => {
    pass(10_000)
    return reviewed()
  })
  await identify()
  pass(49_999)
  await identify()
  assert.equal(asked.length, 1)
  pass(1)
  await identify()
  assert.equal(asked.length, 2)
  assert.throws(() => setup(async () => reviewed(), { ttlMs: 60_001 }), code('invalid_config'))
})

test('a clock that runs backwards makes no answer younger', async () => {
  const { identify, asked, pass } = setup(async () => reviewed())
  await identify()
  pass(-600_000)
  await identify()
  assert.equal(asked.length, 2)
})

test('a no is believed for a moment only', async () => {
  const { identify, asked, pass } = setup(async () => reviewed({ authenticated: false }))
  for (let i = 0; i < 3; i++) await assert.rejects(identify(), code('unauthenticated'))
  assert.equal(asked.length, 1)
  pass(5_000)
  await assert.rejects(identify(), code('unauthenticated'))
  assert.equal(asked.length, 2)
})

test('T02 a flood of wrong tokens neither grows the cache nor evicts a right one', async () => {
  const { it, identify, asked } = setup(
    async (token) => reviewed({ authenticated: token === 'good' }),
    { maxEntries: 10 },
  )
  await identify('good')
  for (let i = 0; i < 100; i++) await assert.rejects(identify(`bad${i}`))
  await identify('good')
  assert.equal(asked.filter((line) => line.startsWith('good')).length, 1)
  assert.ok(it.entries <= 20)
})

test('of right tokens the one used longest ago is forgotten', async () => {
  const { identify, asked } = setup(async () => reviewed(), { maxEntries: 2 })
  for (const token of ['a', 'b', 'a', 'c', 'a', 'b']) await identify(token)
  assert.deepEqual(
    asked.map((line) => line[0]),
    ['a', 'b', 'c', 'b'],
  )
})

test('one review serves all who wait; one who leaves does not end it for the others', async () => {
  const gate = Promise.withResolvers<TokenReviewResult>()
  const { identify, asked } = setup(() => gate.promise)
  const leaving = new AbortController()
  const left = identify('t', audience, leaving.signal)
  const stays = identify('t')
  leaving.abort(new Error('gone'))
  await assert.rejects(left, /gone/)
  gate.resolve(reviewed())
  assert.equal((await stays).username, 'system:serviceaccount:agents:oncall')
  assert.equal(asked.length, 1)
})

test('reviews under way are bounded', async () => {
  const { identify } = setup(() => new Promise(() => {}), { maxReviews: 1 })
  identify('a').catch(() => {})
  await assert.rejects(identify('b'), code('overloaded'))
})

test('a Pod named twice, or only by half, is refused', async () => {
  const name = 'authentication.kubernetes.io/pod-name'
  const uid = 'authentication.kubernetes.io/pod-uid'
  for (const extra of [
    { [name]: ['a', 'b'], [uid]: ['1'] },
    { [name]: ['a'] },
    { [uid]: ['1'] },
    { [name]: [''], [uid]: ['1'] },
  ]) {
    const { identify } = setup(async () => reviewed({ extra }))
    await assert.rejects(identify(), code('unauthenticated'))
  }
})

test('people and lookalikes are users, and have no Pod', async () => {
  for (const username of ['jane', 'system:serviceaccount:a', 'system:serviceaccount:A:b:c']) {
    const { identify } = setup(async () => reviewed({ username }))
    const caller = await identify()
    assert.equal(caller.kind, 'user')
    assert.throws(() => requirePod(caller), code('unauthenticated'))
  }
  const { identify } = setup(async () => reviewed({ extra: {} }))
  const unbound = await identify()
  assert.equal(unbound.kind, 'serviceaccount')
  assert.throws(() => requirePod(unbound), code('unauthenticated'))
})

test('T07 only the very Pod, Pending or Running and not terminating, is live', () => {
  const pod = { uid: 'u', phase: 'Running' }
  assert.ok(podIsLive(pod, 'u'))
  assert.ok(podIsLive({ ...pod, phase: 'Pending' }, 'u'))
  assert.ok(!podIsLive(undefined, 'u'))
  assert.ok(!podIsLive(pod, 'other'))
  assert.ok(!podIsLive({ ...pod, uid: '' }, ''))
  assert.ok(!podIsLive({ ...pod, deletionTimestamp: '2030-01-01T00:00:00Z' }, 'u'))
  for (const phase of ['Succeeded', 'Failed', 'Unknown', '']) {
    assert.ok(!podIsLive({ ...pod, phase }, 'u'), phase)
  }
})

test('only one well-formed bearer token is taken from the header', async () => {
  const app = new Hono().get('/', (c) => c.text(bearerToken(c)))
  app.onError((error, c) => c.text(error.message, 401))
  const ask = async (authorization?: string) => {
    const answer = await app.request('/', authorization ? { headers: { authorization } } : {})
    return answer.status === 200 ? answer.text() : answer.status
  }
  assert.equal(await ask('Bearer a.b-c_d~e+f/g=='), 'a.b-c_d~e+f/g==')
  assert.equal(await ask('bearer abc'), 'abc')
  const long = `Bearer ${'a'.repeat(20_000)}`
  for (const bad of [undefined, 'Basic abc', 'Bearer', 'Bearer a b', 'Bearer a, Bearer b', long]) {
    assert.equal(await ask(bad), 401, bad)
  }
})
