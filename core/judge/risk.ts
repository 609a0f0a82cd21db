import type { Plan } from '@jackstay/contract/plan'

/** How much a namespace matters, by whoever runs the cluster: `low`, `medium` or `high`. */
export const criticalityLabel = 'jackstay.dev/criticality'

/** What the control plane knows of a change. Nothing here comes from an agent. */
export interface RiskInput {
  readonly blastRadius: Plan['blastRadius']
  readonly reversibility: Plan['reversibility']
  /** Ready replicas of the target before the change; undefined where the plan did not see them. */
  readonly readyReplicas: number | undefined
  /** Labels of the target's namespace. */
  readonly labels: Readonly<Record<string, string>>
}

export const riskParts = [
  'objects',
  'namespaces',
  'pods',
  'readyReplicasLost',
  'share',
  'reversibility',
  'criticality',
] as const
export type RiskPart = (typeof riskParts)[number]

export interface Risk {
  /** 0 to 100, the sum of the parts. */
  readonly score: number
  readonly parts: Readonly<Record<RiskPart, number>>
}

/**
 * How much can go wrong, from 0 to 100: the sum of parts with a ceiling each (docs/reference/risk.md).
 * No part ever falls when what it looks at grows, and what is not known counts in full.
 */
export function risk({ blastRadius, reversibility, readyReplicas, labels }: RiskInput): Risk {
  const { objects, pods, readyReplicasLost: lost, namespaces } = blastRadius
  const parts = {
    objects: upTo(10, 2 * (objects - 1)),
    namespaces: upTo(10, 5 * (new Set(namespaces).size - 1)),
    pods: upTo(10, digits(pods)),
    readyReplicasLost: upTo(10, digits(lost)),
    share: upTo(20, shareOf(lost, readyReplicas)),
    reversibility: { inverse: 0, 'self-healing': 5, irreversible: 20 }[reversibility],
    criticality: criticality(labels),
  }
  const score = Object.values(parts).reduce((sum, part) => sum + part, 0)
  return { score, parts }
}

/** A whole number from 0 to `most`; what is no number counts as `most`. */
function upTo(most: number, points: number): number {
  return Number.isNaN(points) ? most : Math.min(most, Math.max(0, Math.ceil(points)))
}

/** Binary digits of a count: one point more for each doubling. */
function digits(count: number): number {
  return count < 1 ? 0 : Math.floor(Math.log2(count)) + 1
}

function shareOf(lost: number, ready: number | undefined): number {
  if (lost <= 0) return 0
  return ready === undefined ? Number.NaN : (20 * lost) / Math.max(1, ready)
}

function criticality(labels: Readonly<Record<string, string>>): number {
  const value = Object.hasOwn(labels, criticalityLabel) ? labels[criticalityLabel] : 'medium'
  if (value === 'low') return 0
  // a value that is none of ours may have been meant as anything
  return value === 'medium' ? 7 : 15
}
