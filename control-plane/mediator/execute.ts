import type { PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import { attemptWrite } from './attempt.ts'
import { dispatched, judgeAgain } from './dispatch.ts'
import { entryFor, identityOf } from './judgement.ts'
import { end, moment } from './leaves.ts'
import type { Ports } from './ports.ts'
import { approvedPlan, hasWritten } from './progress.ts'
import { fieldManager, landed } from './settle.ts'
import { type Ending, next, rfc3339, type Stage, type Step } from './step.ts'

/** A target that moves faster than this is not ours to chase. */
const maxAttempts = 10

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
      return last.outcome === 'refused'
        ? notWritten(record, ports, 'write_refused', last.message ?? 'the API server refused')
        : rebind(record, ports)
    }
    return isFresh(record, ports) ? write(record, open, ports) : resume(record, open, ports)
  },
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
  const found = await ports.targets.read(open.object)
  const manager = fieldManager(record.id, false)
  if (found === undefined || !landed(found, open, manager)) return rebind(record, ports)
  const attempt = record.dispatched?.attempt ?? 1
  const told = { outcome: 'applied', settled: 'by_reading' } as const
  const data = { write: open.id, attempt, ...told }
  return next({ type: 'written', at: rfc3339(ports.clock.now()), data })
}

async function write(record: IntentRecord, open: PlannedWrite, ports: Ports): Promise<Step> {
  const { dispatched: latest } = record
  const bound = latest?.bindings.find((b) => b.write === open.id)
  if (latest === undefined || bound === undefined) throw new TypeError('a write nobody dispatched')
  const identity = identityOf(record, approvedPlan(record), false)
  const attempted = await attemptWrite(open, open, bound, identity, ports)
  return next({
    type: 'written',
    at: rfc3339(ports.clock.now()),
    data: { write: open.id, attempt: latest.attempt, ...attempted },
  })
}

/**
 * The object moved. If nothing that was approved moved with it, the write is bound and recorded
 * anew; a multi-write plan that already wrote is taken back instead, since its own writes moved it.
 */
async function rebind(record: IntentRecord, ports: Ports): Promise<Step> {
  const attempt = (record.dispatched?.attempt ?? 0) + 1
  if (attempt > maxAttempts || hasWritten(record)) {
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

function notWritten(
  record: IntentRecord,
  ports: Ports,
  reason: Ending['reason'],
  message: string,
): Step {
  const at = moment(ports)
  if (!hasWritten(record)) return end(record, at, 'execute', { phase: 'failed', reason, message })
  return next({ type: 'undoing', at: rfc3339(at.at), data: { reason, message: visible(message) } })
}

function executed(record: IntentRecord, ports: Ports): Step {
  const now = ports.clock.now()
  const { claims, agent } = record.authenticated
  const own = entryFor(claims.action, ports)?.verifySeconds ?? 120
  const ceiling = ports.cluster.class(agent.class)?.spec.verifySeconds ?? own
  const verifyBefore = rfc3339(now + Math.min(own, ceiling) * 1000)
  return next({ type: 'executed', at: rfc3339(now), data: { verifyBefore } })
}
