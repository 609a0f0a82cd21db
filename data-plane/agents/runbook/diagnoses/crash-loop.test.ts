import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crashing, ended, readyStatus, type Scene, sceneOf, waitingFor } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const incident: Scene = { pods: [crashing()] }

const proposed: [string, Scene][] = [
  ['the new Pods end, the old ones serve', {}],
  ['by another exit code', { pods: [crashing(2), crashing(139)] }],
  ['because the binary is not there', { pods: [crashing(127, 'StartError')] }],
  [
    'seen between two runs',
    {
      pods: [
        {
          ...waitingFor('', '', { restartCount: 2, lastState: ended('Error', 1) }),
          phase: 'Running',
        },
      ],
    },
  ],
  ['in an init container', { pods: [initCrash()] }],
  [
    'and one more new Pod is still starting',
    { pods: [crashing(), waitingFor('ContainerCreating')] },
  ],
  [
    'and the deadline of the rollout has passed',
    { deployment: { status: { conditions: [stuck()] } } },
  ],
  [
    'and a Pod of the old revision is going',
    { oldPods: [{ ...readyStatus, metadata: { deletionTimestamp: 'now' } }] },
  ],
]

const escalated: [string, Scene, string][] = [
  ['Pods of the old revision crash as well', { oldPods: [crashing()] }, 'cause_outside'],
  [
    'the revision worked before',
    { rolledOut: true, serving: 0, pods: [crashing()] },
    'cause_outside',
  ],
  ['no old Pod shows that going back helps', { serving: 0 }, 'evidence_missing'],
  ['there is no revision before', { withoutOld: true, serving: 0 }, 'evidence_missing'],
  [
    'some Pods of the same revision are well',
    { pods: [crashing(), readyStatus] },
    'evidence_contradicts',
  ],
  [
    'the Deployment is set to a revision that is not there',
    { deployment: { metadata: { annotations: { 'deployment.kubernetes.io/revision': '7' } } } },
    'evidence_missing',
  ],
  [
    'its revision is not told',
    { deployment: { metadata: { annotations: {} } } },
    'evidence_missing',
  ],
  [
    'somebody paused the rollout',
    { deployment: { spec: { replicas: 2, paused: true, selector: {} } } },
    'paused',
  ],
  [
    'another container lacks its image',
    { pods: [crashing(), waitingFor('ErrImageNeverPull')] },
    'several_incidents',
  ],
]

function initCrash() {
  const status = crashing()
  return { ...status, containerStatuses: [], initContainerStatuses: status.containerStatuses }
}

function stuck() {
  return { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
}

describe('a crash-looping new revision', () => {
  for (const [name, scene] of proposed) {
    it(`goes back: ${name}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, ...scene }))
      assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
      assert.equal(diagnosis.action, 'workload.rollback')
      assert.deepEqual(diagnosis.params, { revision: 1 })
      assert.equal(diagnosis.target.name, 'web')
      assert.match(diagnosis.summary, /exit code .* while \d Pods? of revision 1 serve/)
    })
  }

  for (const [name, scene, reason] of escalated) {
    it(`is for a person where ${name}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, ...scene }))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
      if (reason === 'evidence_missing') assert.ok(diagnosis.missing.length > 0)
    })
  }

  it('is seen where Pods count as ready between two crashes, and not after one crash', () => {
    const flapping = (restartCount: number) => ({
      ...readyStatus,
      containerStatuses: [{ ready: true, restartCount, lastState: ended('Error', 1) }],
    })
    const status = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
    const scene = { serving: 0, rolledOut: true, deployment: { status } }
    const often = diagnose(sceneOf({ ...scene, pods: [flapping(5), flapping(4)] }))
    assert.ok(often.kind === 'escalate' && often.reason === 'cause_outside')
    assert.equal(diagnose(sceneOf({ ...scene, pods: [flapping(1), flapping(0)] })).kind, 'nothing')
  })
})
