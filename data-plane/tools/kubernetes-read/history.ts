import type { Json } from '@jackstay/contract/json'
import { labelSelector, selectorText } from '@jackstay/contract/label-selector'
import type {
  Evidence,
  HistoryAnswer,
  HistoryRequest,
  RevisionEntry,
} from '@jackstay/contract/reads'
import { collectionPath, isRecord, type KubeObject } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { AgentReader } from './agent.ts'
import { evidenceOf, uriOf } from './read.ts'
import { readableKind } from './readable.ts'
import { Stripper } from './strip.ts'
import { imagesOf, templateDiff } from './template-diff.ts'

const workload = z.object({
  metadata: z.object({
    uid: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ selector: labelSelector }),
  status: z.object({ updateRevision: z.string().optional() }).default({}),
})
type Workload = z.output<typeof workload>

/** A revision and the template it stands for, as stored. */
interface Stored {
  readonly object: KubeObject
  readonly revision: number
  readonly template: Json
  readonly replicas?: number
  readonly ready?: number
}

const pageSize = 50
const maxPages = 4
const revisionKey = 'deployment.kubernetes.io/revision'

/**
 * Reads the revisions of a workload, newest first, each with what changed against the one before it.
 * @throws JackstayError as a get and a list do
 */
export async function readHistory(
  reader: AgentReader,
  request: HistoryRequest,
): Promise<HistoryAnswer> {
  const { kind, apiVersion, namespace, name, limit } = request
  const row = readableKind(kind, apiVersion)
  const object = await reader.get(row, namespace, name)
  const owner = workload.parse(object)
  const source = readableKind(kind === 'Deployment' ? 'ReplicaSet' : 'ControllerRevision')
  const found = await ownedBy(reader, source, namespace, owner)
  const stored = found.objects
    .flatMap((one) => storedOf(one, kind))
    .toSorted((a, b) => b.revision - a.revision)
  const stripper = new Stripper()
  const current = currentOf(owner, kind, stored)
  const revisions = stored.slice(0, limit).map((one, i) => {
    const before = stored[i + 1]
    return {
      ...entryOf(one, one === current, stripper),
      ...(before && { changes: templateDiff(before.template, one.template, stripper) }),
    }
  })
  const evidence: Evidence[] = [
    evidenceOf(uriOf(row, namespace, name), owner),
    evidenceOf(`k8s:${collectionPath(source, namespace)}`, revisions),
  ]
  const truncated = !found.complete || stored.length > limit
  return { untrusted: true, withheld: stripper.withheld, revisions, truncated, evidence }
}

/** Objects that this workload controls. */
async function ownedBy(
  reader: AgentReader,
  row: ReturnType<typeof readableKind>,
  namespace: string,
  { metadata, spec }: Workload,
): Promise<{ objects: KubeObject[]; complete: boolean }> {
  const selector = selectorText(spec.selector)
  const objects: KubeObject[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const list = await reader.list(row, namespace, {
      limit: pageSize,
      labelSelector: selector,
      ...(next && { continue: next }),
    })
    objects.push(...list.items.filter((one) => isOwned(one, metadata.uid)))
    next = list.continue
    if (next === undefined) break
  }
  return { objects, complete: next === undefined }
}

export function isOwned({ metadata }: KubeObject, uid: string): boolean {
  return (metadata.ownerReferences ?? []).some((one) => one.uid === uid && one.controller === true)
}

const replicaSet = z.object({
  spec: z.object({ replicas: z.int().default(0), template: z.json() }),
  status: z.object({ readyReplicas: z.int().default(0) }).prefault({}),
})
const controllerRevision = z.object({
  revision: z.int(),
  data: z.object({ spec: z.object({ template: z.json() }) }),
})

function storedOf(object: KubeObject, kind: HistoryRequest['kind']): Stored[] {
  if (kind !== 'Deployment') {
    const parsed = controllerRevision.safeParse(object)
    if (!parsed.success) return []
    const { revision, data } = parsed.data
    return [{ object, revision, template: withoutDirective(data.spec.template) }]
  }
  const parsed = replicaSet.safeParse(object)
  const revision = Number(object.metadata.annotations?.[revisionKey])
  if (!parsed.success || !Number.isSafeInteger(revision)) return []
  const { spec, status } = parsed.data
  const replicas = { replicas: spec.replicas, ready: status.readyReplicas }
  return [{ object, revision, template: spec.template, ...replicas }]
}

/** Revisions are stored as patches that replace the template. */
function withoutDirective(template: Json): Json {
  if (!isRecord(template)) return template
  return Object.fromEntries(Object.entries(template).filter(([key]) => key !== '$patch'))
}

function currentOf(
  { metadata, status }: Workload,
  kind: HistoryRequest['kind'],
  stored: readonly Stored[],
): Stored | undefined {
  if (kind === 'Deployment') {
    const revision = Number(metadata.annotations[revisionKey])
    return stored.find((one) => one.revision === revision)
  }
  if (kind === 'StatefulSet') {
    return stored.find(({ object }) => object.metadata.name === status.updateRevision)
  }
  // a rollback of a DaemonSet gives the old revision the highest number
  return stored[0]
}

const changeCause = 'kubernetes.io/change-cause'

function entryOf(
  { object, revision, template, replicas, ready }: Stored,
  current: boolean,
  stripper: Stripper,
): RevisionEntry {
  const { name = '', uid = '', creationTimestamp, annotations } = object.metadata
  const cause = annotations?.[changeCause]
  return {
    revision,
    current,
    name,
    uid,
    ...(creationTimestamp && { created: creationTimestamp }),
    ...(cause !== undefined && { changeCause: stripper.text(cause, 1024) }),
    images: imagesOf(template).map(({ container, image }) => ({
      container,
      image: stripper.text(image, 512),
    })),
    ...(replicas !== undefined && { replicas }),
    ...(ready !== undefined && { ready }),
  }
}
