import { type IntentView, intentView } from '@jackstay/contract/api'
import type { Decision } from '@jackstay/contract/decision'
import type { Grounds } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { readGrounds } from '@jackstay/judge/grounds'
import { recordOf } from './intents.ts'
import { type Situation, situationOf } from './policy-cases.ts'

/** A decision of the line, and the situation it was made in. */
export interface Recorded {
  readonly id: string
  readonly at: string
  readonly decision: Decision
  readonly situation: Situation
}

/** Why a recorded intent cannot be judged again. */
export interface Unjudgeable {
  readonly id: string
  readonly missing: string
}

/** The newest decision of an intent with everything it rests on besides the rules. */
export function recordedOf(record: IntentRecord): Recorded | Unjudgeable {
  const { id, ended, rehearsed, decided } = record
  const made = [ended, rehearsed, decided].find((part) => part?.decision !== undefined)
  const { decision, grounds, at } = made ?? {}
  if (decision === undefined || at === undefined) {
    return { id, missing: `no rule was asked: it ended ${ended?.reason ?? 'nowhere yet'}` }
  }
  const read = readGrounds(grounds)
  if ('missing' in read) return { id, missing: read.missing }
  return { id, at, decision, situation: situationOf(read.facts, approvalOf(grounds)) }
}

function approvalOf(grounds: Grounds | undefined): Grounds['defaultApproval'] {
  return grounds?.defaultApproval ?? { count: 0, groups: [] }
}

/** What `jackstay intents get ID -o json` prints, if it is that. */
export function viewOf(value: unknown): IntentView | undefined {
  const read = intentView.safeParse(value)
  return read.success ? read.data : undefined
}

export function recordedView(view: IntentView): Recorded | Unjudgeable {
  return recordedOf(recordOf(view))
}
