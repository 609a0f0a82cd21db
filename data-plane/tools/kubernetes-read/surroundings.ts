import {
  type LabelSelector,
  labelSelector,
  selectorText,
  selects,
} from '@jackstay/contract/label-selector'
import type { ReadableKind } from '@jackstay/contract/readable'
import { readableKinds } from '@jackstay/contract/readable'
import type { DescribeAnswer } from '@jackstay/contract/reads'
import type { KubeObject, OwnerReference } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { AgentReader } from './agent.ts'
import { isOwned } from './history.ts'
import type { Parts } from './parts.ts'
import { readableKind } from './readable.ts'

/** What stands around an object, as stored. */
export interface Surroundings {
  readonly related: readonly KubeObject[]
  readonly pods: readonly KubeObject[]
}

const maxOwners = 4
const pageSize = 100
const maxRelated = 5

/** What controls an object, nearest first, as far as it can be read. */
export async function ownersOf(
  reader: AgentReader,
  object: KubeObject,
  parts: Parts,
): Promise<DescribeAnswer['owners']> {
  const owners: DescribeAnswer['owners'] = []
  let at: KubeObject | undefined = object
  while (at !== undefined && owners.length < maxOwners) {
    const owner: OwnerReference | undefined = controllerOf(at)
    if (owner === undefined) break
    const { apiVersion, kind, name, uid } = owner
    owners.push({ apiVersion, kind, name, uid })
    const row = readableKinds.find((one) => one.apiVersion === apiVersion && one.kind === kind)
    if (row?.scope !== 'namespaced') break
    const above = reader.get(row, object.metadata.namespace, name)
    at = await parts.of(`owner ${kind} ${name}`, above, undefined)
    // a namesake that came later owns nothing here
    if (at?.metadata.uid !== uid) break
  }
  return owners
}

function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

/** ReplicaSets, Jobs, autoscalers, budgets and Pods that belong to an object, by kind. */
export async function surroundingsOf(
  reader: AgentReader,
  { kind }: ReadableKind,
  object: KubeObject,
  parts: Parts,
): Promise<Surroundings> {
  const around = new Around(reader, object, parts)
  switch (kind) {
    case 'Pod':
      return { pods: [object], related: await around.budgets(object.metadata.labels ?? {}) }
    case 'Deployment':
      return await around.deployment()
    case 'ReplicaSet':
    case 'Job':
      return { pods: await around.ownPods([object]), related: [] }
    case 'StatefulSet':
    case 'DaemonSet': {
      const [pods, scaling] = await Promise.all([around.ownPods([object]), around.protection()])
      return { pods, related: scaling }
    }
    case 'CronJob':
      return await around.cronJob()
    case 'Service':
    case 'PodDisruptionBudget':
      return { pods: await around.pods(around.selector()), related: [] }
    default:
      return { pods: [], related: [] }
  }
}

const scaled = z.object({
  spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }),
})
const selected = z.object({ spec: z.object({ selector: labelSelector }) })
const routed = z.object({ spec: z.object({ selector: z.record(z.string(), z.string()) }) })
const templated = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }).prefault({}),
    }),
  }),
})

/** Lists in the namespace of one object; what fails is noted and left out. */
class Around {
  readonly #reader: AgentReader
  readonly #object: KubeObject
  readonly #parts: Parts

  constructor(reader: AgentReader, object: KubeObject, parts: Parts) {
    this.#reader = reader
    this.#object = object
    this.#parts = parts
  }

  async deployment(): Promise<Surroundings> {
    const [all, protection] = await Promise.all([
      this.#list('ReplicaSet', this.selector()),
      this.protection(),
    ])
    const sets = all.filter((one) => isOwned(one, this.#object.metadata.uid ?? ''))
    const newest = sets.toSorted((a, b) => revisionOf(b) - revisionOf(a))
    const [, ...rest] = newest
    const kept = [...newest.slice(0, 1), ...rest.filter(isScaledUp)].slice(0, maxRelated)
    return { pods: await this.ownPods(sets), related: [...kept, ...protection] }
  }

  async cronJob(): Promise<Surroundings> {
    const all = await this.#list('Job', undefined)
    const jobs = all
      .filter((one) => isOwned(one, this.#object.metadata.uid ?? ''))
      .toSorted((a, b) => createdAt(b) - createdAt(a))
      .slice(0, maxRelated)
    if (jobs.length === 0) return { pods: [], related: [] }
    const values = jobs.map(({ metadata }) => metadata.uid ?? '')
    const expression = {
      key: 'batch.kubernetes.io/controller-uid',
      operator: 'In' as const,
      values,
    }
    const pods = await this.pods({ matchLabels: {}, matchExpressions: [expression] })
    return { pods: pods.filter((pod) => isOwnedByAny(pod, jobs)), related: jobs }
  }

  /** Autoscalers and budgets of a workload. */
  async protection(): Promise<KubeObject[]> {
    const { kind, metadata } = this.#object
    const labels = templated.safeParse(this.#object)
    const [autoscalers, budgets] = await Promise.all([
      this.#list('HorizontalPodAutoscaler', undefined),
      this.budgets(labels.success ? labels.data.spec.template.metadata.labels : {}),
    ])
    const own = autoscalers.filter((one) => {
      const parsed = scaled.safeParse(one)
      const target = parsed.success ? parsed.data.spec.scaleTargetRef : undefined
      return target?.kind === kind && target?.name === metadata.name
    })
    return [...own, ...budgets]
  }

  async budgets(labels: Readonly<Record<string, string>>): Promise<KubeObject[]> {
    const all = await this.#list('PodDisruptionBudget', undefined)
    return all.filter((one) => {
      const parsed = selected.safeParse(one)
      return parsed.success && selects(parsed.data.spec.selector, labels)
    })
  }

  async ownPods(owners: readonly KubeObject[]): Promise<KubeObject[]> {
    const pods = await this.pods(this.selector())
    return pods.filter((pod) => isOwnedByAny(pod, owners))
  }

  async pods(selector: LabelSelector | undefined): Promise<readonly KubeObject[]> {
    return selector === undefined ? [] : await this.#list('Pod', selector)
  }

  selector(): LabelSelector | undefined {
    const parsed = selected.safeParse(this.#object)
    const isService = this.#object.kind === 'Service'
    if (parsed.success && !isService) return parsed.data.spec.selector
    const service = routed.safeParse(this.#object)
    if (!isService || !service.success) return undefined
    return { matchLabels: service.data.spec.selector, matchExpressions: [] }
  }

  async #list(kind: string, selector: LabelSelector | undefined): Promise<readonly KubeObject[]> {
    const text = selector === undefined ? '' : selectorText(selector)
    const page = { limit: pageSize, ...(text !== '' && { labelSelector: text }) }
    const { namespace } = this.#object.metadata
    const none = { items: [], resourceVersion: '' }
    const read = this.#reader.list(readableKind(kind), namespace, page)
    const list = await this.#parts.of(kind, read, none)
    if ('continue' in list) {
      this.#parts.note(kind, `only the first ${pageSize} were looked at; list ${kind} to see all`)
    }
    return list.items
  }
}

function isOwnedByAny(pod: KubeObject, owners: readonly KubeObject[]): boolean {
  return owners.some(({ metadata }) => metadata.uid !== undefined && isOwned(pod, metadata.uid))
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)
}

function createdAt({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '')
}

const replicas = z.object({ spec: z.object({ replicas: z.int() }) })

function isScaledUp(object: KubeObject): boolean {
  const parsed = replicas.safeParse(object)
  return parsed.success && parsed.data.spec.replicas > 0
}
