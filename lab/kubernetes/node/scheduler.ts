import { type Controller, keyOf, placeIn } from '../controllers/controller.ts'
import { isActive } from '../controllers/pods.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, mapAt, textAt } from '../resources/columns.ts'
import { timestamp } from '../timestamp.ts'
import { quantity, requested } from './resources.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
/** When nothing fits it is tried again, whatever happens or not. */
const againMs = 1000

/** Puts Pods on nodes that have room, first where the fewest are. */
export function scheduler(): Controller<'nodes' | 'pods'> {
  /** Where Pods were put that the cache does not show there yet. */
  const assumed = new Map<string, string>()
  const nodeOf = (pod: KubeObject) => textAt(pod, 'spec.nodeName') || assumed.get(keyOf(pod))
  return {
    name: 'system:kube-scheduler',
    groups: [],
    watches: {
      pods: { type: pods, keys: (pod) => [keyOf(pod)] },
      nodes: { type: nodes, keys: () => [] },
    },
    async reconcile(key, { client, caches, now, signal }) {
      const { namespace, name } = placeIn(key)
      const pod = caches.pods.get(namespace, name)
      if (pod === undefined || !isWaiting(pod)) {
        assumed.delete(key)
        return undefined
      }
      const all = [...caches.nodes.values()]
      const others = [...caches.pods.values()].filter(isActive)
      const judged = all.map((node) => ({
        node,
        ...fit(
          pod,
          node,
          others.filter((one) => nodeOf(one) === node.metadata.name),
        ),
      }))
      const fitting = judged.filter(({ why }) => why === undefined)
      const [best] = fitting.sort((a, b) => a.pods - b.pods || b.room - a.room)
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
        return undefined
      }
      const message = refusalOf(judged.map(({ why = '' }) => why))
      const known = conditionOf(pod, 'PodScheduled')
      if (textAt(known, 'message') === message) return againMs
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
        lastTransitionTime: timestamp(now()),
      }
      const ref = { ...pods, namespace, name }
      await client.mergePatch(
        ref,
        { status: { conditions: [condition] } },
        { subresource: 'status', signal },
      )
      return againMs
    },
  }
}

function isWaiting(pod: KubeObject): boolean {
  return (
    textAt(pod, 'spec.nodeName') === '' &&
    listAt(pod, 'spec.schedulingGates').length === 0 &&
    isActive(pod)
  )
}

/** Why a Pod cannot run on a node; else how much memory would be left. */
function fit(pod: KubeObject, node: KubeObject, here: readonly KubeObject[]) {
  if (at(node, 'spec.unschedulable') === true)
    return { why: 'node(s) were unschedulable', room: 0, pods: 0 }
  const ready = conditionOf(node, 'Ready')
  if (textAt(ready, 'status') !== 'True')
    return { why: 'node(s) had untolerated taint(s)', room: 0, pods: 0 }
  const labels = node.metadata.labels ?? {}
  const wanted = Object.entries(mapAt(pod, 'spec.nodeSelector'))
  if (wanted.some(([key, value]) => labels[key] !== value)) {
    return { why: "node(s) didn't match Pod's node affinity/selector", room: 0, pods: 0 }
  }
  const total = mapAt(node, 'status.allocatable')
  const used = here.map(requested)
  const asked = requested(pod)
  const cpu = quantity(total.cpu) - used.reduce((sum, one) => sum + one.cpu, 0) - asked.cpu
  const memory =
    quantity(total.memory) - used.reduce((sum, one) => sum + one.memory, 0) - asked.memory
  if (cpu < 0) return { why: 'Insufficient cpu', room: 0, pods: 0 }
  return memory < 0
    ? { why: 'Insufficient memory', room: 0, pods: 0 }
    : { why: undefined, room: memory, pods: here.length }
}

/** As the real scheduler says it: how many nodes are out, for which reasons. */
function refusalOf(reasons: readonly string[]): string {
  const counted = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([why, all]) => `${all.length} ${why}`,
  )
  return `0/${reasons.length} nodes are available: ${counted.sort().join(', ')}.`
}
