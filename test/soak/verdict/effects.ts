import { type Evidence, eventsOf, type History, type Violation } from './evidence.ts'
import { type Explained, planOf } from './explained.ts'

const once = 'at most one effect per intent and write'
const recorded = 'every effect is on record, and nothing is on record that was not'

/** Each planned write landed at most once, and history and audit log agree which did. */
export function effectFaults(
  { histories }: Pick<Evidence, 'histories'>,
  explained: readonly Explained[],
): Violation[] {
  const landed = Map.groupBy(explained, keyOf)
  const violations: Violation[] = []
  for (const [key, writes] of landed) {
    if (writes.length < 2) continue
    const audits = writes.map(({ write }) => write.auditId).join(', ')
    violations.push({ promise: once, what: `${key} landed ${writes.length} times: ${audits}` })
  }
  for (const history of histories) {
    const foundGone = foundGoneIn(history)
    for (const [key, auditIds] of recordedIn(history)) {
      if (auditIds.length > 1) {
        violations.push({ promise: once, what: `${key} is on record ${auditIds.length} times` })
      }
      const seen = landed.get(key)?.map(({ write }) => write.auditId) ?? []
      const [auditId] = auditIds
      if (seen.length === 0) {
        if (foundGone.has(key)) continue
        violations.push({ promise: recorded, what: `${key} is on record, and no write landed` })
      } else if (auditId !== undefined && !seen.includes(auditId)) {
        violations.push({ promise: recorded, what: `${key} is on record as another request` })
      }
      landed.delete(key)
    }
  }
  for (const key of landed.keys()) {
    violations.push({ promise: recorded, what: `${key} landed, and is on record nowhere` })
  }
  return violations
}

function keyOf({ intent, planned, undo }: Pick<Explained, 'intent' | 'planned' | 'undo'>): string {
  return `${undo ? 'undo of ' : ''}${planned.id} of \`${intent}\``
}

/** What the history says was applied, each with the audit ids it names (undefined: told by reading). */
function recordedIn(history: History): Map<string, (string | undefined)[]> {
  const found = new Map<string, (string | undefined)[]>()
  const add = (undo: boolean, write: string, auditId: string | undefined) => {
    const key = `${undo ? 'undo of ' : ''}${write} of \`${history.id}\``
    found.set(key, [...(found.get(key) ?? []), auditId])
  }
  for (const { data } of eventsOf(history, 'written')) {
    if (data.outcome === 'applied') add(false, data.write, data.auditId)
  }
  for (const { data } of eventsOf(history, 'undone')) {
    // nothing is sent where nothing had landed, or where it was taken back already
    if (data.outcome === 'applied' && data.attempt > 0) add(true, data.write, data.auditId)
  }
  return found
}

/** Evictions of Pods that were found gone: more is not claimed of them. */
function foundGoneIn(history: History): ReadonlySet<string> {
  const writes = planOf(history)?.writes ?? []
  const evictions = new Set(writes.filter(({ verb }) => verb === 'evict').map(({ id }) => id))
  const gone = eventsOf(history, 'written').filter(
    ({ data }) => data.settled === 'by_reading' && evictions.has(data.write),
  )
  return new Set(gone.map(({ data }) => `${data.write} of \`${history.id}\``))
}
