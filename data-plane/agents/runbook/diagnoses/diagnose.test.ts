import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crashing, killed, readyStatus, type Scene, sceneOf, waitingFor } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const well = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
const healthy: Scene = {
  serving: 0,
  rolledOut: true,
  pods: [readyStatus, readyStatus],
  deployment: { status: well },
}
const starting = waitingFor('ContainerCreating')

const nothing: [string, Scene][] = [
  ['every replica of the newest revision is available', healthy],
  ['a Pod restarted once and is ready again', { ...healthy, pods: [readyStatus, onceRestarted()] }],
  [
    'a Pod crashed often, but long ago',
    { ...healthy, pods: [readyStatus, onceRestarted(40, '2026-01-05T10:00:00Z')] },
  ],
  [
    'a failed Pod is going away',
    {
      ...healthy,
      pods: [...(healthy.pods ?? []), { ...crashing(), metadata: { deletionTimestamp: 'now' } }],
    },
  ],
]

const escalated: [string, Scene, string][] = [
  [
    'it is being deleted',
    { deployment: { metadata: { deletionTimestamp: 'now' } } },
    'being_deleted',
  ],
  [
    'its status is older than its spec',
    { ...healthy, deployment: { metadata: { generation: 9 }, status: well } },
    'unsettled',
  ],
  ['new Pods are starting beside old ones that serve', { pods: [starting] }, 'unsettled'],
  ['no Pod was made yet', { serving: 0, pods: [] }, 'unsettled'],
  [
    'a container cannot be configured',
    { pods: [waitingFor('CreateContainerConfigError', 'secret not found')] },
    'evidence_missing',
  ],
  ['a Pod was evicted', { pods: [{ phase: 'Failed', reason: 'Evicted' }] }, 'unexplained'],
  [
    'one Pod crashes and one is killed for memory',
    { pods: [crashing(), killed] },
    'several_incidents',
  ],
  [
    'one Pod crashes and one is in an unknown state',
    { pods: [crashing(), waitingFor('RunContainerError')] },
    'several_incidents',
  ],
  [
    'it is at zero and a Pod crashes',
    { pods: [crashing()], deployment: { spec: { replicas: 0, selector: {} } } },
    'several_incidents',
  ],
]

function onceRestarted(restartCount = 1, finishedAt = '2026-01-05T11:59:00Z') {
  const lastState = { terminated: { reason: 'Error', exitCode: 1, finishedAt } }
  return { ...readyStatus, containerStatuses: [{ ready: true, restartCount, lastState }] }
}

describe('diagnose', () => {
  for (const [name, scene] of nothing) {
    it(`leaves alone: ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.equal(
        diagnosis.kind,
        'nothing',
        diagnosis.kind === 'escalate' ? diagnosis.message : '',
      )
    })
  }

  for (const [name, scene, reason] of escalated) {
    it(`calls a person where ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }

  it('does not take old Pods that serve for a recovery', () => {
    const status = { replicas: 3, updatedReplicas: 1, availableReplicas: 2 }
    assert.notEqual(diagnose(sceneOf({ pods: [starting], deployment: { status } })).kind, 'nothing')
  })

  it('names everything that shows where several things do', () => {
    const diagnosis = diagnose(sceneOf({ pods: [crashing(), killed] }))
    assert.ok(diagnosis.kind === 'escalate')
    assert.match(diagnosis.message, /crash-looping revision; a container killed for its memory/)
    assert.match(diagnosis.message, /of 4 Pods: 1 crash, 1 out-of-memory/)
  })
})
