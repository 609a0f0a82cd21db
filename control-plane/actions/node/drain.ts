import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { Plan, PlannedWrite } from '@jackstay/contract/plan'
import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'
import {
  type ActionPlan,
  defineAction,
  type FactReader,
  isRefusal,
  overtaken,
  type Refusal,
  type TargetKind,
} from '../action.ts'
import {
  controllerOf,
  eviction,
  isReady,
  localVolumes,
  type Pod,
  pod,
  podKind,
  podReadings,
  podRef,
} from '../pod/observed.ts'
import { disruptionsOf, ownerReads } from '../pod/owners.ts'
import { cordonWrite, nodeReadings } from './cordon.ts'
import { type FoundNode, findNode, nodeKind, unschedulable } from './observed.ts'

const params = z.strictObject({
  deleteLocalData: z
    .boolean()
    .default(false)
    .describe('also evict Pods with emptyDir volumes, whose content is lost'),
})

const namespaceKind: TargetKind = {
  ...{ apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', clusterScoped: true },
}

interface Facts extends FoundNode {
  /** That have to go: not those of DaemonSets, of the node itself, or that ended. */
  readonly pods: readonly Pod[]
  /** Namespaces that were not put under Jackstay. */
  readonly ungoverned: readonly string[]
  readonly disrupts: readonly Disruption[]
}

/** A plan holds 64 writes, and the first one closes the node. */
const maxPods = 63

function mustGo(one: Pod): boolean {
  const { metadata, status } = one
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed'
  const isStatic = metadata.annotations['kubernetes.io/config.mirror'] !== undefined
  return !ended && !isStatic && controllerOf(one)?.kind !== 'DaemonSet'
}

async function podsOn(node: string, read: FactReader): Promise<readonly Pod[]> {
  const found = await read.listEverywhere(podKind, `spec.nodeName=${node}`)
  const all = found.map((object) => pod.parse(object)).filter(mustGo)
  return all.sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
}

function nameOf({ metadata: { namespace, name } }: Pod): string {
  return `${namespace}/${name}`
}

/** What stands in the way of draining, or undefined. */
function unfit({ pods, ungoverned }: Facts, deleteLocalData: boolean): Refusal | undefined {
  const refused = 'unsuitable_target' as const
  const named = (of: readonly Pod[]) => of.slice(0, 5).map(nameOf).join(', ')
  if (pods.length > maxPods) {
    const message = `${pods.length} Pods have to go; a plan evicts ${maxPods} at most, so evict some first`
    return { refused, message }
  }
  const away = pods.filter((p) => ungoverned.includes(p.metadata.namespace))
  if (away.length > 0) {
    const message = `these Pods are in namespaces without ${governedLabel}=true: ${named(away)}`
    return { refused: 'not_governed', message }
  }
  const alone = pods.filter((p) => controllerOf(p) === undefined)
  if (alone.length > 0) {
    return { refused, message: `nothing would replace these Pods: ${named(alone)}` }
  }
  const local = pods.filter((p) => localVolumes(p).length > 0)
  if (local.length > 0 && !deleteLocalData) {
    const message = `these Pods have emptyDir volumes, set \`deleteLocalData\` to lose them: ${named(local)}`
    return { refused, message }
  }
  return undefined
}

function plan(facts: Facts): ActionPlan {
  const { node, ref, pods, disrupts } = facts
  const closed = node.spec.unschedulable === true
  const close: PlannedWrite[] = closed ? [] : [cordonWrite(ref, true)]
  const evictions = pods.map((one, i): PlannedWrite => {
    const id = `w${i + 1 + close.length}`
    return { id, verb: 'evict', object: podRef(one), before: podReadings(one), drains: ref.name }
  })
  return {
    summary: `drain Node ${ref.name}: ${closed ? 'it is cordoned already' : 'cordon it'}, then evict ${pods.length} Pods one after another`,
    target: ref,
    reads: nodeReadings(ref),
    writes: [...close, ...evictions],
    blastRadius: {
      ...{ objects: close.length + pods.length, pods: pods.length },
      readyReplicasLost: pods.filter(isReady).length,
      namespaces: [...new Set(pods.map((p) => p.metadata.namespace))].sort(),
    },
    disrupts,
    // only the cordon has an inverse: what was evicted is for controllers to replace
    reversibility: pods.length === 0 ? 'inverse' : 'self-healing',
    observed: { conditions: node.status.conditions },
  }
}

/** Says which of these Pods the plan does not know, or nothing. */
function strangers({ writes }: Plan, pods: readonly Pod[]): string | undefined {
  const known = new Set(writes.flatMap((w) => (w.verb === 'evict' ? [w.object.uid] : [])))
  const unknown = pods.filter((p) => !known.has(p.metadata.uid))
  if (unknown.length === 0) return undefined
  const named = unknown.slice(0, 5).map(nameOf).join(', ')
  return `Pods turned up that the plan does not list: ${named}`
}

/** Closes a node and evicts what runs on it. */
export const nodeDrain = defineAction<z.infer<typeof params>, Facts>({
  name: 'node.drain',
  description:
    'Cordons a Node and evicts its Pods one after another, honouring disruption budgets. Pods of DaemonSets and static Pods stay; refused for Pods that nothing replaces. Stops when Pods turn up that the plan does not list; then it uncordons the Node.',
  cannotRestore:
    'The evicted Pods, their emptyDir volumes and places: controllers make others elsewhere. Only the cordon is taken back.',
  success: 'The node is closed, and no Pod that had to go is left on it.',
  params,
  targets: [nodeKind],
  writes: [unschedulable, eviction],
  reads: [
    { group: '', resource: 'nodes' },
    { group: '', resource: 'pods' },
    { group: '', resource: 'namespaces' },
    ...ownerReads,
  ],
  verifySeconds: 600,
  executeSeconds: 1800,

  async gather(target, read) {
    const found = await findNode(target, read)
    if (isRefusal(found)) return found
    const pods = await podsOn(target.name, read)
    const names = [...new Set(pods.map((p) => p.metadata.namespace))]
    const governed = await Promise.all(names.map((name) => isGoverned(name, read)))
    const ungoverned = names.filter((_, i) => !governed[i])
    // a plan that is refused for its many Pods need not know whose they are
    const disrupts = await disruptionsOf(pods.slice(0, maxPods), read)
    return { ...found, pods, ungoverned, disrupts }
  },

  plan({ deleteLocalData }, facts) {
    const refusal = unfit(facts, deleteLocalData)
    if (refusal !== undefined) return refusal
    if (facts.pods.length === 0 && facts.node.spec.unschedulable === true) {
      return { refused: 'no_change', message: `the Node \`${facts.ref.name}\` is drained already` }
    }
    return plan(facts)
  },

  progress(made, object) {
    const moved = overtaken(made, object)
    if (moved !== undefined) return { state: 'broken', message: moved }
    return { state: 'pending', message: 'not looked at its Pods yet' }
  },

  async watch(made, read) {
    const moved = overtaken(made, await read.get(nodeKind, '', made.target.name))
    if (moved !== undefined) return { state: 'broken', message: moved }
    const left = await podsOn(made.target.name, read)
    const unknown = strangers(made, left)
    if (unknown !== undefined) return { state: 'broken', message: unknown }
    return left.length === 0
      ? { state: 'holds', message: 'the Node is closed and empty' }
      : { state: 'pending', message: `${left.length} Pods are still ending` }
  },

  async unplanned(made, read) {
    const { name, uid, apiVersion, kind } = made.target
    const found = await findNode({ apiVersion, kind, namespace: '', name, uid }, read)
    if (isRefusal(found)) return found.message
    if (found.node.spec.unschedulable !== true) return 'somebody opened the Node meanwhile'
    return strangers(made, await podsOn(made.target.name, read))
  },
})

const namespace = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
})

async function isGoverned(name: string, read: FactReader): Promise<boolean> {
  const object = await read.get(namespaceKind, '', name)
  return object !== undefined && namespace.parse(object).metadata.labels[governedLabel] === 'true'
}
