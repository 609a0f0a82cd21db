import type { Decision } from '@jackstay/contract/decision'
import { decide } from '@jackstay/judge/decide'
import { type Outcome, outcomeOf } from '@jackstay/judge/explain'
import { nearest } from '@jackstay/judge/fields'
import type { RuleSet } from '@jackstay/judge/rules'
import type { PolicyCase } from './cases.ts'
import type { Mistake } from './yaml.ts'

/** One case, judged. */
export interface CaseResult {
  readonly case: PolicyCase
  readonly decision: Decision
  readonly got: Outcome
  /** What differs from the expectation; none where it holds. */
  readonly differences: readonly string[]
}

/** Judges one case, and compares. Pure. */
export function judgeCase(rules: RuleSet, tested: PolicyCase): CaseResult {
  const decision = decide({ rules, ...tested.situation })
  const got = outcomeOf(decision)
  return { case: tested, decision, got, differences: differences(tested.expect, decision, got) }
}

function differences(
  expect: PolicyCase['expect'],
  decision: Decision,
  got: Outcome,
): readonly string[] {
  const found: string[] = []
  if (expect.expect !== got) found.push(`expected ${expect.expect}, got ${got}`)
  const fired = decision.fired.map(({ id }) => id)
  const silent = (expect.rules ?? []).filter((id) => !fired.includes(id))
  if (silent.length > 0) found.push(`expected ${silent.join(', ')} to fire`)
  if (expect.reason !== undefined && !decision.reason.includes(expect.reason)) {
    found.push(`expected a reason with \`${expect.reason}\``)
  }
  const asked = askedFor(expect)
  if (asked !== undefined && !decision.requirements.some((r) => meets(r, expect))) {
    const got = decision.requirements.map((r) => `${r.count} of ${r.groups.join(', ')}`)
    found.push(`expected ${asked}, got ${got.join('; ') || 'none'}`)
  }
  return found
}

function askedFor({ groups, count }: PolicyCase['expect']): string | undefined {
  if (groups === undefined && count === undefined) return undefined
  return `approval by ${count ?? 'some'} of ${groups?.join(', ') ?? 'any group'}`
}

function meets(
  requirement: Decision['requirements'][number],
  { groups, count }: PolicyCase['expect'],
): boolean {
  const same = groups === undefined || sorted(groups) === sorted(requirement.groups)
  return same && (count === undefined || count === requirement.count)
}

function sorted(texts: readonly string[]): string {
  return JSON.stringify([...texts].sort())
}

/** Rule ids that no policy of the case has: a test that could never hold. */
export function unknownRules(cases: readonly PolicyCase[], ids: readonly string[]): Mistake[] {
  return cases.flatMap(({ expect, rulePlaces, place }) =>
    (expect.rules ?? []).flatMap((id, i): Mistake[] => {
      if (ids.includes(id)) return []
      const message = `no policy tested here has the rule \`${id}\``
      const suggestion = nearest(id, ids)
      return [{ severity: 'error', place: rulePlaces[i] ?? place, message, suggestion }]
    }),
  )
}

export interface Coverage {
  readonly rules: number
  readonly matched: number
  /** Ids of the rules that matched in no case. */
  readonly never: readonly string[]
}

/** Which rules matched in some case. Pure. */
export function coverageOf(ids: Iterable<string>, results: readonly CaseResult[]): Coverage {
  const all = new Set(ids)
  const matched = new Set(
    results.flatMap(({ decision }) =>
      decision.fired.filter(({ outcome }) => outcome === 'matched').map(({ id }) => id),
    ),
  )
  const never = [...all].filter((id) => !matched.has(id)).sort()
  return { rules: all.size, matched: all.size - never.length, never }
}
