import { isStop, planNow } from './line/judgement.ts'
import { next, rfc3339, type Stage } from './line/step.ts'
import { end, moment } from './memory/leaves.ts'

/** The action reckons its writes from facts the control plane read itself. */
export const plan: Stage = {
  name: 'plan',
  onlyLooks: true,
  async run(record, ports) {
    const planned = await planNow(record, ports)
    const at = moment(ports)
    if (isStop(planned)) {
      return end(record, at, 'plan', {
        phase: 'refused',
        reason: planned.stop,
        message: planned.message,
      })
    }
    return next({ type: 'planned', at: rfc3339(at.at), data: { plan: planned } })
  },
}
