import type { Plan } from '@jackstay/contract/plan'

/** What the control plane knows of a change. Nothing here comes from an agent (T29). */
export type RiskInput = Pick<Plan, 'blastRadius' | 'reversibility'>
type Radius = Plan['blastRadius']

/** Every part with its ceiling; the ceilings add up to 100. */
export const riskParts = {
  objects: 5,
  namespaces: 5,
  pods: 10,
  readyReplicasLost: 10,
  share: 20,
  reversibility: 20,
  criticality: 15,
  budgets: 5,
  autoscalers: 5,
  quotas: 5,
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
export function risk({ blastRadius: radius, reversibility }: RiskInput): Risk {
  const reversal = { inverse: 0, 'self-healing': 5, irreversible: riskParts.reversibility }
  const matters = { low: 0, medium: 7, high: riskParts.criticality }
  const parts = {
    objects: points('objects', radius.objects - 1),
    namespaces: points('namespaces', 2 * (new Set(radius.namespaces).size - 1)),
    pods: points('pods', doublings(radius.pods)),
    readyReplicasLost: points('readyReplicasLost', doublings(radius.readyReplicasLost)),
    share: points('share', scaled(riskParts.share, radius.sharePercent)),
    reversibility: points('reversibility', reversal[reversibility]),
    criticality: points('criticality', matters[radius.criticality]),
    budgets: most('budgets', radius.budgets.map(budget)),
    autoscalers: most('autoscalers', radius.autoscalers.map(autoscaler(radius))),
    quotas: most('quotas', radius.quotas.map(quota)),
  }
  const score = Object.values(parts).reduce((sum, part) => sum + part, 0)
  return { score, parts }
}

/** A whole number from 0 to the part's ceiling; what is no number is the ceiling. */
function points(part: RiskPart, value: number): number {
  const ceiling = riskParts[part]
  return Number.isNaN(value) ? ceiling : Math.min(ceiling, Math.max(0, Math.ceil(value)))
}

function most(part: RiskPart, values: readonly number[]): number {
  return Math.max(0, ...values.map((value) => points(part, value)))
}

/** One point, and one more for each doubling: 1, 2–3, 4–7, 8–15, … */
function doublings(count: number): number {
  return count < 1 ? 0 : Math.floor(Math.log2(count)) + 1
}

function scaled(ceiling: number, percent: number | undefined): number {
  return percent === undefined ? Number.NaN : (ceiling * percent) / 100
}

/** How much of what a budget allows is taken. */
function budget({ lost, allowed }: Radius['budgets'][number]): number {
  if (lost <= 0) return 0
  return allowed === undefined ? Number.NaN : (riskParts.budgets * lost) / Math.max(1, allowed)
}

/** How much of what is lost an autoscaler could not make up for. */
function autoscaler({ workloads }: Radius) {
  const lost = Math.max(0, ...workloads.map((w) => w.lost))
  return ({ fights, headroom }: Radius['autoscalers'][number]): number => {
    if (fights) return riskParts.autoscalers
    if (lost <= 0) return 0
    const missing = headroom === undefined ? Number.NaN : Math.max(0, lost - headroom)
    return (riskParts.autoscalers * missing) / lost
  }
}

function quota({ leftPercent }: Radius['quotas'][number]): number {
  return leftPercent === undefined ? Number.NaN : (riskParts.quotas * (100 - leftPercent)) / 100
}
