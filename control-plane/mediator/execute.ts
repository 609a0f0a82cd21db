import type { PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { attemptWrite } from './attempt.ts'
import { dispatched } from './dispatch.ts'
import { entryFor, identityOf, isStop, judgeNow } from './judgement.ts'
import { end } from './leaves.ts'
import { changed } from './obsolescence.ts'
import type { Ports } from './ports.ts'
import { approvedPlan, hasWritten } from './progress.ts'
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
    return write(record, open, ports)
  },
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
  const judged = await judgeNow(record, ports)
  const obsolete = changed(record, judged, ports)
  if (obsolete !== undefined) return notWritten(record, ports, 'write_conflict', obsolete.message)
  if (isStop(judged)) return notWritten(record, ports, judged.stop, judged.message)
  if (judged.decision.effect === 'deny') {
    return notWritten(record, ports, 'denied', judged.decision.reason)
  }
  return dispatched(record, judged, attempt, ports)
}

function notWritten(
  record: IntentRecord,
  ports: Ports,
  reason: Ending['reason'],
  message: string,
): Step {
  const at = { clusterUid: ports.clusterUid, at: ports.clock.now() }
  if (!hasWritten(record)) return end(record, at, 'execute', { phase: 'failed', reason, message })
  return next({ type: 'undoing', at: rfc3339(at.at), data: { reason, message } })
}

function executed(record: IntentRecord, ports: Ports): Step {
  const now = ports.clock.now()
  const { claims, agent } = record.authenticated
  const own = entryFor(claims.action, ports)?.verifySeconds ?? 120
  const ceiling = ports.cluster.class(agent.class)?.spec.verifySeconds ?? own
  const verifyBefore = rfc3339(now + Math.min(own, ceiling) * 1000)
  return next({ type: 'executed', at: rfc3339(now), data: { verifyBefore } })
}
