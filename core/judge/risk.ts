import type { Plan } from '@jackstay/contract/plan'
import { readQuantity } from './cel/functions/quantities.ts'

/** How much a namespace matters, by whoever runs the cluster: `low`, `medium` or `high`. */
export const criticalityLabel = 'jackstay.dev/criticality'

/** What the control plane knows of a change. Nothing here comes from an agent (T29). */
export interface RiskInput {
  readonly blastRadius: Plan['blastRadius']
  readonly reversibility: Plan['reversibility']
  /** Ready replicas of the target before the change; undefined where the plan did not see them. */
  readonly readyReplicas: number | undefined
  /** Labels of the target's namespace. */
  readonly labels: Readonly<Record<string, string>>
  /** ResourceQuotas of the target's namespace, in Kubernetes quantities. */
  readonly quotas: readonly { readonly hard: string; readonly used: string }[]
}

/** Every part with its ceiling; the ceilings add up to 100. */
export const riskParts = {
  objects: 10,
  namespaces: 10,
  pods: 10,
  readyReplicasLost: 10,
  share: 20,
  reversibility: 20,
  criticality: 15,
  quota: 5,
} as const
export type RiskPart = keyof typeof riskParts

export interface Risk {
  /** 0 to 100, the sum of the parts. */
  readonly score: number
  readonly parts: Readonly<Record<RiskPart, number>>
}

/**
 * How much can go wrong, from 0 to 100: the sum of parts with a ceiling each (docs/reference/risk.md).
 * No part ever falls when what it looks at gets worse, and what is not known counts in full.
 */
export function risk(input: RiskInput): Risk {
  const { objects, pods, readyReplicasLost: lost, namespaces } = input.blastRadius
  const reversal = { inverse: 0, 'self-healing': 5, irreversible: riskParts.reversibility }
  const parts = {
    objects: points('objects', 2 * (objects - 1)),
    namespaces: points('namespaces', 5 * (new Set(namespaces).size - 1)),
    pods: points('pods', doublings(pods)),
    readyReplicasLost: points('readyReplicasLost', doublings(lost)),
    share: points('share', shareOf(lost, input.readyReplicas)),
    reversibility: points('reversibility', reversal[input.reversibility]),
    criticality: points('criticality', criticality(input.labels)),
    quota: Math.max(0, ...input.quotas.map((q) => points('quota', fullness(q)))),
  }
  const score = Object.values(parts).reduce((sum, part) => sum + part, 0)
  return { score, parts }
}

/** A whole number from 0 to the part's ceiling; what is no number is the ceiling. */
function points(part: RiskPart, value: number): number {
  const most = riskParts[part]
  return Number.isNaN(value) ? most : Math.min(most, Math.max(0, Math.ceil(value)))
}

/** One point, and one more for each doubling: 1, 2–3, 4–7, 8–15, … */
function doublings(count: number): number {
  return count < 1 ? 0 : Math.floor(Math.log2(count)) + 1
}

function shareOf(lost: number, ready: number | undefined): number {
  if (lost <= 0) return 0
  return ready === undefined ? Number.NaN : (riskParts.share * lost) / Math.max(1, ready)
}

function criticality(labels: RiskInput['labels']): number {
  const value = Object.hasOwn(labels, criticalityLabel) ? labels[criticalityLabel] : 'medium'
  if (value === 'low') return 0
  // a value that is none of ours may have been meant as anything
  return value === 'medium' ? 7 : riskParts.criticality
}

/** How much of a quota is used; one that is not counted, or allows nothing, is full. */
function fullness({ hard, used }: RiskInput['quotas'][number]): number {
  const [of, taken] = [readQuantity(hard), readQuantity(used)]
  if (of === undefined || taken === undefined || of <= 0n) return riskParts.quota
  const whole = BigInt(riskParts.quota)
  return Number((whole * taken + of - 1n) / of)
}
