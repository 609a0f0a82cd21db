import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { isReady, placeOf } from '../evidence/findings.ts'
import type { Node } from '../evidence/objects.ts'
import { showing } from '../evidence/symptoms.ts'
import {
  type Case,
  counted,
  type Diagnosis,
  escalate,
  type Incident,
  type Proposal,
} from './diagnosis.ts'

type Unschedulable = ReturnType<typeof showing<'unschedulable'>>[number]

/** `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.` */
export function saysCordoned({ symptom }: Unschedulable): boolean {
  return /\bnodes?(\(s\))? (were|was|is|are) (unschedulable|cordoned)/i.test(symptom.message)
}

const cordonTaint = 'node.kubernetes.io/unschedulable'
/** Words by which people and programs say that a node is meant to be empty. */
const meant =
  /maint|drain|cordon|reboot|restart|upgrad|patching|decommission|retire|repair|replac|repave|recycl|scale-?down|delet|evict|reason|ticket|incident|debug|broken|do-not|withheld/i
const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable']

/**
 * Pods wait for a node that is well, closed for new Pods, and gives no sign that this is meant.
 *
 * Nothing in a cluster proves a mistake: the API keeps no reason for a cordon. What is proved here is
 * that every sign of a purpose is absent where each of them can be seen, on a node whose owners
 * opened it to this control plane and so to its rule: a cordon that is meant says so on the node. The
 * last word is the approver's, and the summary asks for it.
 */
export const cordonedNode: Incident = {
  name: 'a node closed for new Pods',
  shows: ({ sick }) => showing('unschedulable', sick).some(saysCordoned),
  judge(found) {
    const waiting = showing('unschedulable', found.sick)
    const place = placeOf(found.deployment)
    const pods = counted(waiting.length, 'Pod')
    if (found.unread.nodes !== undefined) {
      return escalate(
        'evidence_missing',
        `${place}: ${pods} wait for a node that is closed for new Pods; nodes cannot be read: ${found.unread.nodes}`,
        ['the nodes of the cluster'],
      )
    }
    const [node, ...others] = found.nodes.filter(({ spec }) => spec.unschedulable)
    if (node === undefined) {
      return escalate(
        'unsettled',
        `${place}: ${pods} waited for a closed node, and none is any more`,
      )
    }
    if (others.length > 0) {
      return escalate(
        'evidence_contradicts',
        `${place}: ${others.length + 1} nodes are closed for new Pods, which one mistake does not explain`,
        ['exactly one cordoned node'],
      )
    }
    const against = [...purposes(node), ...troubles(node), ...emptied(node, found)]
    const missing = unproved(node, found, waiting)
    if (against.length > 0 || missing.length > 0) {
      const reason = against.length > 0 ? 'evidence_contradicts' : 'evidence_missing'
      const says = against.length > 0 ? `: ${against.join('; ')}` : ''
      const name = node.metadata.name
      return escalate(
        reason,
        `${place}: ${pods} wait for node ${name}, which is cordoned${says}`,
        missing,
      )
    }
    return uncordon(node, `${pods} of ${place} wait`)
  },
}

/** Signs that somebody means it. */
function purposes({ metadata, spec }: Node): string[] {
  const words = Object.entries({ ...metadata.labels, ...metadata.annotations })
  const saying = words.find(([key, value]) => meant.test(key) || meant.test(value))
  const taint = spec.taints.find(({ key }) => key !== cordonTaint)
  return [
    ...(metadata.deletionTimestamp === undefined ? [] : ['it is being deleted']),
    ...(saying === undefined ? [] : [`its mark ${saying[0]} speaks of a purpose`]),
    ...(taint === undefined ? [] : [`it has the taint ${taint.key}`]),
  ]
}

/** What is wrong with the node itself. */
function troubles({ status }: Node): string[] {
  const holds = (type: string) => status.conditions.find((one) => one.type === type)?.status
  return [
    ...(holds('Ready') === 'True' ? [] : ['it is not Ready']),
    ...pressures.filter((type) => holds(type) === 'True').map((type) => `it has ${type}`),
  ]
}

/** Signs of a drain. */
function emptied({ metadata }: Node, { pods }: Case): string[] {
  const leaving = pods.filter(
    (pod) => pod.spec.nodeName === metadata.name && pod.metadata.deletionTimestamp !== undefined,
  )
  return leaving.length === 0 ? [] : [`${counted(leaving.length, 'Pod')} are leaving it`]
}

/** What would have to be seen besides. */
function unproved(
  { metadata, spec }: Node,
  found: Case,
  waiting: readonly Unschedulable[],
): string[] {
  const since = Date.parse(spec.taints.find(({ key }) => key === cordonTaint)?.timeAdded ?? '')
  const settled = since <= found.at - found.cordonSettledMs
  const stays = found.pods.some((pod) => pod.spec.nodeName === metadata.name && isReady(pod))
  return [
    ...(waiting.every(saysCordoned) ? [] : ['that every waiting Pod waits for this node']),
    ...(metadata.labels[governedLabel] === 'true' ? [] : [`the label ${governedLabel}=true on it`]),
    ...(settled
      ? []
      : [
          `that it was cordoned ${found.cordonSettledMs / 1000} s ago or earlier and is left at that`,
        ]),
    ...(stays ? [] : ['a ready Pod of the Deployment still on it, which a drain would have taken']),
  ]
}

function uncordon({ metadata, spec }: Node, waiting: string): Diagnosis {
  const since = spec.taints.find(({ key }) => key === cordonTaint)?.timeAdded
  const { name, uid } = metadata
  const proposal: Proposal = {
    kind: 'propose',
    action: 'node.uncordon',
    target: { apiVersion: 'v1', kind: 'Node', name, uid },
    params: {},
    summary: `${waiting} for node ${name}, cordoned since ${since}. It is Ready and under no pressure; no taint, label or annotation speaks of a purpose, it is the only one, and it is not being drained. Who cordoned it and why is not kept: reject if you know that it is meant. Asking to uncordon it.`,
  }
  return proposal
}
