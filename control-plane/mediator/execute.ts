import type { EventData, Reason } from '@jackstay/contract/history'
import { describeObject, type PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import { type Cleared, clearance } from './clearance/clearance.ts'
import { suspended } from './clearance/suspended.ts'
import { boundBy, dispatched } from './dispatch.ts'
import { verifyMs } from './line/deadlines.ts'
import { entryFor, identityOf } from './line/judgement.ts'
import {
  approvedPlan,
  hasWritten,
  landedWrites,
  mayHaveLanded,
  mayLandUntil,
  sendOf,
  triedAgainAt,
} from './line/progress.ts'
import { next, rfc3339, type Stage, type Step, wait } from './line/step.ts'
import { end, moment } from './memory/leaves.ts'
import type { Ports } from './ports.ts'
import { type Attempted, attempt, found } from './writes/attempt.ts'
import { bindingOf } from './writes/binding.ts'
import { effectOf, isGone } from './writes/effects.ts'
import { stands } from './writes/settle.ts'

/** A target that moves more often than this is not ours to chase. */
const maxConflicts = 10
/** A disruption budget is asked again this often, until the action's own deadline. */
const laterMs = 5_000
const laterOn = { on: ['approvals', 'suspensions', 'target'] } as const

/** The approved writes, in order, each at most once, as the executor. */
export const execute: Stage = {
  name: 'execute',
  async run(record, ports) {
    const plan = approvedPlan(record)
    const open = plan.writes.find(
      (w) => !record.written.some((r) => r.write === w.id && r.outcome === 'applied'),
    )
    if (open === undefined) return executed(record, ports)
    const last = record.written.findLast((r) => r.write === open.id)
    if (last !== undefined && last.attempt === record.dispatched?.attempt) {
      return again(record, open, last, ports)
    }
    if (isUsed(record)) return askAgain(record, open, ports)
    return isFresh(record, ports) ? write(record, open, ports) : resume(record, open, ports)
  },
}

/** Something was made of the newest dispatch: whatever comes next is asked again, and dispatched by itself. */
function isUsed({ dispatched: latest, written }: IntentRecord): boolean {
  return written.some(({ attempt }) => attempt === latest?.attempt)
}

type Receipt = IntentRecord['written'][number]

/** The last attempt did not land. */
async function again(
  record: IntentRecord,
  open: PlannedWrite,
  last: Receipt,
  ports: Ports,
): Promise<Step> {
  if (last.outcome === 'refused') {
    const message = last.message ?? 'the API server refused'
    return notWritten(record, open, ports, 'write_refused', message)
  }
  const later = laterThan(last, record)
  // one whose answer was lost may land after it was looked for last
  if (later === undefined) return resume(record, open, ports)
  const early = ports.clock.now() < later && suspended(record, ports) === undefined
  const waits = early ? wait({ ...laterOn, at: later }) : undefined
  // a no takes effect while it waits; a plan that has not begun would be rehearsed each time
  if (waits !== undefined && !hasWritten(record)) return waits
  if (waits === undefined && last.outcome === 'unsent') return resume(record, open, ports)
  return askAgain(record, open, ports, waits)
}

/** When the next attempt is due, where there is something to wait for. */
function laterThan({ outcome, at }: Receipt, { written }: IntentRecord): number | undefined {
  return outcome === 'later' ? Date.parse(at) + laterMs : triedAgainAt(written)
}

/**
 * A dispatch speaks for the state it was judged on. Beyond this, after a crash or with the API server
 * away, the world may have moved on: key revoked, rules edited, approvals gone.
 */
const freshMs = 5_000

function isFresh(record: IntentRecord, ports: Ports): boolean {
  const times = [record.dispatched, ...record.written].map((step) => Date.parse(step?.at ?? ''))
  const age = ports.clock.now() - Math.max(...times)
  // older than none: the clock was set back, and nobody knows how old it is (T09)
  return age <= freshMs && age >= -freshMs
}

/** Takes up a dispatch nobody knows the end of: what landed is found by reading, everything else is judged again. */
async function resume(record: IntentRecord, open: PlannedWrite, ports: Ports): Promise<Step> {
  const ours = await landedUnheard(record, open, ports)
  return ours === undefined ? askAgain(record, open, ports) : written(record, open, ours, ports)
}

/** What reading tells of a write whose answer nobody heard; undefined where it has not landed. */
async function landedUnheard(
  record: IntentRecord,
  open: PlannedWrite,
  ports: Ports,
): Promise<Attempted | undefined> {
  const effect = effectOf(open, undefined, identityOf(record, approvedPlan(record), false), ports)
  const seen = await effect.look()
  return seen.state === 'landed' ? found(seen, mayHaveLanded(record, open)) : undefined
}

function written(
  record: IntentRecord,
  open: PlannedWrite,
  became: Omit<EventData<'written'>, 'write' | 'attempt'>,
  ports: Ports,
): Step {
  const at = rfc3339(ports.clock.now())
  const { uid, ...others } = became
  // only of a creation it is news
  const made = open.verb === 'create' && uid !== undefined ? { uid } : {}
  const data = { write: open.id, attempt: record.dispatched?.attempt ?? 1, ...others, ...made }
  return next({ type: 'written', at, data })
}

async function write(record: IntentRecord, open: PlannedWrite, ports: Ports): Promise<Step> {
  const bound = record.dispatched?.bindings.find((b) => b.write === open.id)
  const identity = identityOf(record, approvedPlan(record), false)
  const unsent = ports.unsent.delete(sendOf(record.dispatched?.attempt ?? 0, { undo: false }))
  const became = await attempt(
    effectOf(open, bound, identity, ports),
    mayHaveLanded(record, open, unsent),
    () => suspended(record, ports),
  )
  return written(record, open, became, ports)
}

function keepsMoving(record: IntentRecord, open: PlannedWrite): boolean {
  const conflicts = record.written.filter((w) => w.outcome === 'conflict' && w.write === open.id)
  return conflicts.length >= maxConflicts
}

/**
 * Everything that dispatch asks is asked again before each further write and each further attempt.
 * Then it is bound to the object as it is now, on record, and made.
 */
async function askAgain(
  record: IntentRecord,
  open: PlannedWrite,
  ports: Ports,
  notYet?: Step,
): Promise<Step> {
  if (keepsMoving(record, open)) {
    return notWritten(record, open, ports, 'write_conflict', 'the object keeps moving')
  }
  const cleared = await clearance(record, ports)
  if ('phase' in cleared) {
    const reason = cleared.reason === 'target_changed' ? 'write_conflict' : cleared.reason
    return notWritten(record, open, ports, reason, cleared.message)
  }
  if (notYet !== undefined) return notYet
  return hasWritten(record)
    ? goOn(record, open, cleared, ports)
    : rebind(record, open, cleared, ports)
}

/**
 * Its own writes moved the cluster, so the plan cannot be made anew: instead nobody may have turned up
 * whom it did not know, and the object must be as it saw it.
 */
async function goOn(
  record: IntentRecord,
  open: PlannedWrite,
  cleared: Cleared,
  ports: Ports,
): Promise<Step> {
  const { plan } = cleared
  const unplanned = await entryFor(plan.action, ports)?.unplanned?.(plan, ports.targets)
  if (unplanned !== undefined) return notWritten(record, open, ports, 'write_conflict', unplanned)
  if (open.verb === 'create') return dispatched(record, cleared, [], ports)
  const object = await ports.targets.read(open.object)
  const bound = object && bindingOf(object)
  if (open.verb === 'evict' && isGone(object, open.object.uid)) {
    return written(record, open, { outcome: 'applied', settled: 'by_reading' }, ports)
  }
  if (object === undefined || bound === undefined || !stands(object, open.before)) {
    const message = `the object of ${open.id} is not as it was when it was approved`
    return notWritten(record, open, ports, 'write_conflict', message)
  }
  return dispatched(record, cleared, [{ write: open.id, ...bound }], ports)
}

/** Nothing was written yet, and nothing that was approved moved: the whole plan is bound anew. */
async function rebind(
  record: IntentRecord,
  open: PlannedWrite,
  cleared: Cleared,
  ports: Ports,
): Promise<Step> {
  const beyond = ports.spending.spend(record, cleared.plan, cleared.class.spec.limits)
  if (beyond !== undefined) return notWritten(record, open, ports, beyond.refused, beyond.message)
  return dispatched(record, cleared, boundBy(cleared), ports)
}

/**
 * Ends the intent, or begins to take back what it wrote: nothing leaves any more. What left without an
 * answer may have passed admission and be slow, so that it is waited for, and looked for last of all (T45).
 */
async function notWritten(
  record: IntentRecord,
  open: PlannedWrite,
  ports: Ports,
  reason: Reason,
  message: string,
): Promise<Step> {
  if (mayHaveLanded(record, open)) {
    const until = mayLandUntil(record, open)
    // the time before the look: a look that came too early is not the last one
    const early = until === undefined || ports.clock.now() < until
    const ours = await landedUnheard(record, open, ports)
    if (ours !== undefined) return written(record, open, ours, ports)
    if (until === undefined) return written(record, open, unheard(message), ports)
    if (early) return wait({ ...laterOn, at: until })
  }
  const at = moment(ports)
  if (!hasWritten(record)) return end(record, at, 'execute', { phase: 'failed', reason, message })
  const why = visible(`${lastWrite(record)}: ${message}`)
  return next({ type: 'undoing', at: rfc3339(at.at), data: { reason, message: why } })
}

/** Whoever dispatched it is gone: that it may still land is on record from now on. */
function unheard(why: string): Attempted {
  return { outcome: 'unsent', settled: 'by_reading', unanswered: true, message: visible(why) }
}

/** Where a plan stopped, in words. */
function lastWrite(record: IntentRecord): string {
  const landed = landedWrites(record)
  const last = landed.at(-1)
  if (last === undefined) throw new TypeError('nothing was written')
  const { writes } = approvedPlan(record)
  return `stopped after ${last.id} (${last.verb} ${describeObject(last.object)}), ${landed.length} of ${writes.length} writes`
}

function executed(record: IntentRecord, ports: Ports): Step {
  const now = ports.clock.now()
  const verifyBefore = rfc3339(now + verifyMs(record, ports))
  return next({ type: 'executed', at: rfc3339(now), data: { verifyBefore } })
}
