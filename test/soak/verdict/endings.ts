import { type Book, type Evidence, eventsOf, type History, type Violation } from './evidence.ts'
import { type Explained, executorClass } from './explained.ts'

const oneEnd = 'exactly one terminal phase'
const kept = 'what was taken is on record'
const never = 'what must be refused has no effect'
const approvals = 'what needs approval was approved by people, for this digest'
const allowed = 'no write without an allowing decision'

/** What each history has to say for itself, and about what our people know. */
export function endingFaults({
  histories,
  book,
}: Pick<Evidence, 'histories' | 'book'>): Violation[] {
  const known = new Set(histories.map(({ id }) => id))
  const lost = [...book.taken].filter((id) => !known.has(id))
  return [
    ...lost.map((id) => ({ promise: kept, what: `\`${id}\` was taken and is not on record` })),
    ...book.letIn.map((what) => ({ promise: never, what })),
    ...histories.flatMap((history) => [
      ...endsOnce(history),
      ...wasAllowed(history),
      ...wasApproved(history, book),
      ...wasForbidden(history, book),
    ]),
  ]
}

function endsOnce({ id, events }: History): Violation[] {
  const ends = events.filter(({ type }) => type === 'ended').length
  if (ends === 1 && events.at(-1)?.type === 'ended') return []
  const course = events.map(({ type }) => type).join(' ')
  return [{ promise: oneEnd, what: `\`${id}\` ended ${ends} times: ${course}` }]
}

function wasAllowed(history: History): Violation[] {
  const { id } = history
  return eventsOf(history, 'dispatched')
    .filter(({ data }) => data.decision.effect !== 'allow')
    .map(() => ({ promise: allowed, what: `\`${id}\` was dispatched and denied` }))
}

function wasApproved(history: History, { verdicts }: Book): Violation[] {
  const { id } = history
  return eventsOf(history, 'dispatched').flatMap(({ data: { decision, digest } }) => {
    if (decision.requirements.length === 0) return []
    const given = verdicts.filter((one) => one.intent === id)
    const yes = given.some((one) => one.verdict === 'approve' && one.digest === digest)
    return yes ? [] : [{ promise: approvals, what: `\`${id}\` was dispatched, nobody approved it` }]
  })
}

function wasForbidden(history: History, { forbidden }: Book): Violation[] {
  const why = forbidden.get(history.id)
  if (why === undefined || eventsOf(history, 'dispatched').length === 0) return []
  return [{ promise: never, what: `\`${history.id}\` (${why}) was dispatched` }]
}

const stopped = 'a stop is not passed'

/** How late after a stop a write still came, by at most `graceMs`; later is a violation. */
export function stopFaults(
  { book }: Pick<Evidence, 'book'>,
  explained: readonly Explained[],
  graceMs: number,
): { readonly violations: readonly Violation[]; readonly latestMs: number } {
  let latestMs = 0
  const violations: Violation[] = []
  for (const one of explained) {
    for (const stop of book.stops) {
      const { receivedAt } = one.write
      const standing = receivedAt > stop.from && receivedAt < (stop.until ?? Infinity)
      if (!standing || !covers(stop, one)) continue
      const late = receivedAt - stop.from
      latestMs = Math.max(latestMs, late)
      if (late <= graceMs) continue
      const what = `\`${one.intent}\` wrote ${Math.round(late)} ms after ${stop.name} stood`
      violations.push({ promise: stopped, what })
    }
  }
  return { violations, latestMs }
}

function covers(stop: Book['stops'][number], { write, planned, undo }: Explained): boolean {
  if (undo && stop.undo === 'allow' && stop.scope !== 'namespace') return false
  const { kind, namespace = '', name } = planned.object
  switch (stop.scope) {
    case 'class':
      return executorClass(write.user) === stop.of
    case 'agent':
      return write.extra['jackstay.dev/agent']?.[0] === stop.of
    case 'action':
      return write.extra['jackstay.dev/action']?.[0] === stop.of
    case 'target':
      return `${kind} ${namespace}/${name}` === stop.of
    case 'namespace':
      return namespace === stop.of
  }
}
