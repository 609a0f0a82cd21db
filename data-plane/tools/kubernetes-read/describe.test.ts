import assert from 'node:assert/strict'
import { it, describe as suite, type TestContext } from 'node:test'
import { describeAnswer, reads } from '@jackstay/contract/reads'
import { AgentReader } from './agent.ts'
import { failure, listOf, ok, rights, rightsPath, startApiServer } from './api-server-world.ts'
import { describe } from './describe.ts'

const agent = { namespace: 'jackstay-class-web', name: 'fixer' }
const core = '/api/v1/namespaces/shop'
const apps = '/apis/apps/v1/namespaces/shop'
const labels = { app: 'web' }
const selector = { matchLabels: labels }
const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:2' }] } }

function meta(name: string, owner?: readonly [kind: string, name: string], more: object = {}) {
  const [kind, of] = owner ?? []
  const ownerReferences =
    owner === undefined
      ? []
      : [{ apiVersion: 'apps/v1', kind, name: of, uid: `uid-${of}`, controller: true }]
  return {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion: '1',
    ownerReferences,
    ...more,
  }
}

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web'),
  spec: { replicas: 2, selector, template },
  status: { replicas: 2 },
}

function replicaSet(name: string, revision: string, replicas: number) {
  const annotations = { 'deployment.kubernetes.io/revision': revision }
  return {
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    metadata: meta(name, ['Deployment', 'web'], { annotations, labels }),
    spec: { replicas, selector, template },
  }
}

function podOf(name: string, ready: boolean, owner = 'web-2') {
  const crash = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m token=hunter2' } }
  const last = {
    terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-05T12:00:00Z' },
  }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: meta(name, ['ReplicaSet', owner], { labels }),
    spec: { nodeName: 'n1', containers: [{ name: 'app', env: [{ name: 'A', value: 'hunter2' }] }] },
    status: {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', reason: 'ContainersNotReady' },
      ],
      containerStatuses: [
        {
          ...{ name: 'app', image: 'app:2', imageID: 'app@sha256:1', ready, restartCount: 3 },
          state: ready ? { running: { startedAt: '2026-01-05T12:00:00Z' } } : crash,
          lastState: ready ? {} : last,
        },
      ],
    },
  }
}

function eventOf(name: string, uid: string, at: string) {
  return {
    metadata: { name, namespace: 'shop' },
    involvedObject: { kind: 'X', name: 'x', uid },
    ...{ type: 'Warning', reason: 'R', message: name, lastTimestamp: at },
  }
}

async function start(t: TestContext) {
  const server = await startApiServer(t)
  const { signal } = new AbortController()
  const reader = new AgentReader(server.client, agent, signal)
  const { answers } = server
  answers.set(`${apps}/deployments/web`, ok(deployment))
  answers.set(`${apps}/replicasets/web-2`, ok(replicaSet('web-2', '2', 2)))
  answers.set(
    `${apps}/replicasets`,
    listOf('ReplicaSet', [
      replicaSet('web-0', '0', 0),
      replicaSet('web-2', '2', 2),
      replicaSet('web-1', '1', 1),
    ]),
  )
  answers.set(`${core}/pods/web-2-b`, ok(podOf('web-2-b', false)))
  answers.set(
    `${core}/pods`,
    listOf('Pod', [podOf('web-2-a', true), podOf('web-2-b', false), podOf('x', false, 'other')]),
  )
  answers.set(
    `${core}/events`,
    listOf('Event', [
      eventOf('of the pod', 'uid-web-2-b', '2026-01-05T12:00:03Z'),
      eventOf('of the set', 'uid-web-2', '2026-01-05T12:00:01Z'),
      eventOf('of itself', 'uid-web', '2026-01-05T12:00:02Z'),
      eventOf('of another', 'uid-x', '2026-01-05T12:00:04Z'),
    ]),
  )
  const scaleTargetRef = { kind: 'Deployment', name: 'web' }
  answers.set(
    '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers',
    listOf('HorizontalPodAutoscaler', [
      { metadata: meta('scaler'), spec: { scaleTargetRef } },
      { metadata: meta('scaler2'), spec: { scaleTargetRef: { kind: 'StatefulSet', name: 'web' } } },
    ]),
  )
  answers.set(
    '/apis/policy/v1/namespaces/shop/poddisruptionbudgets',
    listOf('PodDisruptionBudget', [
      { metadata: meta('budget'), spec: { selector, maxUnavailable: 0 } },
      { metadata: meta('budget2'), spec: { selector: { matchLabels: { app: 'api' } } } },
    ]),
  )
  const read = async (kind: string, name: string, namespace = 'shop') => {
    const question = reads.describe.request.parse({ kind, namespace, name })
    return describeAnswer.parse(await describe(reader, question, signal))
  }
  return { ...server, read }
}

const names = (objects: readonly Record<string, unknown>[]) =>
  objects.map(({ metadata }) => Object(metadata).name)

suite('describe', () => {
  it('puts a Deployment together with its ReplicaSets, Pods, guards and events', async (t) => {
    const { read } = await start(t)
    const { related, pods, events, owners, missing, withheld } = await read('Deployment', 'web')
    assert.deepEqual(names(related), ['web-2', 'web-1', 'scaler', 'budget'])
    assert.deepEqual(
      pods.map(({ name, ready }) => `${name} ${ready}`),
      ['web-2-b false', 'web-2-a true'],
    )
    assert.deepEqual(
      events.map(({ message }) => message),
      ['of the pod', 'of itself', 'of the set'],
    )
    assert.deepEqual({ owners, missing, withheld }, { owners: [], missing: [], withheld: 1 })
  })

  it('T38 tells of a Pod why it does not run, and nothing secret', async (t) => {
    const { read } = await start(t)
    const answer = await read('Pod', 'web-2-b')
    assert.deepEqual(
      answer.owners.map(({ kind, name }) => `${kind} ${name}`),
      ['ReplicaSet web-2', 'Deployment web'],
    )
    const [pod] = answer.pods
    assert.deepEqual(pod?.containers, [
      {
        ...{ name: 'app', init: false, image: 'app:2', imageID: 'app@sha256:1', ready: false },
        ...{ restarts: 3, state: 'waiting', reason: 'CrashLoopBackOff' },
        message: 'back-off 5m token=[redacted]',
        last: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-05T12:00:00Z' },
      },
    ])
    assert.deepEqual(pod?.failing, [{ type: 'Ready', reason: 'ContainersNotReady' }])
    assert.ok(!JSON.stringify(answer).includes('hunter2'))
  })

  it('says of each part that it may not read which role is missing', async (t) => {
    const { read, answers } = await start(t)
    answers.set(rightsPath, rights('deployments'))
    const budgets = '/apis/policy/v1/namespaces/shop/poddisruptionbudgets'
    for (const path of [`${core}/events`, budgets, `${core}/pods`]) {
      answers.set(path, failure(403, 'forbidden: cannot list resource'))
    }
    const { missing, pods, events } = await read('Deployment', 'web')
    assert.deepEqual(missing.map(({ what }) => what).toSorted(), [
      'Pod',
      'PodDisruptionBudget',
      'events',
    ])
    assert.ok(missing.every(({ why }) => why.includes('jackstay-read-workloads')))
    assert.deepEqual([pods, events], [[], []])
  })

  it('says what it left out', async (t) => {
    const { read, answers } = await start(t)
    const many = Array.from({ length: 50 }, (_, n) => podOf(`web-2-${n}`, n > 0))
    answers.set(`${core}/pods`, listOf('Pod', many, 'next'))
    const { pods, missing } = await read('Deployment', 'web')
    assert.equal(pods.length, 20)
    assert.equal(pods[0]?.name, 'web-2-0')
    assert.match(missing.map(({ why }) => why).join('\n'), /first 100.*\n30 more Pods, 30 of them/s)
  })

  it('fails when the object itself cannot be read', async (t) => {
    const { read, answers } = await start(t)
    await assert.rejects(read('Deployment', 'gone'), { code: 'not_found' })
    await assert.rejects(read('Secret', 'web'), { code: 'forbidden' })
    answers.set(`${apps}/deployments/web`, failure(403, 'forbidden'))
    answers.set(rightsPath, rights())
    await assert.rejects(read('Deployment', 'web'), { code: 'not_found' })
  })

  it('leaves out events of an earlier object of the same name', async (t) => {
    const { read, answers } = await start(t)
    const earlier = eventOf('of an earlier one', 'uid-earlier', '2026-01-05T12:00:09Z')
    answers.set(`${core}/events`, listOf('Event', [earlier]))
    assert.deepEqual((await read('Deployment', 'web')).events, [])
  })
})
