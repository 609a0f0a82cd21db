import type { IntentSummary } from '@jackstay/contract/api'
import type { ChangeList } from '@jackstay/contract/people-api'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Changes } from '../reading/changes.ts'
import { summaryOf } from '../reading/views.ts'

const most = 2048
const perAnswer = 200
const anyIntent = 'people/intents'

/** The newest changes of all intents, for those who watch. Bounded: who is slower is told so. */
export interface Recent {
  note(record: IntentRecord): void
  after(cursor: string | undefined): ChangeList
  /** Resolves when something changed, after `ms`, or when the signal aborts. */
  next(ms: number, signal: AbortSignal): Promise<void>
}

/** `run` names this start of the program: cursors of another mean nothing here. */
export function recent(run: string, changes: Changes, now: () => number): Recent {
  const kept: IntentSummary[] = []
  let count = 0
  const cursor = (at: number) => `${run}.${at}`
  return {
    note(record) {
      kept.push(summaryOf(record, new Date(now()).toISOString()))
      count++
      if (kept.length > most) kept.shift()
      changes.notify(anyIntent)
    },
    after(given) {
      // who asks for the first time sees what happens from now on
      if (given === undefined) return { changes: [], next: cursor(count), missed: false }
      const from = positionIn(given, run)
      const oldest = count - kept.length
      if (from === undefined || from > count) {
        return { changes: [], next: cursor(count), missed: true }
      }
      const start = Math.max(from, oldest)
      const shown = kept.slice(start - oldest, start - oldest + perAnswer)
      return { changes: shown, next: cursor(start + shown.length), missed: from < oldest }
    },
    next: (ms, signal) => changes.next(anyIntent, ms, signal),
  }
}

function positionIn(cursor: string, run: string): number | undefined {
  const [of, at] = cursor.split('.')
  const position = Number(at)
  return of === run && Number.isSafeInteger(position) && position >= 0 ? position : undefined
}
