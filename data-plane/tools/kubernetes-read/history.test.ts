import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Json } from '@jackstay/contract/json'
import { reads } from '@jackstay/contract/reads'
import { AgentReader } from './agent.ts'
import { listOf, ok, startApiServer } from './api-server-world.ts'
import { readHistory } from './history.ts'
import { Stripper } from './strip.ts'
import { templateDiff } from './template-diff.ts'

const agent = { namespace: 'jackstay-class-web', name: 'fixer' }
const apps = '/apis/apps/v1/namespaces/shop'
const selector = { matchLabels: { app: 'web' } }
const key = 'deployment.kubernetes.io/revision'

interface Template {
  readonly image?: string
  readonly memory?: string
  readonly env?: readonly Json[]
}

function templateOf({ image = 'app:1', memory = '64Mi', env = [] }: Template, hash = 'x') {
  const container = { name: 'app', image, env, resources: { limits: { memory } } }
  return {
    metadata: { labels: { app: 'web', 'pod-template-hash': hash } },
    spec: { containers: [container] },
  }
}

function workload(kind: string, more: object = {}) {
  const annotations = { [key]: '3' }
  const metadata = { name: 'web', namespace: 'shop', uid: 'owner', annotations }
  return { apiVersion: 'apps/v1', kind, metadata, spec: { selector }, ...more }
}

const owned = (uid = 'owner') => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'X', name: 'web', uid, controller: true }],
})

function replicaSet(revision: number, template: Template, owner = 'owner') {
  const annotations = { [key]: `${revision}`, 'kubernetes.io/change-cause': `because ${revision}` }
  const name = `web-${revision}`
  return {
    metadata: { name, uid: name, annotations, ...owned(owner) },
    spec: { replicas: revision, template: templateOf(template, name) },
    status: { readyReplicas: 1 },
  }
}

async function start(t: TestContext) {
  const server = await startApiServer(t)
  const reader = new AgentReader(server.client, agent, new AbortController().signal)
  const read = (kind: string, limit = 5) =>
    readHistory(
      reader,
      reads.history.request.parse({ kind, namespace: 'shop', name: 'web', limit }),
    )
  return { ...server, read }
}

describe('history', () => {
  it('of a Deployment is its ReplicaSets, newest first, with what changed', async (t) => {
    const { read, answers } = await start(t)
    answers.set(`${apps}/deployments/web`, ok(workload('Deployment')))
    answers.set(
      `${apps}/replicasets`,
      listOf('ReplicaSet', [
        replicaSet(2, { image: 'app:2' }),
        replicaSet(10, { image: 'other' }, 'another'),
        replicaSet(1, {}),
        replicaSet(3, { image: 'app:2', memory: '8Mi' }),
      ]),
    )
    const { revisions, truncated } = await read('Deployment')
    assert.deepEqual(
      revisions.map(({ revision, current, changeCause, images, replicas, changes }) => ({
        ...{ revision, current, changeCause, image: images[0]?.image, replicas, changes },
      })),
      [
        {
          ...{ revision: 3, current: true, changeCause: 'because 3', image: 'app:2', replicas: 3 },
          changes: [{ path: 'containers[app].resources.limits.memory', from: '64Mi', to: '8Mi' }],
        },
        {
          ...{ revision: 2, current: false, changeCause: 'because 2', image: 'app:2', replicas: 2 },
          changes: [{ path: 'containers[app].image', from: 'app:1', to: 'app:2' }],
        },
        {
          ...{ revision: 1, current: false, changeCause: 'because 1', image: 'app:1', replicas: 1 },
          changes: undefined,
        },
      ],
    )
    assert.equal(truncated, false)
    const one = await read('Deployment', 1)
    assert.equal(one.truncated, true)
    assert.equal(one.revisions[0]?.changes?.length, 1)
  })

  it('of StatefulSets and DaemonSets is their ControllerRevisions', async (t) => {
    const { read, answers } = await start(t)
    const revision = (n: number, template: Template) => ({
      metadata: { name: `web-${n}`, uid: `cr${n}`, ...owned() },
      revision: n,
      data: { spec: { template: { ...templateOf(template), $patch: 'replace' } } },
    })
    answers.set(
      `${apps}/controllerrevisions`,
      listOf('ControllerRevision', [revision(1, {}), revision(2, { image: 'app:2' })]),
    )
    const status = { updateRevision: 'web-1' }
    answers.set(`${apps}/statefulsets/web`, ok(workload('StatefulSet', { status })))
    answers.set(`${apps}/daemonsets/web`, ok(workload('DaemonSet')))
    const current = async (kind: string) =>
      (await read(kind)).revisions.map((one) => `${one.revision} ${one.current}`)
    assert.deepEqual(await current('StatefulSet'), ['2 false', '1 true'])
    assert.deepEqual(await current('DaemonSet'), ['2 true', '1 false'])
    const changes = (await read('DaemonSet')).revisions[0]?.changes
    assert.deepEqual(changes, [{ path: 'containers[app].image', from: 'app:1', to: 'app:2' }])
  })
})

describe('templateDiff', () => {
  it('T38 tells that a variable changed, never its values', () => {
    const before = templateOf({
      env: [
        { name: 'DB', value: 'hunter2-old' },
        { name: 'OLD', value: 'x' },
      ],
    })
    const after = templateOf({
      env: [
        { name: 'NEW', valueFrom: { secretKeyRef: { name: 'db', key: 'hunter2' } } },
        { name: 'DB', value: 'hunter2-new' },
      ],
    })
    const changes = templateDiff(before, after, new Stripper())
    assert.deepEqual(changes, [
      { path: 'containers[app].env[DB]', from: '[withheld]', to: '[withheld]' },
      { path: 'containers[app].env[OLD]', from: '[withheld]' },
      { path: 'containers[app].env[NEW]', to: '[withheld]' },
    ])
    assert.ok(!JSON.stringify(changes).includes('hunter2'))
  })

  it('T38 shows other fields as any read does', () => {
    const at = (annotations: Readonly<Record<string, string>>) => ({
      metadata: { annotations },
      spec: {},
    })
    const changes = templateDiff(
      at({ 'kubectl.kubernetes.io/restartedAt': 'then' }),
      at({
        'kubectl.kubernetes.io/restartedAt': 'now',
        'x/api-token': 'hunter2',
        note: 'pwd=hunter2',
      }),
      new Stripper(),
    )
    assert.deepEqual(changes, [
      { path: 'metadata.annotations.kubectl.kubernetes.io/restartedAt', from: 'then', to: 'now' },
      { path: 'metadata.annotations.x/api-token', to: '[withheld]' },
      { path: 'metadata.annotations.note', to: 'pwd=[redacted]' },
    ])
  })

  it('is empty between what differs only by its revision', () => {
    const [a, b] = [templateOf({}, 'one'), templateOf({}, 'two')]
    assert.deepEqual(templateDiff(a, b, new Stripper()), [])
  })
})
