import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crashing, readyStatus, type Scene, sceneOf, waitingFor } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const well = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
const healthy: Scene = {
  ...{ serving: 0, rolledOut: true, pods: [readyStatus, readyStatus] },
  deployment: { status: well },
}
const quota = {
  ...{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
  message:
    'pods "web-x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=8, limited: pods=8',
}
const refused = (condition: object): Scene => ({
  ...healthy,
  deployment: { spec: { replicas: 5, selector: {} }, status: { ...well, conditions: [condition] } },
})
const scaler = (reason: string, kind = 'Deployment') => ({
  metadata: { name: 'web', uid: 'u' },
  spec: { scaleTargetRef: { kind, name: 'web' }, maxReplicas: 2 },
  status: {
    currentReplicas: 2,
    conditions: [{ type: 'ScalingLimited', status: 'True', reason }],
  },
})
const marked = (metadata: object): Scene => ({
  ...{ serving: 0, pods: [] },
  deployment: { metadata: { ...metadata }, spec: { replicas: 0, selector: {} } },
})

const escalated: [string, Scene, string][] = [
  ['a quota refuses its Pods', refused(quota), 'quota_exhausted'],
  [
    'a quota refuses its Pods while some start',
    { ...refused(quota), pods: [readyStatus, waitingFor('ContainerCreating')] },
    'quota_exhausted',
  ],
  [
    'Pods are refused for something else',
    refused({ ...quota, message: 'webhook says no' }),
    'unsettled',
  ],
  [
    'a Pod crashes besides',
    { ...refused(quota), pods: [readyStatus, crashing()] },
    'evidence_contradicts',
  ],
  [
    'its autoscaler is at its limit',
    { ...healthy, autoscalers: [scaler('TooManyReplicas')] },
    'autoscaler_at_limit',
  ],
  [
    'Argo CD owns it',
    marked({ annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } }),
    'owned_by_git',
  ],
  [
    'Flux owns it',
    marked({ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }),
    'owned_by_git',
  ],
]
const nothing: [string, Scene][] = [
  ['its autoscaler would make fewer', { ...healthy, autoscalers: [scaler('TooFewReplicas')] }],
  [
    'the autoscaler of something else is at its limit',
    { ...healthy, autoscalers: [scaler('TooManyReplicas', 'StatefulSet')] },
  ],
  [
    'an autoscaler says nothing yet',
    { ...healthy, autoscalers: [{ ...scaler(''), status: { conditions: null } }] },
  ],
]

describe('what is left alone', () => {
  for (const [name, scene, reason] of escalated) {
    it(`a person is called where ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }

  for (const [name, scene] of nothing) {
    it(`nobody is called where ${name}`, () => {
      assert.equal(diagnose(sceneOf(scene)).kind, 'nothing')
    })
  }
})
