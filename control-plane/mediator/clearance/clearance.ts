import { isRefusal } from '@jackstay/actions/action'
import type { Reason, TerminalPhase } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { latest } from '../limits/latest.ts'
import { executionEnds } from '../line/deadlines.ts'
import { isStop, type Judgement, judgeNow, judgeRest, type Stop } from '../line/judgement.ts'
import { hasWritten } from '../line/progress.ts'
import type { ClassView, Ports } from '../ports.ts'
import { count } from './approvals.ts'
import { mayWrite } from './gates.ts'
import { alertResolved, changed } from './obsolescence.ts'

export interface No {
  readonly phase: TerminalPhase
  readonly reason: Reason
  readonly message: string
}

/** A judgement, and the class as it is now. */
export interface Cleared extends Judgement {
  readonly class: ClassView
}

/** How long after its deadline an approved or unapproved intent may still be dispatched. */
const graceMs = 60_000

/**
 * Whether the next write may be made, by everything that holds now; or why not. Dispatch asks before
 * the first write, execute before every further one: the same list, so that nothing which would have
 * stopped a plan is overlooked because it has begun.
 */
export async function clearance(record: IntentRecord, ports: Ports): Promise<Cleared | No> {
  const late = tooLate(record, ports)
  if (late !== undefined) return late
  const may = mayWrite(record, ports)
  if (isRefusal(may)) return { phase: 'refused', reason: may.refused, message: may.message }
  // one that opened while people looked; whoever has the place of the probe keeps it
  const broken = await ports.breakers.gate(record)
  if (broken !== undefined) {
    return { phase: 'refused', reason: broken.refused, message: broken.message }
  }
  // its alert may have resolved since people approved: nobody was asked about a cluster that is well
  if (await alertResolved(record, ports)) {
    const message = `the alert resolved before ${hasWritten(record) ? 'the next write' : 'the operation was dispatched'}`
    return { phase: 'obsolete', reason: 'trigger_resolved', message }
  }
  // its own writes moved the cluster, so that a plan which has begun cannot be made anew
  const judged = hasWritten(record) ? await judgeRest(record, ports) : await judgeNow(record, ports)
  const no = stillSame(record, judged, ports)
  if (no !== undefined) return no
  return isStop(judged)
    ? { phase: 'refused', reason: judged.stop, message: judged.message }
    : { ...judged, class: may.class }
}

/** What is begun in time may go on until its own end. */
function tooLate(record: IntentRecord, ports: Ports): No | undefined {
  const ends = executionEnds(record, ports)
  const now = latest(ports)
  if (ends !== undefined) {
    if (now < ends) return undefined
    const last = record.written.at(-1)
    const held = last?.outcome === 'later' || last?.outcome === 'unsent'
    const why = held && last.message !== undefined ? `: ${last.message}` : ''
    const message = `its writes took longer, all together, than the action allows${why}`
    return { phase: 'refused', reason: 'overdue', message }
  }
  const { claims } = record.authenticated
  const until = record.rehearsed?.approveBefore
  const deadline = until === undefined ? claims.exp * 1000 : Date.parse(until)
  if (now <= deadline + graceMs) return undefined
  const message = `too much time passed between the decision and its dispatch${waitedFor(record, ports)}`
  return until === undefined
    ? { phase: 'refused', reason: 'not_fresh', message }
    : { phase: 'expired', reason: 'approval_expired', message }
}

/** An intent that ends by its lifetime says what it waited for until then. */
function waitedFor(record: IntentRecord, ports: Ports): string {
  const limits = ports.cluster.class(record.authenticated.agent.class)?.spec.limits
  if (limits === undefined || ports.spending.place(record, limits)) return ''
  return `: it waited for a place, and ${limits.concurrent} changes of the class are under way`
}

/** Nothing that people approved moved, the live rules still allow, and the approvals still stand. */
function stillSame(record: IntentRecord, judged: Judgement | Stop, ports: Ports): No | undefined {
  const obsolete = changed(record, judged, ports)
  if (obsolete !== undefined) return { phase: 'obsolete', ...obsolete }
  if (isStop(judged)) return undefined
  const { decision, digest } = judged
  const begun = hasWritten(record)
  const asked = [...(record.rehearsed?.decision.requirements ?? []), ...decision.requirements]
  // who was asked may say no also where nobody would be asked by now
  const said = asked.length > 0 ? count(record, asked, digest, ports) : undefined
  if (said?.state === 'rejected') {
    const when = begun ? 'while it was under way' : 'before it was dispatched'
    const message = `\`${said.by}\` rejected the operation ${when}`
    return { phase: 'rejected', reason: 'rejected', message }
  }
  if (decision.effect === 'deny') {
    const when = begun ? 'before the next write' : 'at dispatch'
    return { phase: 'refused', reason: 'denied', message: `${when}: ${decision.reason}` }
  }
  const { requirements } = decision
  if (requirements.length === 0 || count(record, requirements, digest, ports).state === 'met') {
    return undefined
  }
  const message = 'the approvals no longer suffice: one was removed or the rules ask for more'
  return { phase: 'obsolete', reason: 'policy_changed', message }
}
