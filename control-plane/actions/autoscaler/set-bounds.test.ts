import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldChanges } from '@jackstay/contract/field-changes'
import type { Observed } from '../action.ts'
import { planned, refusal, uid } from '../workload/workload-builder.ts'
import { hpaSetBounds } from './set-bounds.ts'

const scaler = (current = 3, spec: object = {}): Observed =>
  ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'shop', uid, generation: 1 },
    spec: {
      ...{ minReplicas: 2, maxReplicas: 5, scaleTargetRef: { kind: 'Deployment', name: 'web' } },
      ...spec,
    },
    status: { currentReplicas: current },
  }) as Observed

describe('hpa.setBounds', () => {
  it('plans both bounds and what they take away or add at once', async () => {
    const lower = await planned(hpaSetBounds, { maxReplicas: 2 }, scaler())
    assert.deepEqual(lower.writes.flatMap(fieldChanges).at(-1), {
      ...{ path: '/spec/maxReplicas', before: 5, after: 2 },
    })
    const { pods, readyReplicasLost } = lower.blastRadius
    assert.deepEqual([pods, readyReplicasLost], [1, 1])
    const higher = await planned(hpaSetBounds, { minReplicas: 5 }, scaler())
    assert.deepEqual([higher.blastRadius.pods, higher.blastRadius.readyReplicasLost], [2, 0])
    const off = await planned(hpaSetBounds, { minReplicas: 5 }, scaler(0))
    assert.equal(off.blastRadius.pods, 0, 'at zero it is switched off')
  })

  it('refuses bounds that cross, are none, or are the same', async () => {
    assert.equal(await refusal(hpaSetBounds, { minReplicas: 6 }, scaler()), 'invalid_params')
    assert.equal(await refusal(hpaSetBounds, {}, scaler()), 'invalid_params')
    assert.equal(await refusal(hpaSetBounds, { minReplicas: 0 }, scaler()), 'invalid_params')
    assert.equal(await refusal(hpaSetBounds, { maxReplicas: 5 }, scaler()), 'no_change')
  })

  it('holds once the replicas are within the bounds', async () => {
    const plan = await planned(hpaSetBounds, { maxReplicas: 2 }, scaler())
    const state = (current: number, spec: object) =>
      hpaSetBounds.progress(plan, scaler(current, spec)).state
    assert.equal(state(3, { maxReplicas: 2 }), 'pending')
    assert.equal(state(2, { maxReplicas: 2 }), 'holds')
    assert.equal(state(2, {}), 'broken', 'somebody set it back')
  })
})
