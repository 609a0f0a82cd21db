import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldChanges } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { workloadPause, workloadResume } from './pause.ts'
import { workloadRestart } from './restart.ts'
import { workloadSetImage } from './set-image.ts'
import { workloadSetResources } from './set-resources.ts'
import {
  containers,
  digestOfApp,
  planned,
  prepare,
  refusal,
  workloadOf,
} from './workload-builder.ts'

const stamp = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'

/** The same workload once the patch is in, by what the plan says. */
const after = (template: object, status: object, metadata = {}) =>
  workloadOf({ template, status, metadata: { generation: 5, ...metadata } })

describe('workload.restart', () => {
  it('plans one annotation, the same however often it is planned, and its inverse', async () => {
    const plan = await planned(workloadRestart, {})
    const [write] = plan.writes
    assert.ok(write?.verb === 'patch')
    assert.deepEqual(fieldChanges(write), [
      { path: stamp, before: undefined, after: '2026-03-04T12:00:00Z' },
    ])
    const annotations = { 'kubectl.kubernetes.io/restartedAt': null }
    assert.deepEqual(write.inverse.body, { spec: { template: { metadata: { annotations } } } })
    assert.deepEqual(await planned(workloadRestart, {}), plan)
    assert.deepEqual(plan.blastRadius.pods, 2)
    assert.deepEqual(plan.blastRadius.readyReplicasLost, 0, '25 % of two, rounded down')
  })

  it('rests on what it read: an approval is void where its rollouts or its owner changed (T31)', async () => {
    const rests = async (kind: string) =>
      (await planned(workloadRestart, {}, workloadOf({ kind }))).reads.map(({ path }) => path)
    const git = '/metadata/annotations/argocd.argoproj.io~1tracking-id'
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet']) {
      const paths = await rests(kind)
      assert.ok(paths.includes('/metadata/deletionTimestamp') && paths.includes(git), kind)
      const rolls = kind === 'Deployment' ? '/spec/paused' : '/spec/updateStrategy/type'
      assert.ok(paths.includes(rolls), kind)
    }
  })

  it('names the digests that mutable tags run as, and leaves fixed images out', async () => {
    const { notes } = await planned(workloadRestart, {})
    assert.deepEqual(notes, [
      `app: app:1 now runs as ${digestOfApp}; the tag may stand for another image later`,
    ])
    const { notes: none } = await planned(workloadRestart, {}, workloadOf(), { Pod: [] })
    assert.match(none?.[0] ?? '', /runs in no Pod now/)
  })

  it('refuses what would roll nothing', async () => {
    const rolls = async (kind: string, spec: object) =>
      await refusal(workloadRestart, {}, workloadOf({ kind, spec }))
    assert.equal(await rolls('Deployment', { paused: true }), 'unsuitable_target')
    const onDelete = { updateStrategy: { type: 'OnDelete' } }
    assert.equal(await rolls('StatefulSet', onDelete), 'unsuitable_target')
    assert.equal(await rolls('DaemonSet', onDelete), 'unsuitable_target')
    const partition = { updateStrategy: { rollingUpdate: { partition: 1 } } }
    assert.equal(await rolls('StatefulSet', partition), 'unsuitable_target')
  })

  it('reckons what a rollout takes away at once, by kind and strategy', async () => {
    const lost = async (kind: string, spec: object, status = {}) =>
      (await planned(workloadRestart, {}, workloadOf({ kind, spec, status }))).blastRadius
        .readyReplicasLost
    const rolling = (maxUnavailable: Json) => ({ strategy: { rollingUpdate: { maxUnavailable } } })
    assert.equal(
      await lost('Deployment', { replicas: 10, ...rolling('30%') }, { readyReplicas: 9 }),
      3,
    )
    assert.equal(await lost('Deployment', rolling(1)), 1)
    assert.equal(await lost('Deployment', { strategy: { type: 'Recreate' } }), 2)
    assert.equal(await lost('StatefulSet', {}), 1)
    const daemons = { desiredNumberScheduled: 5, numberReady: 5 }
    assert.equal(await lost('DaemonSet', {}, daemons), 1)
  })

  it('is verified only once the rollout is really finished', async () => {
    const plan = await planned(workloadRestart, {})
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-03-04T12:00:00Z' }
    const template = { metadata: { annotations } }
    const state = (status: object, metadata = {}) =>
      workloadRestart.progress(plan, after(template, status, metadata)).state
    const done = { observedGeneration: 5 }
    assert.equal(state(done), 'holds')
    assert.equal(state({ observedGeneration: 4 }), 'pending', 'not seen yet')
    assert.equal(state({ ...done, updatedReplicas: 1 }), 'pending')
    assert.equal(state({ ...done, replicas: 3 }), 'pending', 'an old Pod is left')
    assert.equal(state({ ...done, availableReplicas: 1 }), 'pending')
    const stuck = {
      ...{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
      lastUpdateTime: '2026-03-04T12:10:00Z',
    }
    assert.equal(state({ ...done, updatedReplicas: 1, conditions: [stuck] }), 'broken')
    assert.equal(state(done, { uid: '22222222-2222-4222-8222-222222222222' }), 'broken')
    assert.equal(workloadRestart.progress(plan, undefined).state, 'broken')
    assert.equal(workloadRestart.progress(plan, workloadOf()).state, 'broken', 'taken back')
  })

  it('does not take an earlier rollout that is stuck for its own', async () => {
    const stuck = {
      ...{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
      lastUpdateTime: '2026-03-04T11:00:00Z',
    }
    const plan = await planned(workloadRestart, {}, workloadOf({ status: { conditions: [stuck] } }))
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-03-04T12:00:00Z' }
    const status = { observedGeneration: 5, updatedReplicas: 0, conditions: [stuck] }
    const object = after({ metadata: { annotations } }, status)
    assert.equal(workloadRestart.progress(plan, object).state, 'pending')
  })
})

describe('workload.setImage', () => {
  const params = { container: 'app', image: 'app:2' }

  it('writes the whole list with one field changed', async () => {
    const { writes, notes } = await planned(workloadSetImage, params)
    const [write] = writes
    assert.ok(write?.verb === 'patch')
    const [app, side] = containers
    const list = (one: object) => ({ spec: { template: { spec: { containers: [one, side] } } } })
    assert.deepEqual(write.body, list({ ...app, image: 'app:2' }))
    assert.deepEqual(write.inverse.body, list({ ...app }))
    assert.deepEqual(
      fieldChanges(write).map(({ path }) => path),
      ['/spec/template/spec/containers/0/image'],
    )
    assert.equal(notes?.length, 1)
  })

  it('is another plan when anything else in the list moves', async () => {
    const moved = [{ ...containers[0], env: [{ name: 'A', value: '1' }] }, containers[1]]
    const object = workloadOf({ template: { spec: { containers: moved } } })
    const [one, other] = [
      await planned(workloadSetImage, params),
      await planned(workloadSetImage, params, object),
    ]
    assert.notDeepEqual(one.writes, other.writes)
  })

  it('refuses what is no image, no container of it, or no change', async () => {
    for (const image of [
      '',
      'a b',
      'App:1',
      'app:1\n',
      `app@sha256:${'a'.repeat(63)}`,
      'x'.repeat(513),
    ]) {
      assert.equal(await refusal(workloadSetImage, { ...params, image }), 'invalid_params', image)
    }
    const other = { ...params, container: 'other' }
    assert.equal(await refusal(workloadSetImage, other), 'unsuitable_target')
    assert.equal(await refusal(workloadSetImage, { ...params, image: 'app:1' }), 'no_change')
  })
})

describe('workload.setResources', () => {
  const change = async (given: object) => {
    const { writes } = await planned(workloadSetResources, { container: 'app', ...given })
    return writes.flatMap((write) => fieldChanges(write))
  }

  it('sets what is named and leaves the rest', async () => {
    const resources = '/spec/template/spec/containers/0/resources'
    assert.deepEqual(await change({ limits: { memory: '128Mi' } }), [
      { path: `${resources}/limits/memory`, before: '64Mi', after: '128Mi' },
    ])
    assert.deepEqual(await change({ requests: { cpu: '100m' } }), [
      { path: `${resources}/requests`, before: undefined, after: { cpu: '100m' } },
    ])
  })

  it('refuses what is no quantity, nothing at all, or no change', async () => {
    for (const given of [
      { limits: { memory: '64 MB' } },
      { limits: { memory: '-1' } },
      { limits: { memory: 64 } },
      { limits: {} },
      { limits: { 'nvidia.com/gpu': '1' } },
      {},
    ]) {
      const params = { container: 'app', ...given }
      assert.equal(
        await refusal(workloadSetResources, params),
        'invalid_params',
        JSON.stringify(given),
      )
    }
    const same = { container: 'app', limits: { memory: '64Mi' } }
    assert.equal(await refusal(workloadSetResources, same), 'no_change')
  })
})

describe('workload.pause and resume', () => {
  it('set one field, and refuse what is so already', async () => {
    const { writes, blastRadius } = await planned(workloadPause, {})
    assert.deepEqual(writes.flatMap(fieldChanges), [
      { path: '/spec/paused', before: false, after: true },
    ])
    assert.equal(blastRadius.pods, 0)
    assert.equal(await refusal(workloadResume, {}), 'no_change')
    const paused = workloadOf({ spec: { paused: true }, status: { updatedReplicas: 0 } })
    assert.equal(await refusal(workloadPause, {}, paused), 'no_change')
    assert.equal((await planned(workloadResume, {}, paused)).blastRadius.pods, 2)
  })

  it('are refused where Git owns the Deployment, as everything is', async () => {
    const metadata = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }
    const owned = workloadOf({ metadata })
    for (const [entry, params] of [
      [workloadPause, {}],
      [workloadRestart, {}],
      [workloadSetImage, { container: 'app', image: 'app:2' }],
      [workloadSetResources, { container: 'app', limits: { cpu: '1' } }],
    ] as const) {
      const plan = await prepare(entry, params, owned)
      assert.ok('refused' in plan && plan.refused === 'gitops_owned', entry.name)
    }
  })
})
