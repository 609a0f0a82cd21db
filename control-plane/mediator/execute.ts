import type { EventData, Reason } from '@jackstay/contract/history'
import type { PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import { boundAnew, dispatched, judgeAgain, stopped } from './dispatch.ts'
import { entryFor, identityOf } from './judgement.ts'
import { end, moment } from './leaves.ts'
import type { Ports } from './ports.ts'
import { approvedPlan, hasWritten } from './progress.ts'
import { stands } from './settle.ts'
import { next, rfc3339, type Stage, type Step, wait } from './step.ts'
import { attempt } from './writes/attempt.ts'
import { bindingOf } from './writes/binding.ts'
import { effectOf, isGone } from './writes/effects.ts'

/** A target that moves more often than this is not ours to chase. */
const maxConflicts = 10
/** A disruption budget is asked again this often, until the action's own deadline. */
const laterMs = 5_000

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
    if (hasWritten(record) && !isFor(record, open)) return goOn(record, open, ports)
    return isFresh(record, ports) ? write(record, open, ports) : resume(record, open, ports)
  },
}

/** The newest dispatch is about this write alone, as those after the first write are. */
function isFor({ dispatched: latest }: IntentRecord, open: PlannedWrite): boolean {
  const [first, ...others] = latest?.bindings ?? []
  return first?.write === open.id && others.length === 0
}

/** The last attempt did not land. */
async function again(
  record: IntentRecord,
  open: PlannedWrite,
  last: EventData<'written'> & { readonly at: string },
  ports: Ports,
): Promise<Step> {
  if (last.outcome === 'refused') {
    return notWritten(record, ports, 'write_refused', last.message ?? 'the API server refused')
  }
  if (last.outcome === 'later') {
    const since = record.written.find((w) => w.write === open.id)?.at ?? last.at
    const now = ports.clock.now()
    if (now >= Date.parse(since) + verifyMs(record, ports)) {
      const message = `${last.message ?? 'it may not go now'}: no longer waited for`
      return notWritten(record, ports, 'write_refused', message)
    }
    const next = Date.parse(last.at) + laterMs
    if (now < next) return wait({ on: ['target', 'suspensions'], at: next })
  }
  return hasWritten(record) ? goOn(record, open, ports) : rebind(record, ports)
}

/**
 * A dispatch speaks for the state it was judged on. Beyond this, after a crash or with the API server
 * away, the world may have moved on: key revoked, rules edited, approvals gone.
 */
const freshMs = 5_000

function isFresh(record: IntentRecord, ports: Ports): boolean {
  const times = [record.dispatched, ...record.written].map((step) => Date.parse(step?.at ?? ''))
  return ports.clock.now() - Math.max(...times) <= freshMs
}

/** Takes up an old dispatch: what landed is found by reading, everything else is judged again. */
async function resume(record: IntentRecord, open: PlannedWrite, ports: Ports): Promise<Step> {
  const effect = effectOf(open, undefined, identityOf(record, approvedPlan(record), false), ports)
  const seen = await effect.look()
  if (seen.state !== 'landed') {
    return hasWritten(record) ? goOn(record, open, ports) : rebind(record, ports)
  }
  const told = { outcome: 'applied', settled: 'by_reading' } as const
  return written(record, open, { ...told, ...(seen.object && bindingOf(seen.object)) }, ports)
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
  return written(record, open, await attempt(effectOf(open, bound, identity, ports)), ports)
}

function keepsMoving(record: IntentRecord, open?: PlannedWrite): boolean {
  const conflicts = record.written.filter(
    (w) => w.outcome === 'conflict' && (open === undefined || w.write === open.id),
  )
  return conflicts.length >= maxConflicts
}

/**
 * The next write of a plan that has written already: its own writes moved the cluster, so the whole
 * cannot be judged again. What can: nothing is suspended, key, class and windows still allow it, nobody
 * turned up whom the plan did not know, and the object is as the plan saw it. Then it is bound, and
 * recorded before it is made.
 */
async function goOn(record: IntentRecord, open: PlannedWrite, ports: Ports): Promise<Step> {
  const plan = approvedPlan(record)
  const no = stopped(record, ports)
  if (no !== undefined) return notWritten(record, ports, no.reason, no.message)
  if (keepsMoving(record, open)) {
    return notWritten(record, ports, 'write_conflict', 'the object keeps moving')
  }
  const unplanned = await entryFor(plan.action, ports)?.unplanned?.(plan, ports.targets)
  if (unplanned !== undefined) return notWritten(record, ports, 'write_conflict', unplanned)
  if (open.verb === 'create') return boundAnew(record, plan, [], ports)
  const found = await ports.targets.read(open.object)
  const bound = found && bindingOf(found)
  if (open.verb === 'evict' && isGone(found, open.object.uid)) {
    return written(record, open, { outcome: 'applied', settled: 'by_reading' }, ports)
  }
  if (found === undefined || bound === undefined || !stands(found, open.before)) {
    const message = `the object of ${open.id} is not as it was when it was approved`
    return notWritten(record, ports, 'write_conflict', message)
  }
  return boundAnew(record, plan, [{ write: open.id, ...bound }], ports)
}

/**
 * The object moved. If nothing that was approved moved with it, the write is bound and recorded
 * anew.
 */
async function rebind(record: IntentRecord, ports: Ports): Promise<Step> {
  const attempt = (record.dispatched?.attempt ?? 0) + 1
  if (keepsMoving(record)) {
    return notWritten(record, ports, 'write_conflict', 'the object keeps moving')
  }
  const judged = await judgeAgain(record, ports)
  if ('phase' in judged) {
    const moved = judged.reason === 'target_changed'
    return notWritten(record, ports, moved ? 'write_conflict' : judged.reason, judged.message)
  }
  const beyond = ports.spending.spend(record, judged.plan, judged.class.spec.limits)
  if (beyond !== undefined) return notWritten(record, ports, beyond.refused, beyond.message)
  return dispatched(record, judged, attempt, ports)
}

function notWritten(record: IntentRecord, ports: Ports, reason: Reason, message: string): Step {
  const at = moment(ports)
  if (!hasWritten(record)) return end(record, at, 'execute', { phase: 'failed', reason, message })
  return next({ type: 'undoing', at: rfc3339(at.at), data: { reason, message: visible(message) } })
}

function executed(record: IntentRecord, ports: Ports): Step {
  const now = ports.clock.now()
  const verifyBefore = rfc3339(now + verifyMs(record, ports))
  return next({ type: 'executed', at: rfc3339(now), data: { verifyBefore } })
}

/** How long the action, or the class where it is stricter, waits for an effect. */
function verifyMs(record: IntentRecord, ports: Ports): number {
  const { claims, agent } = record.authenticated
  const own = entryFor(claims.action, ports)?.verifySeconds ?? 120
  const ceiling = ports.cluster.class(agent.class)?.spec.verifySeconds ?? own
  return Math.min(own, ceiling) * 1000
}
