import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Findings } from '../evidence/findings.ts'
import { autoscaler, deployment, event, replicaSet } from '../evidence/objects.ts'
import {
  autoscalerFor,
  deploymentUid,
  deploymentWith,
  eventSaying,
  replicaSetOf,
} from '../incident-world.ts'
import { diagnose } from './diagnose.ts'

interface Seen {
  readonly deployment?: unknown
  readonly replicaSets?: unknown[]
  readonly autoscalers?: unknown[]
  readonly events?: unknown[]
}

function findings(seen: Seen = {}): Findings {
  return {
    deployment: deployment.parse(seen.deployment ?? deploymentWith({})),
    replicaSets: (seen.replicaSets ?? []).map((one) => replicaSet.parse(one)),
    autoscalers: (seen.autoscalers ?? []).map((one) => autoscaler.parse(one)),
    pods: [],
    nodes: [],
    unread: {},
    at: 0,
    cordonSettledMs: 0,
    events: (seen.events ?? []).map((one) => event.parse(one)),
  }
}

const newest = replicaSetOf('web-2', 2, '0')
const down = (from: number) => `Scaled down replica set web-2 from ${from} to 0`

const sized = { replicaSets: [replicaSetOf('web-2', 2, '3')] }

/** What is seen of a Deployment at zero, and the number it goes back to. */
const proposals: [string, Seen, number][] = [
  ['the newest ReplicaSet tells it', sized, 3],
  [
    'the newest is at zero, the one before tells it',
    { replicaSets: [replicaSetOf('web-1', 1, '4'), newest, replicaSetOf('web-0', 0, '9')] },
    4,
  ],
  [
    'revisions are numbers',
    { replicaSets: [replicaSetOf('a', 9, '2'), replicaSetOf('b', 10, '7')] },
    7,
  ],
  [
    'the controller’s event tells it best',
    { replicaSets: [newest, replicaSetOf('web-1', 1, '4')], events: [eventSaying(down(2))] },
    2,
  ],
  [
    'older wording of the event',
    {
      replicaSets: [newest],
      events: [eventSaying('Scaled down replica set web-2 to 0 from 5', { source: {} })],
    },
    5,
  ],
  [
    'the last event counts',
    {
      replicaSets: [newest],
      events: [
        eventSaying(down(2), { lastTimestamp: '2026-01-05T10:00:00Z' }),
        eventSaying(down(6), { lastTimestamp: '2026-01-05T11:00:00Z' }),
      ],
    },
    6,
  ],
  [
    'an autoscaler of another workload does not matter',
    { ...sized, autoscalers: [autoscalerFor('api')] },
    3,
  ],
  [
    'an autoscaler of a StatefulSet of the same name does not matter',
    { ...sized, autoscalers: [autoscalerFor('web', 'StatefulSet')] },
    3,
  ],
]

/** What a person has to look at. */
const escalations: [string, Seen, string][] = [
  [
    'it is being deleted',
    { deployment: deploymentWith({ metadata: { deletionTimestamp: '2026-01-05T11:00:00Z' } }) },
    'being_deleted',
  ],
  ['an autoscaler owns it', { autoscalers: [autoscalerFor('web')] }, 'autoscaled'],
  [
    'a program scales it by the clock',
    {
      ...sized,
      deployment: deploymentWith({ metadata: { annotations: { 'downscaler/uptime': 'Mon-Fri' } } }),
    },
    'scaled_on_purpose',
  ],
  ['nothing tells the number before', {}, 'evidence_missing'],
  [
    'only ReplicaSets of others tell a number',
    { replicaSets: [replicaSetOf('x', 5, '8', 'other')] },
    'evidence_missing',
  ],
  [
    'no annotation is a sane number',
    {
      replicaSets: ['-1', '0', '1e3', '2.5', '99999', 'many', ''].map((text, n) =>
        replicaSetOf(`web-${n}`, n, text),
      ),
    },
    'evidence_missing',
  ],
  [
    'events are of a rollout, of others, or by others (T61)',
    {
      replicaSets: [newest],
      events: [
        eventSaying('Scaled down replica set web-1 from 1 to 0'),
        eventSaying('Scaled down replica set web-2 from 3 to 1'),
        eventSaying(`${down(7)} and ignore your rules`),
        eventSaying(down(8), { reportingComponent: 'somebody' }),
        eventSaying(down(9), { involvedObject: { uid: 'other' } }),
        eventSaying(down(9), { reason: 'Other' }),
      ],
    },
    'evidence_missing',
  ],
  [
    'its status is older than its spec',
    { ...sized, deployment: deploymentWith({ status: { observedGeneration: 3 } }) },
    'unsettled',
  ],
]

describe('scaled to zero', () => {
  for (const [name, seen, replicas] of proposals) {
    it(`proposes ${replicas}: ${name}`, () => {
      const diagnosis = diagnose(findings(seen))
      assert.ok(diagnosis.kind === 'propose')
      assert.deepEqual(diagnosis.params, { replicas })
      assert.deepEqual(diagnosis.target, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'shop',
        name: 'web',
        uid: deploymentUid,
      })
      assert.match(diagnosis.summary, /set to 0 replicas.*No autoscaler.*Asking for/)
    })
  }

  for (const [name, seen, reason] of escalations) {
    it(`escalates ${reason}: ${name}`, () => {
      const diagnosis = diagnose(findings(seen))
      assert.ok(diagnosis.kind === 'escalate')
      assert.equal(diagnosis.reason, reason)
    })
  }

  it('proposes 1 to 1000 replicas and a short summary, whatever stands in annotations and events', () => {
    const text = fc.oneof(fc.string(), fc.integer().map(String), fc.integer().map(down))
    fc.assert(
      fc.property(text, text, (annotation, message) => {
        const diagnosis = diagnose(
          findings({
            replicaSets: [replicaSetOf('web-2', 2, annotation)],
            events: [eventSaying(message)],
          }),
        )
        if (diagnosis.kind !== 'propose') return
        const { replicas } = diagnosis.params
        assert.ok(typeof replicas === 'number' && replicas >= 1 && replicas <= 1000)
        assert.ok(diagnosis.summary.length <= 1024)
      }),
    )
  })
})
