import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'
import type { FactReader, Observed, ReadRight, TargetKind } from '../action.ts'
import { countsOf } from '../workload/counts.ts'
import { daemonSet, deployment, statefulSet, workload } from '../workload/observed.ts'
import { controllerOf, isReady, type Pod } from './observed.ts'

const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
const job = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' }
const kinds: readonly TargetKind[] = [replicaSet, statefulSet, daemonSet, job]

/** What telling whose Pods these are reads. */
export const ownerReads: readonly ReadRight[] = [
  ...[replicaSet, deployment, statefulSet, daemonSet].map(({ resource }) => ({
    ...{ group: 'apps', resource },
  })),
  { group: 'batch', resource: 'jobs' },
]

type Owner = NonNullable<ReturnType<typeof controllerOf>>
/** A workload with what it says of its Pods; undefined where nobody here can tell. */
type Counted = Pick<Disruption, 'kind' | 'name' | 'labels' | 'ready' | 'replicas'>

/** Each workload that loses some of these Pods, once. */
export async function disruptionsOf(
  pods: readonly Pod[],
  read: FactReader,
): Promise<readonly Disruption[]> {
  const groups = Map.groupBy(pods, (one) => controllerOf(one)?.uid ?? one.metadata.uid)
  const counted = await Promise.all(
    [...groups.values()].map(async (its) => ({ its, of: await workloadOf(its, read) })),
  )
  // one Deployment may have Pods of several of its ReplicaSets
  const byWorkload = Map.groupBy(counted, ({ its, of }) => {
    return JSON.stringify([its[0]?.metadata.namespace, of.kind, of.name])
  })
  return [...byWorkload.values()].map((same) => disruption(same))
}

function disruption(
  same: readonly { readonly its: readonly Pod[]; readonly of: Counted }[],
): Disruption {
  const [first] = same
  const pods = same.flatMap(({ its }) => its)
  const [pod] = pods
  if (first === undefined || pod === undefined) throw new TypeError('a workload without Pods')
  return {
    ...first.of,
    namespace: pod.metadata.namespace,
    pods: pods.map((p) => ({ labels: p.metadata.labels, lost: isReady(p) ? 1 : 0 })),
    priority: pods.map(priorityOf).reduce(higher),
  }
}

function priorityOf({ spec }: Pod): number | string {
  return spec.priority ?? spec.priorityClassName
}

/** A name alone is not known yet, and may stand for any number. */
function higher(a: number | string, b: number | string): number | string {
  return typeof a === 'string' ? a : typeof b === 'string' ? b : Math.max(a, b)
}

async function workloadOf(pods: readonly Pod[], read: FactReader): Promise<Counted> {
  const [pod] = pods
  if (pod === undefined) throw new TypeError('a workload without Pods')
  const owner = controllerOf(pod)
  if (owner === undefined) {
    const { name, labels } = pod.metadata
    return { ...{ kind: 'Pod', name, labels }, ready: isReady(pod) ? 1 : 0, replicas: undefined }
  }
  const { namespace } = pod.metadata
  const object = await ownerObject(owner, namespace, read)
  if (object === undefined) return unknownOf(owner)
  const above = owner.kind === 'ReplicaSet' ? deploymentOf(object) : undefined
  if (above === undefined) return countedOf(owner, object)
  const deployed = await get(deployment, above, namespace, read)
  return deployed === undefined ? unknownOf(above) : countedOf(above, deployed)
}

function unknownOf({ kind, name }: Owner): Counted {
  return { kind, name, labels: {}, ready: undefined, replicas: undefined }
}

async function ownerObject(owner: Owner, namespace: string, read: FactReader) {
  const kind = kinds.find((k) => k.kind === owner.kind && k.apiVersion === owner.apiVersion)
  return kind && (await get(kind, owner, namespace, read))
}

/** The very object, not another one of its name. */
async function get(kind: TargetKind, { name, uid }: Owner, namespace: string, read: FactReader) {
  const object = await read.get(kind, namespace, name)
  const found = marks.safeParse(object)
  return found.success && found.data.metadata.uid === uid ? object : undefined
}

const owners = z.array(
  z.object({
    apiVersion: z.string(),
    kind: z.string(),
    name: z.string(),
    uid: z.string(),
    controller: z.boolean().default(false),
  }),
)
const marks = z.object({
  metadata: z.object({
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: owners.default([]),
  }),
})
const jobCounts = z.object({ status: z.object({ ready: z.int().optional() }).prefault({}) })

function deploymentOf(object: Observed): Owner | undefined {
  return marks
    .parse(object)
    .metadata.ownerReferences.find(
      ({ controller, kind, apiVersion }) =>
        controller && kind === deployment.kind && apiVersion === deployment.apiVersion,
    )
}

function countedOf({ kind, name }: Owner, object: Observed): Counted {
  const { labels } = marks.parse(object).metadata
  if (kind === job.kind) {
    return { ...{ kind, name, labels }, ...jobReady(object), replicas: undefined }
  }
  const { wanted, ready } = countsOf(kind, workload.parse(object))
  return { kind, name, labels, ready, replicas: { before: wanted, after: wanted } }
}

function jobReady(object: Observed): Pick<Counted, 'ready'> {
  return { ready: jobCounts.parse(object).status.ready }
}
