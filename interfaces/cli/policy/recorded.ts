import { type IntentView, intentView } from '@jackstay/contract/api'
import { approvalRequirement, type Decision } from '@jackstay/contract/decision'
import { type Grounds, grounds, type IntentEvent, readEvent } from '@jackstay/contract/history'
import { fold, type IntentRecord } from '@jackstay/contract/record'
import { digest } from '@jackstay/contract/text'
import { readGrounds } from '@jackstay/judge/grounds'
import type { StoredHistory } from '@jackstay/ledger/histories'
import { opens } from '@jackstay/ledger/sealed'
import { z } from 'zod'
import { recordOf } from '../intents.ts'
import { type Situation, situationOf } from './cases.ts'

/** A decision of the line, and the situation it was made in. */
export interface Recorded {
  readonly id: string
  readonly at: string
  readonly decision: Pick<Decision, 'effect' | 'reason' | 'requirements'>
  readonly situation: Situation
}

/** Why a recorded intent cannot be judged again. */
export interface Unjudgeable {
  readonly id: string
  readonly missing: string
}

/** The newest decision of an intent with everything it rests on besides the rules. */
function recordedOf(record: IntentRecord): Recorded | Unjudgeable {
  const { id, ended, rehearsed, decided } = record
  const made = [ended, rehearsed, decided].find((part) => part?.decision !== undefined)
  if (made?.decision === undefined) return { id, missing: 'no rule was asked' }
  if (made.redacted?.facts !== undefined) return { id, missing: 'the facts were erased' }
  return judgeable(id, made.at, made.decision, made.grounds)
}

function judgeable(
  id: string,
  at: string,
  decision: Recorded['decision'],
  kept: Grounds | undefined,
): Recorded | Unjudgeable {
  const read = readGrounds(kept)
  if ('missing' in read) return { id, missing: read.missing }
  const defaultApproval = kept?.defaultApproval ?? { count: 0, groups: [] }
  return { id, at, decision, situation: situationOf(read.facts, defaultApproval) }
}

/** What `jackstay intents get ID -o json` prints, if it is that. */
export function viewOf(value: unknown): IntentView | undefined {
  const read = intentView.safeParse(value)
  return read.success ? read.data : undefined
}

export function recordedView(view: IntentView): Recorded | Unjudgeable {
  return recordedOf(recordOf(view))
}

/** @throws when the history is damaged */
export function recordedHistory({ id, events }: StoredHistory): Recorded | Unjudgeable {
  const read = events.map(({ type, at, data }): IntentEvent => readEvent({ type, at, data }))
  return recordedOf(fold(id, read))
}

/** A line of the `leaves.jsonl` of a bundle, as far as a decision goes. */
const decisionLine = z.object({
  kind: z.literal('decision'),
  intent: z.string(),
  sealed: z.object({ facts: digest }).optional(),
  data: z.object({
    time: z.string(),
    data: z.object({
      decision: z.object({
        effect: z.enum(['allow', 'deny']),
        requirements: z.array(approvalRequirement),
      }),
    }),
  }),
  values: z
    .object({ facts: z.object({ salt: z.string(), value: z.json() }).optional() })
    .optional(),
})

/** The decision of a leaf, or undefined where the leaf is none or no rule was asked. */
export function recordedLeaf(line: unknown): Recorded | Unjudgeable | undefined {
  const read = decisionLine.safeParse(line)
  if (!read.success) return undefined
  const { intent: id, sealed, data, values } = read.data
  const { effect, requirements } = data.data.decision
  const facts = values?.facts
  if (facts === undefined) return { id, missing: 'the bundle does not hold the facts' }
  if (sealed === undefined || !opens(sealed.facts, facts)) {
    return { id, missing: 'the facts are not the ones that the leaf commits to' }
  }
  const kept = grounds.safeParse(facts.value)
  // the reason is among the words, which a bundle need not have
  return judgeable(id, data.time, { effect, requirements, reason: '' }, kept.data)
}
