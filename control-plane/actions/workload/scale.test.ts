import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Plan } from '@jackstay/contract/plan'
import {
  type ActionPlan,
  type FactReader,
  isRefusal,
  type Observed,
  type Refusal,
} from '../action.ts'
import { workloadScale } from './scale.ts'
import { withPlanned } from './workload-builder.ts'

const uid = '11111111-1111-4111-8111-111111111111'

type Parts = { readonly metadata?: object; readonly spec?: object; readonly status?: object }

/** A Deployment with two of two replicas ready, changed by `parts`. */
function deployment(parts: Parts = {}): Observed {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid, generation: 4, ...parts.metadata },
    spec: { replicas: 2, ...parts.spec },
    status: {
      ...{ observedGeneration: 4, replicas: 2, readyReplicas: 2, availableReplicas: 2 },
      ...parts.status,
    },
  }
}

function autoscalerOf(name: string, kind = 'Deployment'): Observed {
  return {
    metadata: { name: `${name}-hpa` },
    spec: { scaleTargetRef: { kind, name } },
  }
}

function reader(object: Observed | undefined, scalers: readonly Observed[] = []): FactReader {
  return { get: async () => object, list: async () => scalers, listEverywhere: async () => [] }
}

const request = { intent: 'i', signedAt: 1_767_268_800 }
const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }

function prepare(
  params: unknown,
  object: Observed | undefined = deployment(),
  scalers: readonly Observed[] = [],
): Promise<ActionPlan | Refusal> {
  return workloadScale.prepare(target, params, reader(object, scalers), request)
}

async function planned(replicas: number, object?: Observed): Promise<Plan> {
  const plan = await prepare({ replicas }, object)
  assert.ok(!isRefusal(plan), JSON.stringify(plan))
  return withPlanned('workload.scale', plan)
}

async function refusal(...args: Parameters<typeof prepare>): Promise<string> {
  const plan = await prepare(...args)
  return isRefusal(plan) ? plan.refused : 'planned'
}

describe('workload.scale plans', () => {
  it('writes spec.replicas of the parent and knows how to take it back', async () => {
    const [write, ...others] = (await planned(5)).writes
    assert.deepEqual(others, [])
    assert.ok(write?.verb === 'patch')
    assert.deepEqual(write?.body, { spec: { replicas: 5 } })
    assert.deepEqual(write?.inverse.body, { spec: { replicas: 2 } })
    assert.deepEqual(write?.before[0]?.value, { is: 2 })
    assert.deepEqual(write?.after[0]?.value, { is: 5 })
  })

  it('counts what becomes unready', async () => {
    assert.equal((await planned(0)).blastRadius.readyReplicasLost, 2)
    assert.equal((await planned(5)).blastRadius.readyReplicasLost, 0)
    assert.equal((await planned(5)).blastRadius.pods, 3)
  })

  it('gives the same plan while only status moves', async () => {
    const moved = {
      status: { readyReplicas: 0, availableReplicas: 0 },
      metadata: { generation: 9 },
    }
    const [a, b] = [await planned(5), await planned(5, deployment(moved))]
    assert.deepEqual({ ...a, observed: 0, blastRadius: 0 }, { ...b, observed: 0, blastRadius: 0 })
  })

  it('gives another plan when a field it read moves', async () => {
    const label = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }
    assert.notDeepEqual(await planned(5), await planned(5, deployment({ spec: { paused: true } })))
    assert.equal(await refusal({ replicas: 5 }, deployment({ metadata: label })), 'gitops_owned')
  })
})

describe('workload.scale refuses', () => {
  it('parameters that are not a whole number of replicas (T12)', async () => {
    for (const replicas of [-1, 1.5, '3', null, undefined, 1001, 2 ** 53 + 1]) {
      assert.equal(await refusal({ replicas }), 'invalid_params', String(replicas))
    }
    assert.equal(await refusal({ replicas: 1, force: true }), 'invalid_params')
  })

  it('a target that is not there, was replaced (T32) or is going away', async () => {
    const other = { ...target, uid: '22222222-2222-4222-8222-222222222222' }
    const replaced = await workloadScale.prepare(
      other,
      { replicas: 1 },
      reader(deployment()),
      request,
    )
    assert.ok(isRefusal(replaced) && replaced.refused === 'target_not_found')
    const gone = await workloadScale.prepare(target, { replicas: 1 }, reader(undefined), request)
    assert.ok(isRefusal(gone) && gone.refused === 'target_not_found')
    const going = deployment({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
    assert.equal(await refusal({ replicas: 1 }, going), 'target_not_found')
  })

  it('what an autoscaler owns, and only that', async () => {
    assert.equal(
      await refusal({ replicas: 1 }, undefined, [autoscalerOf('web')]),
      'hpa_owns_replicas',
    )
    assert.equal(await refusal({ replicas: 1 }, undefined, [autoscalerOf('api')]), 'planned')
    const set = autoscalerOf('web', 'StatefulSet')
    assert.equal(await refusal({ replicas: 1 }, undefined, [set]), 'planned')
  })

  it('what Git owns, and not what merely carries an instance label', async () => {
    const owned = [
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } },
      { labels: { 'helm.toolkit.fluxcd.io/name': 'web' } },
      { managedFields: [{ manager: 'argocd-controller' }] },
      { managedFields: [{ manager: 'kustomize-controller' }] },
    ]
    for (const metadata of owned) {
      assert.equal(await refusal({ replicas: 1 }, deployment({ metadata })), 'gitops_owned')
    }
    const free = { labels: { 'app.kubernetes.io/instance': 'web' } }
    assert.equal(await refusal({ replicas: 1 }, deployment({ metadata: free })), 'planned')
  })

  it('a change that changes nothing', async () => {
    assert.equal(await refusal({ replicas: 2 }), 'no_change')
  })
})

describe('workload.scale verifies', () => {
  const at = (spec: number, status: object, metadata: object = {}) =>
    deployment({ spec: { replicas: spec }, status, metadata: { generation: 5, ...metadata } })
  const full = { observedGeneration: 5, replicas: 5, readyReplicas: 5, availableReplicas: 5 }

  it('holds once the controller has seen it and every replica is available', async () => {
    const plan = await planned(5)
    assert.equal(workloadScale.progress(plan, at(5, full)).state, 'holds')
    const stale = { ...full, observedGeneration: 4 }
    assert.equal(workloadScale.progress(plan, at(5, stale)).state, 'pending')
    const few = { ...full, availableReplicas: 4 }
    assert.equal(workloadScale.progress(plan, at(5, few)).state, 'pending')
  })

  it('breaks when somebody else changed the number, or the object is another', async () => {
    const plan = await planned(5)
    assert.equal(workloadScale.progress(plan, at(3, full)).state, 'broken')
    assert.equal(workloadScale.progress(plan, undefined).state, 'broken')
    const other = { uid: '22222222-2222-4222-8222-222222222222' }
    assert.equal(workloadScale.progress(plan, at(5, full, other)).state, 'broken')
  })
})

describe('workload.scale of a StatefulSet', () => {
  const set = (whenScaled: string, templates: readonly object[]): Observed => ({
    ...deployment({
      spec: {
        persistentVolumeClaimRetentionPolicy: { whenScaled },
        volumeClaimTemplates: templates,
      },
    }),
    kind: 'StatefulSet',
  })
  const scaled = async (replicas: number, object: Observed) => {
    const of = { ...target, kind: 'StatefulSet' }
    const plan = await workloadScale.prepare(of, { replicas }, reader(object), request)
    assert.ok(!isRefusal(plan))
    return plan
  }

  it('is irreversible where fewer replicas delete volumes, and only there', async () => {
    const claims = [{ metadata: { name: 'data' } }]
    const plan = await scaled(1, set('Delete', claims))
    assert.equal(plan.reversibility, 'irreversible')
    assert.match(plan.summary, /deletes their volumes/)
    assert.ok(
      plan.reads.some(({ path }) => path.endsWith('/whenScaled')),
      'it is covered',
    )
    assert.equal((await scaled(3, set('Delete', claims))).reversibility, 'inverse')
    assert.equal((await scaled(1, set('Retain', claims))).reversibility, 'inverse')
    assert.equal((await scaled(1, set('Delete', []))).reversibility, 'inverse')
  })
})
