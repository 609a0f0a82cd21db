import type { Decision } from '@jackstay/contract/decision'
import { decide } from '@jackstay/judge/decide'
import { type Outcome, outcomeOf } from '@jackstay/judge/explain'
import type { RuleSet } from '@jackstay/judge/rules'
import { type Line, styled } from '../screen.ts'
import { counted } from './counted.ts'
import type { Recorded, Unjudgeable } from './recorded.ts'

interface Side {
  readonly outcome: Outcome
  /** Absent where the record does not hold it. */
  readonly reason?: string
  /** Who would be asked, such as `2 of sre`. */
  readonly asks: readonly string[]
}

/** A decision that other rules would make otherwise. */
export interface ReplayChange {
  readonly id: string
  readonly at: string
  readonly summary: string
  readonly was: Side
  readonly becomes: Side
}

/** As many changes as are kept; the rest is counted. */
const mostKept = 1000

/** Recorded decisions, judged again one by one. */
export class Replay {
  readonly #rules: RuleSet
  readonly changes: ReplayChange[] = []
  readonly #missing = new Map<string, { count: number; example: string }>()
  readonly #kinds = new Map<string, number>()
  /** Intents looked at, judged again, and decided otherwise. */
  seen = 0
  judged = 0
  changed = 0

  constructor(rules: RuleSet) {
    this.#rules = rules
  }

  /** Why intents cannot be judged again, how many, and one of them. */
  get missing(): readonly {
    readonly why: string
    readonly count: number
    readonly example: string
  }[] {
    return [...this.#missing].map(([why, rest]) => ({ why, ...rest }))
  }

  /** How many went from what to what. */
  get kinds(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#kinds)
  }

  add(found: Recorded | Unjudgeable): void {
    this.seen += 1
    if ('missing' in found) {
      const { count = 0, example = found.id } = this.#missing.get(found.missing) ?? {}
      this.#missing.set(found.missing, { count: count + 1, example })
      return
    }
    this.judged += 1
    const { id, at, decision, situation } = found
    const was = sideOf(decision)
    const becomes = sideOf(decide({ rules: this.#rules, ...situation }))
    if (was.outcome === becomes.outcome && String(was.asks) === String(becomes.asks)) return
    this.changed += 1
    const kind = `${was.outcome} → ${becomes.outcome}`
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    const { summary } = situation.facts.plan
    if (this.changes.length < mostKept) this.changes.push({ id, at, summary, was, becomes })
  }
}

function sideOf(decision: Recorded['decision']): Side {
  const { reason, requirements } = decision
  return {
    outcome: outcomeOf(decision),
    ...(reason !== '' && { reason }),
    asks: requirements.map(asked).sort(),
  }
}

function asked({ count, groups, separate }: Decision['requirements'][number]): string {
  const apart = separate === true ? ' who serve nothing else' : ''
  return `${count} of ${[...groups].sort().join(', ')}${apart}`
}

const mostShown = 50

/** For people: one change after the other, then the sums. Pure. */
export function replayLines(replay: Replay): Line[] {
  const { seen, judged, changed, changes, kinds, missing } = replay
  const more = changed - Math.min(changes.length, mostShown)
  const sums = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`)
  return [
    ...changes.slice(0, mostShown).flatMap(changeLines),
    ...(more > 0 ? [[styled('dim', `and ${more} more; -o json lists ${mostKept}`)]] : []),
    [
      changed === 0 ? styled('green', 'the same') : styled('yellow', 'would change'),
      ` — ${changed} of ${counted(judged, 'decision')} judged again, of ${counted(seen, 'intent')}`,
      sums.length === 0 ? '' : `: ${sums.join(', ')}`,
    ],
    ...missing.map(
      ({ why, count, example }): Line => [
        styled('dim', `not judged again: ${count}, ${why} (such as ${example})`),
      ],
    ),
  ]
}

function changeLines({ id, at, summary, was, becomes }: ReplayChange): Line[] {
  return [
    [styled('bold', id), `  ${at}  ${summary}`],
    ['  was      ', ...sideSpans(was)],
    ['  becomes  ', ...sideSpans(becomes)],
  ]
}

function sideSpans({ outcome, reason, asks }: Side): Line {
  const style = outcome === 'deny' ? 'red' : outcome === 'allow' ? 'green' : 'yellow'
  const who = asks.length === 0 ? '' : ` by ${asks.join(' and ')}`
  return [styled(style, outcome), who, reason === undefined ? '' : ` — ${reason}`]
}

export function replayJson({ seen, judged, changed, changes, kinds, missing }: Replay): object {
  return { seen, judged, changed, kinds, changes, missing }
}
