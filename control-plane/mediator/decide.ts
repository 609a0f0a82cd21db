import { isRefusal } from '@jackstay/actions/action'
import { mayWrite } from './clearance/gates.ts'
import { decideNow } from './line/judgement.ts'
import { next, rfc3339, type Stage } from './line/step.ts'
import { end, moment } from './memory/leaves.ts'

/** The rules over intent, plan and facts. What no rule allows is denied. */
export const decide: Stage = {
  name: 'decide',
  onlyLooks: true,
  async run(record, ports) {
    const { planned } = record
    if (planned === undefined) throw new TypeError('decide without a plan')
    const at = moment(ports)
    // admit knew the target alone; by now every namespace is known that the plan writes in
    const may = mayWrite(record, ports)
    if (isRefusal(may)) {
      const { refused: reason, message } = may
      return end(record, at, 'decide', { phase: 'refused', reason, message })
    }
    const { decision, grounds } = await decideNow(record, planned.plan, ports)
    if (decision.effect === 'deny') {
      return end(record, at, 'decide', {
        phase: 'refused',
        reason: 'denied',
        message: decision.reason,
        decision,
        grounds,
      })
    }
    const { limits } = may.class.spec
    // nobody is asked about what could not be dispatched; dispatch asks again, and spends
    const beyond = ports.spending.refusal(record, planned.plan, limits)
    if (beyond !== undefined) {
      const { refused: reason, message } = beyond
      const ending = { phase: 'refused', reason, message, decision, grounds } as const
      return end(record, at, 'decide', ending)
    }
    return next({ type: 'decided', at: rfc3339(at.at), data: { decision, grounds } })
  },
}
