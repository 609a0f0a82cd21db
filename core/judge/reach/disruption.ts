import type { JsonMap } from '@jackstay/contract/json'
import type { LabelSelector } from '@jackstay/contract/label-selector'

type Labels = Readonly<Record<string, string>>

/** Pods that a change adds at its peak, and those that it makes wider. */
export interface Growth {
  /** Pods beyond those that are there. */
  readonly extra: number
  /** Pods that are replaced by ones of another template. */
  readonly replaced: number
  /** Pod specs now and after the change. */
  readonly before: JsonMap
  readonly after: JsonMap
  /** New objects other than Pods, by the resource a quota counts them as. */
  readonly objects?: Readonly<Record<string, number>>
  /** Resources whose growth cannot be told. */
  readonly unknown?: readonly string[]
}

/** What an action's writes do to the Pods of one workload; what it could not see is undefined. */
export interface Disruption {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Of the workload itself. */
  readonly labels: Labels
  /** Pods by their labels, and how many ready ones of those go at once, at most. */
  readonly pods: readonly { readonly labels: Labels; readonly lost: number }[]
  /** Its Pods that are ready now. */
  readonly ready: number | undefined
  readonly replicas: { readonly before: number; readonly after: number } | undefined
  /** A number, or the PriorityClass that stands for one; `''` for none, undefined where not known. */
  readonly priority: number | string | undefined
  readonly growth?: Growth
  /** The autoscaler whose bounds are what is changed. */
  readonly bounds?: { readonly name: string; readonly min: number; readonly max: number }
}

/** A PodDisruptionBudget. */
export interface BudgetView {
  readonly namespace: string
  readonly name: string
  /** Undefined where it selects no Pod. */
  readonly selector: LabelSelector | undefined
  /** Undefined while Kubernetes has not counted for the newest spec. */
  readonly allowed: number | undefined
}

/** A HorizontalPodAutoscaler. */
export interface AutoscalerView {
  readonly namespace: string
  readonly name: string
  readonly target: { readonly kind: string; readonly name: string }
  readonly min: number
  readonly max: number
}

/** A ResourceQuota, in Kubernetes quantities. */
export interface QuotaView {
  readonly name: string
  readonly namespace: string
  /** `used` is empty while Kubernetes has not counted the resource. */
  readonly limits: readonly {
    readonly resource: string
    readonly hard: string
    readonly used: string
  }[]
}

/** What stands around the workloads of a change, as it is now. */
export interface Surroundings {
  /** Labels of a namespace; undefined where it is not known. */
  labels(namespace: string): Labels | undefined
  budgets(namespace: string): readonly BudgetView[]
  autoscalers(namespace: string): readonly AutoscalerView[]
  quotas(namespace: string): readonly QuotaView[]
  /** The value of a PriorityClass, or with `''` of a Pod that names none. */
  priority(className: string): number | undefined
}
