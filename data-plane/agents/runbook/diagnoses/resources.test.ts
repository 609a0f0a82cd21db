import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { killed, readyStatus, type Scene, sceneOf, unplaced } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const limit = (memory: string, more = {}) => ({ resources: { limits: { memory }, ...more } })
const request = (requests: Record<string, string>) => ({ resources: { requests } })
const tooBig =
  '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.'

const lowered: Scene = { serving: 0, pods: [killed], old: limit('256Mi'), current: limit('32Mi') }
const raised: Scene = {
  pods: [unplaced(tooBig)],
  old: request({ cpu: '100m' }),
  current: request({ cpu: '64' }),
}

const restored: [string, Scene, object][] = [
  ['a limit that was lowered', lowered, { limits: { memory: '256Mi' } }],
  [
    'written in other units',
    { ...lowered, old: limit('1Gi'), current: limit('1000M') },
    { limits: { memory: '1Gi' } },
  ],
  [
    'with its request',
    {
      ...lowered,
      old: limit('256Mi', { requests: { memory: '128Mi' } }),
      current: limit('32Mi', { requests: { memory: '32Mi' } }),
    },
    { requests: { memory: '128Mi' }, limits: { memory: '256Mi' } },
  ],
  [
    'after it ran for a while',
    { ...lowered, rolledOut: true, pods: [killed, readyStatus] },
    { limits: { memory: '256Mi' } },
  ],
  ['requests that fit on no node', raised, { requests: { cpu: '100m' } }],
  ['requests without any old Pod', { ...raised, serving: 0 }, { requests: { cpu: '100m' } }],
  [
    'only memory is short',
    {
      ...raised,
      pods: [unplaced('0/1 nodes are available: 1 Insufficient memory.')],
      old: request({ memory: '1Gi' }),
      current: request({ memory: '1Ti' }),
    },
    { requests: { memory: '1Gi' } },
  ],
]

const other = { image: 'registry/app:2' }
const escalated: [string, Scene, string][] = [
  [
    'no limit was lowered',
    { ...lowered, current: limit('256Mi'), old: limit('256Mi') },
    'evidence_contradicts',
  ],
  ['the limit was raised', { ...lowered, old: limit('16Mi') }, 'evidence_contradicts'],
  ['there was no limit before', { ...lowered, old: {} }, 'evidence_contradicts'],
  ['the limit cannot be read', { ...lowered, old: limit('much') }, 'evidence_contradicts'],
  [
    'the image changed too',
    { ...lowered, current: { ...limit('32Mi'), ...other } },
    'evidence_contradicts',
  ],
  [
    'the command changed too',
    { ...lowered, current: { ...limit('32Mi'), args: ['-x'] } },
    'evidence_contradicts',
  ],
  [
    'going back would take a request away',
    { ...lowered, current: limit('32Mi', { requests: { cpu: '1' } }) },
    'evidence_contradicts',
  ],
  [
    'Pods of the old revision are killed as well',
    { ...lowered, oldPods: [killed] },
    'cause_outside',
  ],
  ['nothing is there to compare with', { ...lowered, withoutOld: true }, 'evidence_missing'],
  [
    'the revision before asked for as much',
    { ...raised, old: request({ cpu: '64' }) },
    'evidence_contradicts',
  ],
  ['the revision before asked for nothing', { ...raised, old: {} }, 'evidence_contradicts'],
  [
    'another resource is short as well',
    { ...raised, pods: [unplaced('0/2 nodes: 1 Insufficient cpu, 1 Insufficient memory.')] },
    'evidence_contradicts',
  ],
  [
    'the image changed with the request',
    { ...raised, current: { ...request({ cpu: '64' }), ...other } },
    'evidence_contradicts',
  ],
  ['old Pods find no node either', { ...raised, oldPods: [unplaced(tooBig)] }, 'cause_outside'],
  [
    'it is not for the size',
    {
      ...raised,
      pods: [
        unplaced("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
      ],
    },
    'unexplained',
  ],
  [
    'it is not only for the size',
    {
      ...raised,
      pods: [unplaced('0/3 nodes: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}.')],
    },
    'unexplained',
  ],
  ['the scheduler says nothing', { ...raised, pods: [unplaced('')] }, 'unexplained'],
  ['both at once', { ...lowered, pods: [killed, unplaced(tooBig)] }, 'several_incidents'],
]

describe('resources that the last change made wrong', () => {
  for (const [name, scene, resources] of restored) {
    it(`go back: ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
      assert.equal(diagnosis.action, 'workload.setResources')
      assert.deepEqual(diagnosis.params, { container: 'app', ...resources })
      assert.match(diagnosis.summary, /requests and limits of revision 1/)
    })
  }

  for (const [name, scene, reason] of escalated) {
    it(`are for a person where ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }
})
