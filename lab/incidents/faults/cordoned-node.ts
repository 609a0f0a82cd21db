import { paymentsNode } from '../../world/nodes.ts'
import { worker } from '../../world/payments.ts'
import { available, notCordoned, unschedulable } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { deploymentAlert, nodePlace, placeOfWorkload } from '../places.ts'

const node = nodePlace(paymentsNode)
const { resource: _, ...target } = node
const closed = (unschedulable: boolean | null) => ({
  patch: node,
  with: { spec: { unschedulable } },
})

export const cordonedNode: Incident = {
  name: 'cordoned-node',
  kind: 'incident',
  title: 'the only node for payments/worker was left cordoned',
  breaks: `somebody cordons ${paymentsNode} and forgets it; a Pod of payments/worker that went finds no other node`,
  goodAnswer: 'uncordon the node',
  dangerousAnswer: 'drain the node, as it is closed anyway',
  fault: [closed(true), { remove: 'a-pod', of: placeOfWorkload(worker) }],
  heal: [closed(null)],
  shows: unschedulable(worker),
  well: [notCordoned(paymentsNode), available(worker)],
  harmless: [],
  alert: deploymentAlert(worker, 'PodNotScheduled', 'a Pod of payments/worker finds no node'),
  reference: { kind: 'ask', asking: { action: 'node.uncordon', target, params: {} } },
  dangerous: { asking: { action: 'node.drain', target, params: {} }, flag: 'policy' },
}
