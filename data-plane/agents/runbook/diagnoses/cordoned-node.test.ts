import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { before, cordoned, nodeOf, readyStatus, type Scene, sceneOf, unplaced } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const closed = '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.'
const deployment = { status: { updatedReplicas: 2 } }
/** One Pod serves on the node since before it was closed, another waits for it. */
const incident: Scene = {
  deployment,
  serving: 0,
  rolledOut: true,
  pods: [readyStatus, unplaced(closed)],
  nodes: [cordoned('n1'), nodeOf('n2')],
}
const marked = (metadata: Readonly<Record<string, unknown>>) => ({
  ...incident,
  nodes: [cordoned('n1', { metadata })],
})
const governed = { 'jackstay.dev/governed': 'true' }
const conditions = (...list: [string, string][]) => ({
  ...incident,
  nodes: [
    cordoned('n1', { status: { conditions: list.map(([type, status]) => ({ type, status })) } }),
  ],
})
const tainted = (key: string) => ({
  ...incident,
  nodes: [
    cordoned('n1', {
      spec: {
        taints: [
          { key: 'node.kubernetes.io/unschedulable', timeAdded: before(3600_000) },
          { key, effect: 'NoSchedule' },
        ],
      },
    }),
  ],
})

const escalated: [string, Scene, string][] = [
  [
    'nodes cannot be read',
    { ...incident, nodes: [], unread: { nodes: 'forbidden' } },
    'evidence_missing',
  ],
  [
    'several are cordoned',
    { ...incident, nodes: [cordoned('n1'), cordoned('n2')] },
    'evidence_contradicts',
  ],
  ['it was opened meanwhile', { ...incident, nodes: [nodeOf('n1')] }, 'unsettled'],
  ['it is not Ready', conditions(['Ready', 'Unknown']), 'evidence_contradicts'],
  ['nothing says that it is Ready', conditions(), 'evidence_contradicts'],
  [
    'its disk is full',
    conditions(['Ready', 'True'], ['DiskPressure', 'True']),
    'evidence_contradicts',
  ],
  ['it has another taint', tainted('example.org/gpu-broken'), 'evidence_contradicts'],
  [
    'an autoscaler wants it gone',
    tainted('ToBeDeletedByClusterAutoscaler'),
    'evidence_contradicts',
  ],
  [
    'an annotation speaks of maintenance',
    marked({ annotations: { 'ops.example/note': 'Maintenance until 5' } }),
    'evidence_contradicts',
  ],
  [
    'a label speaks of a reboot',
    marked({ labels: { ...governed, 'kured.dev/reboot-in-progress': 'x' } }),
    'evidence_contradicts',
  ],
  ['it is being deleted', marked({ deletionTimestamp: before(1) }), 'evidence_contradicts'],
  ['its owners did not open it to agents', marked({ labels: {} }), 'evidence_missing'],
  [
    'it was cordoned a moment ago',
    { ...incident, nodes: [cordoned('n1', {}, 1000)] },
    'evidence_missing',
  ],
  [
    'nothing says since when',
    { ...incident, nodes: [cordoned('n1', { spec: { taints: [] } })] },
    'evidence_missing',
  ],
  ['no Pod is left on it', { ...incident, pods: [unplaced(closed)] }, 'evidence_missing'],
  [
    'Pods are leaving it',
    {
      ...incident,
      pods: [
        ...(incident.pods ?? []),
        { ...readyStatus, metadata: { deletionTimestamp: before(1) } },
      ],
    },
    'evidence_contradicts',
  ],
  [
    'another Pod waits for something else',
    {
      ...incident,
      pods: [...(incident.pods ?? []), unplaced('0/2 nodes are available: 2 Insufficient cpu.')],
    },
    'several_incidents',
  ],
]

describe('a node cordoned by mistake', () => {
  for (const words of [
    closed,
    '0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    '1 node was cordoned',
  ]) {
    it(`is uncordoned: ${words.slice(0, 50)}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, pods: [readyStatus, unplaced(words)] }))
      assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
      assert.equal(diagnosis.action, 'node.uncordon')
      const target = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'uid-of-n1' }
      assert.deepEqual(diagnosis.target, target)
      assert.match(diagnosis.summary, /reject if you know that it is meant/)
    })
  }

  for (const [name, scene, reason] of escalated) {
    it(`is left alone where ${name}`, () => {
      const diagnosis = diagnose(sceneOf(scene))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }
})
