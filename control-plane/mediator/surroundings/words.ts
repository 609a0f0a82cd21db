import type { BlastRadius, Plan } from '@jackstay/contract/plan'
import { risk } from '@jackstay/judge/risk'

/** Lines of one kind; the rest is counted. */
const shown = 3
/** A quota with less than this left is worth a line. */
const lowPercent = 20

/** For people who approve or ask why: what the figures of a plan say, the worst of them first. */
export function figuresInWords({
  blastRadius: radius,
  reversibility,
}: Pick<Plan, 'blastRadius' | 'reversibility'>): string[] {
  const { score, parts } = risk({ blastRadius: radius, reversibility })
  const named = Object.entries(parts)
    .filter(([, points]) => points > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, points]) => `${name} ${points}`)
  return [
    `risk ${score} of 100${named.length === 0 ? '' : `: ${named.join(', ')}`}`,
    ...few(
      radius.workloads
        .filter(({ lost }) => lost > 0)
        .sort(byShare)
        .map(workload),
    ),
    ...few(radius.budgets.filter(({ lost }) => lost > 0).map(budget)),
    ...few(radius.autoscalers.map(autoscaler)),
    ...few(radius.quotas.filter(isLow).map(quota)),
    ...matters(radius),
  ]
}

function few(lines: readonly string[]): string[] {
  const rest = lines.length - shown
  return rest <= 0 ? [...lines] : [...lines.slice(0, shown), `and ${rest} more like that`]
}

type Workload = BlastRadius['workloads'][number]

function byShare(a: Workload, b: Workload): number {
  return (b.sharePercent ?? 101) - (a.sharePercent ?? 101)
}

function workload({ kind, namespace, name, lost, ready, sharePercent }: Workload): string {
  const of = `${kind} ${namespace}/${name}`
  return ready === undefined || sharePercent === undefined
    ? `takes ${lost} ready Pods of ${of} away; how many of it are ready is not known`
    : `takes ${lost} of ${ready} ready Pods of ${of} away (${sharePercent} %)`
}

function budget({ namespace, name, lost, allowed }: BlastRadius['budgets'][number]): string {
  const now =
    allowed === undefined ? 'has not been counted yet' : `allows ${allowed} disruptions now`
  return `PodDisruptionBudget ${namespace}/${name} ${now}; this takes ${lost} ready Pods of it away`
}

function autoscaler(of: BlastRadius['autoscalers'][number]): string {
  const { namespace, name, min, max, replicas, headroom, fights } = of
  const bounds = `HorizontalPodAutoscaler ${namespace}/${name} keeps between ${min} and ${max} replicas`
  if (fights) return `${bounds} and would set ${replicas ?? 'this'} back`
  if (headroom === undefined) return `${bounds}; how many there are is not known`
  return `${bounds} and may add ${Math.max(0, headroom)}`
}

type Quota = BlastRadius['quotas'][number]

function isLow({ leftPercent }: Quota): boolean {
  return leftPercent === undefined || leftPercent < lowPercent
}

function quota({ namespace, name, resource, leftPercent }: Quota): string {
  const of = `ResourceQuota ${namespace}/${name}`
  if (leftPercent === undefined) return `what ${of} has left of ${resource} is not known`
  return leftPercent < 0
    ? `${of} has no room for this: ${resource}`
    : `${of} has ${leftPercent} % of ${resource} left with this`
}

function matters({ criticality, priority }: BlastRadius): string[] {
  const level = criticality === 'medium' ? [] : [`what it reaches matters: ${criticality}`]
  return priority === undefined ? [...level, 'the priority of its Pods is not known'] : level
}
