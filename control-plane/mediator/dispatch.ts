import type { EventData, Reason, TerminalPhase } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { count } from './approvals.ts'
import { granted } from './grant.ts'
import { isStop, type Judgement, judgeNow } from './judgement.ts'
import { dispatchLeaf, end } from './leaves.ts'
import { changed } from './obsolescence.ts'
import type { Ports } from './ports.ts'
import { next, rfc3339, type Stage, type Step } from './step.ts'
import { suspended } from './suspended.ts'

type No = { readonly phase: TerminalPhase; readonly reason: Reason; readonly message: string }

/**
 * Everything again, on the live state: suspension, key, class, rules, digest, approvals. What
 * passes is bound to uid and resourceVersion, and recorded before the first write.
 */
export const dispatch: Stage = {
  name: 'dispatch',
  async run(record, ports) {
    const early = stillWanted(record, ports)
    const judged = early ?? (await judgeNow(record, ports))
    const no = 'phase' in judged ? judged : stillSame(record, judged, ports)
    const at = { clusterUid: ports.clusterUid, at: ports.clock.now() }
    if (no !== undefined) return end(record, at, 'dispatch', no)
    if ('phase' in judged || isStop(judged)) throw new TypeError('a refusal that does not refuse')
    return dispatched(record, judged, 1, ports)
  },
}

function stillWanted(record: IntentRecord, ports: Ports): No | undefined {
  const { agent } = record.authenticated
  const stop = suspended(record, ports, { undo: false })
  if (stop !== undefined) return { phase: 'refused', reason: 'suspended', message: stop }
  if (ports.cluster.key(agent.kid)?.revoked !== false) {
    const message = 'the key that signed the intent is revoked or gone'
    return { phase: 'refused', reason: 'key_revoked', message }
  }
  const found = ports.cluster.class(agent.class)
  const grant = found && granted(found, ports.cluster, ports.clock)
  if (grant?.granted !== true) {
    const message = grant?.message ?? `the class \`${agent.class}\` is gone`
    return { phase: 'refused', reason: 'class_not_granted', message }
  }
  return undefined
}

/** Nothing that people approved moved, the live rules still allow, and the approvals still stand. */
function stillSame(
  record: IntentRecord,
  judged: Exclude<Awaited<ReturnType<typeof judgeNow>>, never>,
  ports: Ports,
): No | undefined {
  const obsolete = changed(record, judged, ports)
  if (obsolete !== undefined) return { phase: 'obsolete', ...obsolete }
  if (isStop(judged)) return { phase: 'refused', reason: judged.stop, message: judged.message }
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

/** Binds every write that has not landed to the object exactly as it was judged. */
export function dispatched(
  record: IntentRecord,
  judged: Judgement,
  attempt: number,
  ports: Ports,
): Step {
  const at = { clusterUid: ports.clusterUid, at: ports.clock.now() }
  const { decision, digest } = judged
  const bindings = judged.plan.writes.map((write) => ({
    write: write.id,
    uid: write.object.uid,
    resourceVersion: judged.versions.get(write.id) ?? '',
  }))
  const data: EventData<'dispatched'> = { attempt, digest, decision, bindings }
  const leaf = dispatchLeaf(record, at, judged.plan, data)
  return next({ type: 'dispatched', at: rfc3339(at.at), data }, leaf)
}
