import { isRefusal } from '@jackstay/actions/action'
import type { Binding, EventData, Reason, TerminalPhase } from '@jackstay/contract/history'
import type { Plan } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { count } from './approvals.ts'
import { authorityOf } from './authority.ts'
import { isStop, type Judgement, judgeNow, type Stop } from './judgement.ts'
import { dispatchLeaf, end, moment } from './leaves.ts'
import { changed } from './obsolescence.ts'
import type { ClassView, Ports } from './ports.ts'
import { next, rfc3339, type Stage, type Step, wait } from './step.ts'
import { suspended } from './suspended.ts'
import { windowClosed } from './windows/closed.ts'

export interface No {
  readonly phase: TerminalPhase
  readonly reason: Reason
  readonly message: string
}

/** A place among the changes under way is looked for this often. */
const placeMs = 1_000
/** How long after its deadline an approved or unapproved intent may still be dispatched. */
const graceMs = 60_000

/**
 * Everything again, on the live state: suspension, key, class, rules, digest, approvals. What
 * passes is bound to uid and resourceVersion, and recorded before the first write.
 */
export const dispatch: Stage = {
  name: 'dispatch',
  async run(record, ports) {
    const judged = await judgeAgain(record, ports)
    if ('phase' in judged) return end(record, moment(ports), 'dispatch', judged)
    const { limits } = judged.class.spec
    if (!ports.spending.place(record, limits)) {
      // one that people approved is not refused because another takes its time
      return wait({ on: ['suspensions'], at: ports.clock.now() + placeMs })
    }
    // nothing is awaited from here to the event: of two intents one sees what the other spent
    const beyond = ports.spending.spend(record, judged.plan, limits)
    if (beyond === undefined) return dispatched(record, judged, 1, ports)
    const { refused: reason, message } = beyond
    return end(record, moment(ports), 'dispatch', { phase: 'refused', reason, message })
  },
}

/** A judgement, and the class as it is now. */
export interface Live extends Judgement {
  readonly class: ClassView
}

/** The judgement if the intent may be written now, by everything that holds now; or why not. */
export async function judgeAgain(record: IntentRecord, ports: Ports): Promise<Live | No> {
  const wanted = stillWanted(record, ports)
  if ('phase' in wanted) return { ...wanted, message: afterWaiting(record, wanted, ports) }
  // its alert may have resolved since people approved: nobody was asked about a cluster that is well
  const { trigger } = record.authenticated
  if (trigger !== undefined && (await ports.triggers.get(trigger.id))?.status === 'resolved') {
    const message = 'the alert resolved before the operation was dispatched'
    return { phase: 'obsolete', reason: 'trigger_resolved', message }
  }
  const judged = await judgeNow(record, ports)
  const no = stillSame(record, judged, ports)
  if (no !== undefined) return no
  return isStop(judged)
    ? { phase: 'refused', reason: judged.stop, message: judged.message }
    : { ...judged, class: wanted.class }
}

/** An intent that ends by its lifetime says what it waited for until then. */
function afterWaiting(record: IntentRecord, no: No, ports: Ports): string {
  const { message, reason } = no
  const limits = ports.cluster.class(record.authenticated.agent.class)?.spec.limits
  const late = reason === 'not_fresh' || reason === 'approval_expired'
  if (!late || limits === undefined || ports.spending.place(record, limits)) return message
  return `${message}: it waited for a place, and ${limits.concurrent} changes of the class are under way`
}

/** Nothing stops the intent's class, key and time to write. */
function mayWrite(record: IntentRecord, ports: Ports): { readonly class: ClassView } | No {
  const stop = suspended(record, ports, { undo: false })
  if (stop !== undefined) return { phase: 'refused', reason: 'suspended', message: stop }
  const closed = windowClosed(record, ports)
  if (closed !== undefined) return { phase: 'refused', reason: 'window_closed', message: closed }
  const authority = authorityOf(record, ports)
  return isRefusal(authority)
    ? { phase: 'refused', reason: authority.refused, message: authority.message }
    : authority
}

function stillWanted(record: IntentRecord, ports: Ports): { readonly class: ClassView } | No {
  const { claims } = record.authenticated
  const until = record.rehearsed?.approveBefore
  const deadline = until === undefined ? claims.exp * 1000 : Date.parse(until)
  if (!(ports.clock.now() <= deadline + graceMs)) {
    const message = 'too much time passed between the decision and its dispatch'
    return until === undefined
      ? { phase: 'refused', reason: 'not_fresh', message }
      : { phase: 'expired', reason: 'approval_expired', message }
  }
  return mayWrite(record, ports)
}

/** Nothing that people approved moved, the live rules still allow, and the approvals still stand. */
function stillSame(record: IntentRecord, judged: Judgement | Stop, ports: Ports): No | undefined {
  const obsolete = changed(record, judged, ports)
  if (obsolete !== undefined) return { phase: 'obsolete', ...obsolete }
  if (isStop(judged)) return undefined
  const { decision, digest } = judged
  if (decision.effect === 'deny') {
    return { phase: 'refused', reason: 'denied', message: `at dispatch: ${decision.reason}` }
  }
  if (decision.requirements.length > 0) {
    const outcome = count(record, decision.requirements, digest, ports)
    if (outcome.state === 'rejected') {
      const message = `\`${outcome.by}\` rejected the operation before it was dispatched`
      return { phase: 'rejected', reason: 'rejected', message }
    }
    if (outcome.state !== 'met') {
      const message = 'the approvals no longer suffice: one was removed or the rules ask for more'
      return { phase: 'obsolete', reason: 'policy_changed', message }
    }
  }
  return undefined
}

/** Whether the intent must not write any more, though nothing that people approved has changed. */
export function stopped(record: IntentRecord, ports: Ports): No | undefined {
  const { rehearsed } = record
  if (rehearsed !== undefined && rehearsed.decision.requirements.length > 0) {
    const outcome = count(record, rehearsed.decision.requirements, rehearsed.digest, ports)
    if (outcome.state === 'rejected') {
      const message = `\`${outcome.by}\` rejected the operation while it was under way`
      return { phase: 'rejected', reason: 'rejected', message }
    }
  }
  const may = mayWrite(record, ports)
  return 'phase' in may ? may : undefined
}

/** One more dispatch of what was decided and approved, for the next write of its plan. */
export function boundAnew(
  record: IntentRecord,
  plan: Plan,
  bindings: readonly Binding[],
  ports: Ports,
): Step {
  const latest = record.dispatched
  if (latest === undefined) throw new TypeError('a plan that wrote and was not dispatched')
  const at = moment(ports)
  const { attempt, digest, decision } = latest
  const data = { attempt: attempt + 1, digest, decision, bindings: [...bindings] }
  return next(
    { type: 'dispatched', at: rfc3339(at.at), data },
    dispatchLeaf(record, at, plan, data),
  )
}

/** Binds every write that has not landed to the object exactly as it was judged. */
export function dispatched(
  record: IntentRecord,
  judged: Judgement,
  attempt: number,
  ports: Ports,
): Step {
  const at = moment(ports)
  const { decision, digest } = judged
  const bindings = judged.plan.writes.flatMap((write) => {
    if (write.verb === 'create') return []
    const resourceVersion = judged.versions.get(write.id) ?? ''
    return [{ write: write.id, uid: write.object.uid, resourceVersion }]
  })
  const data: EventData<'dispatched'> = { attempt, digest, decision, bindings }
  const leaf = dispatchLeaf(record, at, judged.plan, data)
  return next({ type: 'dispatched', at: rfc3339(at.at), data }, leaf)
}
