import type { Binding, EventData } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { clearance } from './clearance/clearance.ts'
import type { Judgement } from './line/judgement.ts'
import { sendOf } from './line/progress.ts'
import { next, rfc3339, type Stage, type Step, wait } from './line/step.ts'
import { dispatchLeaf, end, moment } from './memory/leaves.ts'
import type { Ports } from './ports.ts'

/** A place among the changes under way is looked for this often. */
const placeMs = 1_000

/**
 * Everything again, on the live state: suspension, key, class, rules, digest, approvals. What
 * passes is bound to uid and resourceVersion, and recorded before the first write.
 */
export const dispatch: Stage = {
  name: 'dispatch',
  async run(record, ports) {
    const judged = await clearance(record, ports)
    if ('phase' in judged) return end(record, moment(ports), 'dispatch', judged)
    const { limits } = judged.class.spec
    if (!ports.spending.place(record, limits)) {
      // one that people approved is not refused because another takes its time
      return wait({ on: ['suspensions'], at: ports.clock.now() + placeMs })
    }
    // nothing is awaited from here to the event: of two intents one sees what the other spent
    const beyond = ports.spending.spend(record, judged.plan, limits)
    if (beyond === undefined) return dispatched(record, judged, boundBy(judged), ports)
    const { refused: reason, message } = beyond
    return end(record, moment(ports), 'dispatch', { phase: 'refused', reason, message })
  },
}

/** Every write bound to its object exactly as it was judged. */
export function boundBy({ plan, versions }: Judgement): readonly Binding[] {
  return plan.writes.flatMap((write) => {
    if (write.verb === 'create') return []
    const resourceVersion = versions.get(write.id) ?? ''
    return [{ write: write.id, uid: write.object.uid, resourceVersion }]
  })
}

/** What may be written next, and by which judgement: on record before it is written. */
export function dispatched(
  record: IntentRecord,
  { plan, digest, decision }: Judgement,
  bindings: readonly Binding[],
  ports: Ports,
): Step {
  const at = moment(ports)
  const attempt = (record.dispatched?.attempt ?? 0) + 1
  const data: EventData<'dispatched'> = { attempt, digest, decision, bindings: [...bindings] }
  const leaf = dispatchLeaf(record, at, plan, data)
  ports.unsent.add(sendOf(attempt, { undo: false }))
  return next({ type: 'dispatched', at: rfc3339(at.at), data }, leaf)
}
