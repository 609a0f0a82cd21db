import type { ApprovalRequirement } from '@jackstay/contract/decision'
import type { Digest } from '@jackstay/contract/json'
import { mostServed } from './matching.ts'

/** What counting needs of an Approval. */
export interface QuorumApproval {
  readonly approver: string
  readonly groups: readonly string[]
  readonly verdict: 'approve' | 'reject'
  readonly digest: Digest
  /** When the API server accepted it, RFC 3339. */
  readonly at: string
}

export interface MissingApprovals {
  readonly from: string
  readonly have: number
  readonly need: number
  readonly groups: readonly string[]
}

export type QuorumOutcome<A extends QuorumApproval = QuorumApproval> =
  | { readonly state: 'met'; readonly counted: readonly A[] }
  | { readonly state: 'waiting'; readonly missing: readonly MissingApprovals[] }
  | { readonly state: 'rejected'; readonly by: string }
  /** `at`: milliseconds since the epoch. */
  | { readonly state: 'expired'; readonly at: number }

export interface QuorumQuestion<A extends QuorumApproval> {
  readonly requirements: readonly ApprovalRequirement[]
  readonly approvals: readonly A[]
  readonly digest: Digest
  /** Who has a part in the request, and so cannot agree to it; anybody may reject. */
  readonly excluded: readonly string[]
  /** Milliseconds since the epoch, both. */
  readonly decidedAt: number
  readonly now: number
}

/**
 * Whether people agreed to exactly this digest. Every requirement must be met by distinct people
 * of its groups. One person may serve several requirements, unless one of them is `separate`: then
 * nobody serves two. What one person states in several approvals adds up, so order never matters.
 * The first rejection is final. An approval made after the earliest expiry does not count, one
 * made before still does later on.
 */
export function quorum<A extends QuorumApproval>(question: QuorumQuestion<A>): QuorumOutcome<A> {
  const { requirements, digest, decidedAt, now } = question
  const groups = new Set(requirements.flatMap((r) => r.groups))
  const eligible = question.approvals
    .filter(
      (a) => a.digest === digest && isPerson(a.approver) && a.groups.some((g) => groups.has(g)),
    )
    .sort(oldestFirst)
  const rejection = eligible.find((a) => a.verdict !== 'approve')
  if (rejection !== undefined) return { state: 'rejected', by: rejection.approver }
  const expiry = decidedAt + Math.min(...requirements.map((r) => r.expiresAfter)) * 1000
  const excluded = new Set(question.excluded.map(personOf))
  const inTime = eligible.filter(
    (a) => Date.parse(a.at) <= expiry && !excluded.has(personOf(a.approver)),
  )
  const missing = lacking(requirements, inTime)
  // no requirement at all is a mistake, never a yes
  if (requirements.length > 0 && missing.length === 0) {
    const serving = new Set(requirements.flatMap((r) => servedBy(r, inTime)))
    return { state: 'met', counted: inTime.filter((a) => serving.has(a)) }
  }
  // written so that a time that is not a number counts as expired
  return now <= expiry ? { state: 'waiting', missing } : { state: 'expired', at: expiry }
}

/** One approval for each person who serves the requirement. */
function servedBy<A extends QuorumApproval>(
  { groups }: ApprovalRequirement,
  approvals: readonly A[],
): readonly A[] {
  return distinct(approvals.filter((a) => a.groups.some((g) => groups.includes(g))))
}

function lacking(
  requirements: readonly ApprovalRequirement[],
  approvals: readonly QuorumApproval[],
): readonly MissingApprovals[] {
  const people = requirements.map((r) => servedBy(r, approvals).map((a) => personOf(a.approver)))
  const separate = requirements.some((r) => r.separate === true)
  const have = separate
    ? mostServed(requirements.map((r, i) => ({ need: r.count, people: people[i] ?? [] })))
    : people.map((p) => p.length)
  return requirements.flatMap(({ from, count, groups }, i) => {
    const served = have[i] ?? 0
    // a requirement of nobody is a mistake, never a yes
    const need = count >= 1 ? count : Number.POSITIVE_INFINITY
    return served >= need ? [] : [{ from, have: served, need: count, groups }]
  })
}

function isPerson(approver: string): boolean {
  return approver !== '' && !personOf(approver).startsWith('system:')
}

/** Names that differ in case or Unicode form alone are one person: two spellings are no four eyes. */
function personOf(approver: string): string {
  return approver.normalize('NFKC').toLowerCase().trim()
}

function oldestFirst(a: QuorumApproval, b: QuorumApproval): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : a.approver < b.approver ? -1 : 1
}

function distinct<A extends QuorumApproval>(approvals: readonly A[]): readonly A[] {
  const seen = new Set<string>()
  return approvals.filter(({ approver }) => {
    const person = personOf(approver)
    return !seen.has(person) && seen.add(person)
  })
}
