import { isDeepStrictEqual } from 'node:util'
import { cordoned, type Taint, taintsOf, tolerates } from '../node/taints.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, listAt, numberAt, textAt } from '../resources/columns.ts'
import { type Controller, placeIn, type Reconciling } from './controller.ts'
import { isActive, isReady } from './pods.ts'

const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

type Parts = Reconciling<'nodes' | 'pods'>

/** By condition: where it holds otherwise than it should, the node is tainted so. */
const pressures: readonly (readonly [type: string, key: string])[] = [
  ['MemoryPressure', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'node.kubernetes.io/network-unavailable'],
]
const lost = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const ours = [...pressures.map(([, key]) => key), ...lost, cordoned.key]

/** Says by taints what is wrong with a node, and lets go of the Pods of one that is lost. */
export const nodeController: Controller<'nodes' | 'pods'> = {
  name: 'node-controller',
  watches: {
    nodes: { type: nodes, keys: ({ metadata }) => [metadata.name ?? ''] },
    pods: {
      type: pods,
      keys: (pod) => [textAt(pod, 'spec.nodeName')].filter((name) => name !== ''),
    },
  },
  async reconcile(key, parts) {
    const { client, caches, signal } = parts
    const node = caches.nodes.get(undefined, placeIn(key).name)
    if (node === undefined) return undefined
    const before = taintsOf(node)
    const wanted = taintsFor(node)
    const isHere = (taint: Taint) =>
      wanted.some(({ key: is, effect }) => is === taint.key && effect === taint.effect)
    const kept = before.filter((taint) => !ours.includes(taint.key) || isHere(taint))
    const added = wanted.filter(
      ({ key: is, effect }) => !kept.some((one) => one.key === is && one.effect === effect),
    )
    const stamp = parts.clock.of(node).stamp
    const taints = [...kept, ...added.map((one) => ({ ...one, timeAdded: stamp(one.key) }))]
    if (!isDeepStrictEqual(taints, before)) {
      const spec = { taints: taints.length === 0 ? null : taints }
      const { resourceVersion = '' } = node.metadata
      const preconditions = { uid: node.metadata.uid ?? '', resourceVersion }
      const done = await client.mergePatch(
        { ...nodes, name: node.metadata.name ?? '' },
        { spec },
        { preconditions, signal },
      )
      if (done.kind !== 'applied') throw new Error(`the taints of \`${key}\` were not taken`)
      return undefined
    }
    const isLost = taints.find(({ key: is }) => lost.some((one) => one === is))
    return isLost === undefined ? undefined : await leave(node, isLost, parts)
  },
}

function taintsFor(node: KubeObject): readonly Taint[] {
  const ready = textAt(conditionOf(node, 'Ready'), 'status')
  const [notReady, unreachable] = lost
  const effects = ['NoSchedule', 'NoExecute'] as const
  const away = ready === 'False' ? notReady : ready === 'True' ? undefined : unreachable
  return [
    ...(at(node, 'spec.unschedulable') === true ? [cordoned] : []),
    ...pressures
      .filter(([type]) => textAt(conditionOf(node, type), 'status') === 'True')
      .map(([, key]) => ({ key, effect: 'NoSchedule' })),
    ...(away === undefined ? [] : effects.map((effect) => ({ key: away, effect }))),
  ]
}

/** Pods of a lost node serve nobody, and go when they have tolerated it as long as they would. */
async function leave(node: KubeObject, taint: Taint, parts: Parts): Promise<number | undefined> {
  const { client, caches, clock, signal } = parts
  const { name: nodeName } = node.metadata
  const since = listAt(node, 'spec.taints').find((one) => textAt(one, 'key') === taint.key)
  const gone = clock.of(node).elapsed(taint.key, textAt(since, 'timeAdded'))
  const here = [...caches.pods.values()].filter(
    (pod) => textAt(pod, 'spec.nodeName') === nodeName && isActive(pod),
  )
  const due: number[] = []
  for (const pod of here) {
    const { namespace = '', name = '', uid = '' } = pod.metadata
    const ref = { ...pods, namespace, name }
    if (isReady(pod)) await client.mergePatch(ref, notReady(pod, parts), statusOnly(signal))
    const left = toleratedMs(pod, taint) - gone
    if (left > 0) due.push(left)
    // nobody is there to let it end in peace
    else await client.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid }, signal })
  }
  const soonest = due.filter(Number.isFinite)
  return soonest.length === 0 ? undefined : Math.min(...soonest)
}

function statusOnly(signal: AbortSignal) {
  return { subresource: 'status', signal } as const
}

function notReady(pod: KubeObject, { clock }: Parts) {
  const conditions = listAt(pod, 'status.conditions').map((one) =>
    textAt(one, 'type') === 'Ready'
      ? { ...(one as object), status: 'False', lastTransitionTime: clock.of(pod).stamp('Ready') }
      : one,
  )
  return { status: { conditions } }
}

function toleratedMs(pod: KubeObject, { key }: Taint): number {
  const taint = { key, effect: 'NoExecute' }
  if (!tolerates(pod, taint)) return 0
  const own = listAt(pod, 'spec.tolerations').find((one) => textAt(one, 'key') === key)
  const seconds = numberAt(own, 'tolerationSeconds', Number.POSITIVE_INFINITY)
  return seconds * 1000
}
