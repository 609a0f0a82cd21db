import { type Controller, keyOf, placeIn } from '../controllers/controller.ts'
import { isActive } from '../controllers/pods.ts'
import type { Said } from '../controllers/recorder.ts'
import { lot } from '../identities.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, holds, listAt, mapAt, textAt } from '../resources/columns.ts'
import { quantity, requested } from './resources.ts'
import { cordoned, tolerates, untolerated } from './taints.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
/** When nothing fits it is tried again, whatever happens or not. */
const againMs = 1000

/**
 * Puts Pods on nodes that have room, first where the fewest with the same owner are; then by lot, so that
 * where a Pod goes does not hang on what else came just before.
 */
export function scheduler(seed?: string): Controller<'nodes' | 'pods'> {
  /** Where Pods were put that the cache does not show there yet. */
  const assumed = new Map<string, string>()
  const nodeOf = (pod: KubeObject) => textAt(pod, 'spec.nodeName') || assumed.get(keyOf(pod))
  return {
    name: 'system:kube-scheduler',
    groups: [],
    eventSource: 'default-scheduler',
    inTurn: true,
    watches: {
      pods: { type: pods, keys: (pod) => [keyOf(pod)] },
      nodes: { type: nodes, keys: () => [] },
    },
    async reconcile(key, { client, caches, clock, record, signal }) {
      const { namespace, name } = placeIn(key)
      const pod = caches.pods.get(namespace, name)
      if (pod === undefined || !isWaiting(pod)) {
        assumed.delete(key)
        return undefined
      }
      const all = [...caches.nodes.values()]
      const active = [...caches.pods.values()].filter(isActive)
      const judged = all.map((node) => ({
        node,
        ...fit(
          pod,
          node,
          active.filter((one) => nodeOf(one) === node.metadata.name),
        ),
      }))
      const fitting = judged.filter(({ why }) => why === undefined)
      const draw = ({ node }: (typeof judged)[number]) => lot(seed, key, node.metadata.name ?? '')
      const [best] = fitting.sort((a, b) => a.kin - b.kin || draw(a) - draw(b))
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`
      if (best !== undefined) {
        const target = { apiVersion: 'v1', kind: 'Node', name: best.node.metadata.name }
        const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target }
        assumed.set(key, target.name ?? '')
        const { status } = await client.request({
          method: 'POST',
          path: `${path}/binding`,
          body,
          signal,
        })
        // not there after all: somebody else was quicker, or it is gone
        if (status >= 300) assumed.delete(key)
        else record(pod, scheduled(key, target.name ?? ''))
        return undefined
      }
      const message = refusalOf(judged.map(({ why = '' }) => why))
      const known = conditionOf(pod, 'PodScheduled')
      if (textAt(known, 'message') === message) return againMs
      record(pod, failedScheduling(message))
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
        lastTransitionTime: clock.stamp(key),
      }
      const ref = { ...pods, namespace, name }
      await client.mergePatch(
        ref,
        { status: { conditions: [...others(pod), condition] } },
        { subresource: 'status', signal },
      )
      return againMs
    },
  }
}

function others(pod: KubeObject): readonly unknown[] {
  return listAt(pod, 'status.conditions').filter((one) => textAt(one, 'type') !== 'PodScheduled')
}

function scheduled(pod: string, node: string): Said {
  const message = `Successfully assigned ${pod} to ${node}`
  return { type: 'Normal', reason: 'Scheduled', action: 'Binding', message }
}

function failedScheduling(message: string): Said {
  return { type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', message }
}

function isWaiting(pod: KubeObject): boolean {
  return (
    textAt(pod, 'spec.nodeName') === '' &&
    listAt(pod, 'spec.schedulingGates').length === 0 &&
    isActive(pod)
  )
}

/** Why a Pod cannot run on a node; else how many of the same owner are there. */
function fit(pod: KubeObject, node: KubeObject, here: readonly KubeObject[]) {
  const why = obstacle(pod, node, here)
  const owner = ownerOf(pod)
  return { why, kin: here.filter((one) => owner !== undefined && ownerOf(one) === owner).length }
}

function ownerOf({ metadata: { ownerReferences = [] } }: KubeObject): string | undefined {
  return ownerReferences.find(({ controller }) => controller === true)?.uid
}

function obstacle(
  pod: KubeObject,
  node: KubeObject,
  here: readonly KubeObject[],
): string | undefined {
  const taint = untolerated(pod, node)
  if (at(node, 'spec.unschedulable') === true && !tolerates(pod, cordoned)) {
    return 'node(s) were unschedulable'
  }
  if (taint !== undefined) return 'node(s) had untolerated taint(s)'
  if (!holds(node, 'Ready')) {
    return 'node(s) had untolerated taint(s)'
  }
  const labels = node.metadata.labels ?? {}
  const wanted = Object.entries(mapAt(pod, 'spec.nodeSelector'))
  if (wanted.some(([key, value]) => labels[key] !== value)) {
    return "node(s) didn't match Pod's node affinity/selector"
  }
  const total = mapAt(node, 'status.allocatable')
  if (here.length >= quantity(total.pods)) return 'Too many pods'
  const all = [...here, pod].map(requested)
  const left = (of: 'cpu' | 'memory') =>
    quantity(total[of]) - all.reduce((sum, one) => sum + one[of], 0)
  if (left('cpu') < 0) return 'Insufficient cpu'
  return left('memory') < 0 ? 'Insufficient memory' : undefined
}

/** As the real scheduler says it: how many nodes are out, for which reasons. */
function refusalOf(reasons: readonly string[]): string {
  const counted = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([why, all]) => `${all.length} ${why}`,
  )
  return `0/${reasons.length} nodes are available: ${counted.sort().join(', ')}.`
}
