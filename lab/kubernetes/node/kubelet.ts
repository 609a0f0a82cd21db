import { createHash } from 'node:crypto'
import { isRecord } from '@jackstay/kube/resources'
import type { LabClock } from '../clock.ts'
import { type Controller, keyOf, placeIn } from '../controllers/controller.ts'
import { statusWritten } from '../controllers/status.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, holds, listAt, textAt } from '../resources/columns.ts'
import type { Behaviours } from './behaviour.ts'
import { behavioursOf } from './declared.ts'
import { killingEvents, podEvents } from './pod-events.ts'
import { podStatus } from './pod-status.ts'
import { Probes } from './probe-events.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }
const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }

type Watched = 'configMaps' | 'nodes' | 'pods'

export interface KubeletOptions {
  readonly node: string
  /** What is declared in the cluster, where it is not given. */
  readonly behaviours: Behaviours | undefined
  readonly onError: (error: unknown) => void
}

/** The key of all Pods of a node at once. */
const everyPod = 'all/'

/** Runs the Pods of one node: what their containers do is told by their images. */
export function kubelet({ node, behaviours, onError }: KubeletOptions): Controller<Watched> {
  /** Since when each Pod is here: objects tell whole seconds. */
  const arrivals = new Map<string, string>()
  const probes = new Probes()
  const declared = behavioursOf(behaviours, onError)
  const isHere = (pod: KubeObject) => textAt(pod, 'spec.nodeName') === node
  return {
    name: `system:node:${node}`,
    groups: ['system:nodes'],
    watches: {
      pods: { type: pods, keys: (pod) => (isHere(pod) ? [keyOf(pod)] : []) },
      configMaps: { type: configMaps, keys: () => [everyPod] },
      nodes: { type: nodes, keys: ({ metadata: { name } }) => (name === node ? [everyPod] : []) },
    },
    async reconcile(key, { client, caches, clock, record, signal, again }) {
      if (key === everyPod) {
        for (const pod of caches.pods.values()) if (isHere(pod)) again(keyOf(pod))
        return undefined
      }
      const { namespace, name } = placeIn(key)
      const pod = caches.pods.get(namespace, name)
      if (pod === undefined || !isHere(pod)) return undefined
      const { uid = '', deletionTimestamp } = pod.metadata
      const own = caches.nodes.get(undefined, node)
      // what is down does and says nothing
      if (own === undefined || !holds(own, 'Ready')) return undefined
      if (deletionTimestamp !== undefined) {
        arrivals.delete(uid)
        probes.forget(pod)
        for (const said of killingEvents(pod)) record(pod, said)
        const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal }
        await client.delete({ ...pods, namespace, name }, options)
        return undefined
      }
      const keysOf = (map: string) => {
        const found = caches.configMaps.get(namespace, map)
        return found && Object.keys(isRecord(found.data) ? found.data : {})
      }
      const { status, dueMs } = podStatus(pod, {
        ...{ behaviours: declared(caches), keysOf, here: hereSince(pod, arrivals, clock) },
        ...addressesOf(own, pod),
        clock: clock.of(pod),
      })
      await statusWritten({ client, signal }, pods, pod, status)
      for (const said of podEvents(pod, status)) record(pod, said)
      const probeMs = probes.tell(pod, status, { behaviours: declared(caches), clock, record })
      return probeMs === undefined ? dueMs : Math.min(probeMs, dueMs ?? probeMs)
    },
  }
}

function hereSince(pod: KubeObject, arrivals: Map<string, string>, clock: LabClock): number {
  const { uid = '' } = pod.metadata
  const scheduled = textAt(conditionOf(pod, 'PodScheduled'), 'lastTransitionTime')
  const isNew = listAt(pod, 'status.containerStatuses').length === 0
  const arrived = arrivals.get(uid) ?? (isNew ? clock.stamp(`${uid}/here`) : scheduled)
  arrivals.set(uid, arrived)
  return clock.elapsed(`${uid}/here`, arrived)
}

/** The node's own, and one of its range: told by the Pod's uid, for nobody routes to it. */
function addressesOf(node: KubeObject, pod: KubeObject) {
  const internal = listAt(node, 'status.addresses').find(
    (one) => textAt(one, 'type') === 'InternalIP',
  )
  const bytes = createHash('sha256')
    .update(pod.metadata.uid ?? '')
    .digest()
  const [third = 0, fourth = 0] = bytes
  const [first = '10.244'] = textAt(node, 'spec.podCIDR', '10.244.0.0/16').match(/^\d+\.\d+/) ?? []
  return {
    hostIP: textAt(internal, 'address', '127.0.0.1'),
    podIP: textAt(pod, 'status.podIP') || `${first}.${third}.${(fourth % 254) + 1}`,
  }
}
