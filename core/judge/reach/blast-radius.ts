import { selects } from '@jackstay/contract/label-selector'
import type { BlastRadius, Criticality, Reach } from '@jackstay/contract/plan'
import { readQuantity } from '../cel/functions/quantities.ts'
import { added } from './demand.ts'
import type { AutoscalerView, Disruption, QuotaView, Surroundings } from './disruption.ts'

/** How much a namespace or a workload matters, by whoever runs it: `low`, `medium` or `high`. */
const criticalityLabel = 'jackstay.dev/criticality'
/** Kubernetes' own priority classes, `system-…`, begin here. */
const systemPriority = 2_000_000_000

/**
 * How far a change reaches: what its action reckons, and what stands around the workloads whose Pods
 * it touches. Pure. A figure that cannot be known is absent, so that a rule over it fails and risk
 * counts it in full.
 */
export function blastRadiusOf(
  reach: Reach,
  disruptions: readonly Disruption[],
  around: Surroundings,
): BlastRadius {
  const workloads = disruptions.map(workload)
  const namespaces = [
    ...new Set([...reach.namespaces, ...disruptions.map((d) => d.namespace)]),
  ].sort()
  const priority = highest(disruptions.map((d) => priorityOf(d, around)))
  return {
    ...reach,
    namespaces: [...reach.namespaces],
    workloads,
    ...known('sharePercent', worst(workloads.map((w) => w.sharePercent))),
    budgets: namespaces.flatMap((name) => budgets(name, disruptions, around)),
    autoscalers: disruptions.flatMap((d) => autoscalers(d, around)),
    quotas: namespaces.flatMap((name) => quotas(name, disruptions, around)),
    criticality: criticality(namespaces, disruptions, around, priority),
    ...known('priority', priority),
  }
}

/** Absent is another thing than undefined where values are put on record. */
function known<Key extends string>(
  key: Key,
  value: number | undefined,
): { readonly [key in Key]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]: number })
}

function workload({ kind, namespace, name, ready, pods }: Disruption) {
  const lost = total(pods)
  const share = lost === 0 ? 0 : ready && Math.min(100, Math.ceil((100 * lost) / ready))
  const sharePercent = lost > 0 && ready === 0 ? 100 : share
  return {
    ...{ kind, namespace, name, lost },
    ...known('ready', ready),
    ...known('sharePercent', sharePercent),
  }
}

function total(pods: Disruption['pods']): number {
  return pods.reduce((sum, { lost }) => sum + lost, 0)
}

/** The largest share; one that is not known could be any, unless another is all. */
function worst(shares: readonly (number | undefined)[]): number | undefined {
  const all = shares.filter((share) => share !== undefined)
  const most = Math.max(0, ...all)
  return all.length === shares.length || most === 100 ? most : undefined
}

function highest(values: readonly (number | undefined)[]): number | undefined {
  const all = values.filter((value) => value !== undefined)
  if (all.length < values.length) return undefined
  return all.length === 0 ? 0 : Math.max(...all)
}

function priorityOf({ priority }: Disruption, around: Surroundings): number | undefined {
  return typeof priority === 'string' ? around.priority(priority) : priority
}

function budgets(
  namespace: string,
  disruptions: readonly Disruption[],
  around: Surroundings,
): BlastRadius['budgets'] {
  const pods = disruptions.filter((d) => d.namespace === namespace).flatMap((d) => d.pods)
  return around.budgets(namespace).flatMap(({ name, selector, allowed }) => {
    const its = selector === undefined ? [] : pods.filter((p) => selects(selector, p.labels))
    if (its.length === 0) return []
    const lost = total(its)
    const headroom = allowed === undefined ? undefined : allowed - lost
    return [{ namespace, name, lost, ...known('allowed', allowed), ...known('headroom', headroom) }]
  })
}

function autoscalers(
  { kind, namespace, name, replicas, bounds }: Disruption,
  around: Surroundings,
): BlastRadius['autoscalers'] {
  const mine = ({ target }: AutoscalerView) => target.kind === kind && target.name === name
  return around
    .autoscalers(namespace)
    .filter(mine)
    .map((scaler) => {
      const { min, max } = bounds?.name === scaler.name ? bounds : scaler
      const after = replicas?.after
      const sets = replicas !== undefined && replicas.after !== replicas.before
      // at zero an autoscaler is switched off
      const fights = sets && after !== undefined && after !== 0 && (after < min || after > max)
      return {
        ...{ namespace, name: scaler.name, min, max, fights },
        ...known('replicas', after),
        ...known('headroom', after === undefined ? undefined : max - after),
      }
    })
}

function quotas(
  namespace: string,
  disruptions: readonly Disruption[],
  around: Surroundings,
): BlastRadius['quotas'] {
  const its = disruptions.filter((d) => d.namespace === namespace)
  return around.quotas(namespace).flatMap(({ name, limits }) =>
    limits.map((limit) => ({
      ...{ namespace, name, resource: limit.resource },
      ...known('leftPercent', left(limit, added(limit.resource, its))),
    })),
  )
}

/** What is left of a limit, in hundredths, rounded down. */
function left(
  { hard, used }: QuotaView['limits'][number],
  more: bigint | undefined,
): number | undefined {
  const [of, taken] = [readQuantity(hard), readQuantity(used)]
  if (of === undefined || taken === undefined || more === undefined) return undefined
  const rest = of - taken - more
  // a limit of nothing has nothing left, and what adds to it does not fit
  if (of <= 0n) return rest < 0n ? -100 : 0
  const percent = rest < 0n ? (100n * rest - of + 1n) / of : (100n * rest) / of
  return Math.max(-100, Math.min(100, Number(percent)))
}

const ranks: readonly Criticality[] = ['low', 'medium', 'high']

function criticality(
  namespaces: readonly string[],
  disruptions: readonly Disruption[],
  around: Surroundings,
  priority: number | undefined,
): Criticality {
  const all: Criticality[] = [
    ...namespaces.map((name) => labelled(around.labels(name))),
    // whoever may label a workload can say that it matters more than its namespace, never less
    ...disruptions
      .filter((d) => Object.hasOwn(d.labels, criticalityLabel))
      .map((d) => labelled(d.labels)),
    ...(priority === undefined || priority >= systemPriority ? (['high'] as const) : []),
  ]
  if (all.length === 0) return 'medium'
  return ranks[Math.max(...all.map((one) => ranks.indexOf(one)))] ?? 'high'
}

/** Without the label `medium`; a value that is none of ours may have been meant as anything. */
function labelled(labels: Readonly<Record<string, string>> | undefined): Criticality {
  if (labels === undefined) return 'high'
  const value = Object.hasOwn(labels, criticalityLabel) ? labels[criticalityLabel] : 'medium'
  return value === 'low' || value === 'medium' ? value : 'high'
}
