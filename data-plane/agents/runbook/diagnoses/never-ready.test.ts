import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crashing, readyStatus, type Scene, sceneOf, waitingFor } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

/** Runs, and does not answer its probe. */
const unready = {
  ...{ phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] },
  containerStatuses: [{ ready: false, started: true, state: { running: {} } }],
}
const progressing = (reason: string) => [{ type: 'Progressing', status: 'False', reason }]
const overdue = { conditions: progressing('ProgressDeadlineExceeded') }
const stuck: Scene = { pods: [unready], deployment: { status: overdue } }

const escalated: [string, Scene, string][] = [
  [
    'its time is not over',
    { pods: [unready], deployment: { status: { conditions: progressing('ReplicaSetUpdated') } } },
    'unsettled',
  ],
  ['no Pod runs yet', { ...stuck, pods: [waitingFor('ContainerCreating')] }, 'unsettled'],
  [
    'some do not even start',
    { ...stuck, pods: [unready, waitingFor('PodInitializing')] },
    'evidence_contradicts',
  ],
  ['some crash', { ...stuck, pods: [unready, crashing()] }, 'several_incidents'],
  ['a Pod of it is ready', { ...stuck, pods: [unready, readyStatus] }, 'evidence_contradicts'],
  ['no Pod is left of the revision before', { ...stuck, serving: 0 }, 'evidence_missing'],
  [
    'Pods of the revision before are not ready either',
    { ...stuck, oldPods: [unready] },
    'cause_outside',
  ],
  ['there is no revision before', { ...stuck, withoutOld: true }, 'evidence_missing'],
]

describe('a revision that never becomes ready', () => {
  it('goes back to the one before, which serves', () => {
    const diagnosis = diagnose(sceneOf(stuck))
    assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
    assert.equal(diagnosis.action, 'workload.rollback')
    assert.deepEqual(diagnosis.params, { revision: 1 })
    assert.match(diagnosis.summary, /1 Pod of revision 2 run .* 2 Pods of revision 1 serve/)
  })

  it('is none before its time is over, and hides no other incident', () => {
    const missing = waitingFor('ErrImagePull', 'registry/app:2: not found')
    const scene = { pods: [unready, missing], current: { image: 'registry/app:2' } }
    const diagnosis = diagnose(sceneOf(scene))
    assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
    assert.match(diagnosis.summary, /have no image/)
  })

  for (const [name, scene, reason] of escalated) {
    it(`is for a person where ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }
})
