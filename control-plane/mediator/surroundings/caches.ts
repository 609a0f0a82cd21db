import { labelSelector } from '@jackstay/contract/label-selector'
import type { AutoscalerView, BudgetView, QuotaView } from '@jackstay/judge/disruption'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import { z } from 'zod'
import { type Keeping, keep } from '../cluster/keeping.ts'

interface PriorityView {
  readonly name: string
  readonly value: number
  /** Of Pods that name none. */
  readonly isDefault: boolean
}

/** What the figures of a plan rest on besides its target: what stands around its Pods. */
export interface SurroundingCaches {
  readonly quotas: WatchCache<QuotaView>
  readonly budgets: WatchCache<BudgetView>
  readonly autoscalers: WatchCache<AutoscalerView>
  readonly priorities: WatchCache<PriorityView>
}

/** An object that does not read leaves its cache out of step: it could be the one that says no. */
export function openSurroundingCaches(client: KubeClient, keeping: Keeping): SurroundingCaches {
  const opened = <T>(
    kind: readonly [apiVersion: string, resource: string],
    project: (object: KubeObject) => T,
    index?: (view: T) => string,
  ) => keep(client, kind, keeping, project, index)
  const autoscalers = ['autoscaling/v2', 'horizontalpodautoscalers'] as const
  return {
    quotas: opened(['v1', 'resourcequotas'], projectQuota, namespaceOf),
    budgets: opened(['policy/v1', 'poddisruptionbudgets'], projectBudget, namespaceOf),
    autoscalers: opened(autoscalers, projectAutoscaler, namespaceOf),
    priorities: opened(['scheduling.k8s.io/v1', 'priorityclasses'], projectPriority),
  }
}

function namespaceOf({ namespace }: { readonly namespace: string }): string {
  return namespace
}

const quantities = z.record(z.string(), z.string()).default({})
const resourceQuota = z.object({
  spec: z.object({ hard: quantities }).prefault({}),
  status: z.object({ hard: quantities, used: quantities }).prefault({}),
})

export function projectQuota(object: KubeObject): QuotaView {
  const { spec, status } = resourceQuota.parse(object)
  const { name = '', namespace = '' } = object.metadata
  // the spec is what somebody wants by now, and Kubernetes may not have counted for it yet
  const limits = Object.entries(spec.hard).map(([resource, hard]) => {
    const counted = Object.hasOwn(status.hard, resource) && Object.hasOwn(status.used, resource)
    return { resource, hard, used: (counted && status.used[resource]) || '' }
  })
  return { name, namespace, limits }
}

const disruptionBudget = z.object({
  metadata: z.object({ generation: z.int().default(0) }),
  spec: z.object({ selector: labelSelector.nullish() }).prefault({}),
  status: z
    .object({ observedGeneration: z.int().default(-1), disruptionsAllowed: z.int().optional() })
    .prefault({}),
})

function projectBudget(object: KubeObject): BudgetView {
  const { metadata, spec, status } = disruptionBudget.parse(object)
  const { name = '', namespace = '' } = object.metadata
  // counted for another spec is not counted
  const stale = status.observedGeneration < metadata.generation
  return {
    ...{ name, namespace },
    selector: spec.selector ?? undefined,
    allowed: stale ? undefined : status.disruptionsAllowed,
  }
}

const horizontalPodAutoscaler = z.object({
  spec: z.object({
    minReplicas: z.int().default(1),
    maxReplicas: z.int(),
    scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
  }),
})

function projectAutoscaler(object: KubeObject): AutoscalerView {
  const {
    minReplicas: min,
    maxReplicas: max,
    scaleTargetRef,
  } = horizontalPodAutoscaler.parse(object).spec
  const { name = '', namespace = '' } = object.metadata
  return { name, namespace, target: scaleTargetRef, min, max }
}

const priorityClass = z.object({ value: z.int(), globalDefault: z.boolean().default(false) })

function projectPriority(object: KubeObject): PriorityView {
  const { value, globalDefault } = priorityClass.parse(object)
  return { name: object.metadata.name ?? '', value, isDefault: globalDefault }
}

/** The value of a PriorityClass, or with `''` of Pods that name none. */
export function priorityIn(caches: SurroundingCaches, className: string): number | undefined {
  if (className !== '') return caches.priorities.get(undefined, className)?.value
  // of several defaults Kubernetes takes the lowest; taken as higher, nothing is played down
  const defaults = [...caches.priorities.values()].filter(({ isDefault }) => isDefault)
  return Math.max(0, ...defaults.map(({ value }) => value))
}
