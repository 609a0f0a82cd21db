import { assertNever } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import { entryFor } from './line/judgement.ts'
import { approvedPlan } from './line/progress.ts'
import { next, rfc3339, type Stage, wait } from './line/step.ts'
import { end } from './memory/leaves.ts'

/** Changes of the target wake the stage; this is for what the watch does not show. */
const pollMs = 2000

/** The action's own success test, watched until it holds or its deadline passes. */
export const verify: Stage = {
  name: 'verify',
  async run(record, ports) {
    const plan = approvedPlan(record)
    const entry = entryFor(plan.action, ports)
    const { executed } = record
    if (entry === undefined || executed === undefined) throw new TypeError('nothing to verify')
    const progress =
      (await entry.watch?.(plan, ports.targets)) ??
      entry.progress(plan, await ports.targets.read(plan.target))
    const now = ports.clock.now()
    const deadline = Date.parse(executed.verifyBefore)
    switch (progress.state) {
      case 'holds': {
        const at = { clusterUid: ports.clusterUid, at: now }
        const { message } = progress
        return end(record, at, 'verify', { phase: 'verified', reason: 'succeeded', message })
      }
      case 'broken':
      case 'pending': {
        if (progress.state === 'pending' && now < deadline) {
          return wait({ on: ['target'], at: Math.min(now + pollMs, deadline) })
        }
        const late = progress.state === 'pending' ? `by ${executed.verifyBefore} only: ` : ''
        const message = visible(`${late}${progress.message}`)
        const data = { reason: 'verification_failed', message } as const
        return next({ type: 'undoing', at: rfc3339(now), data })
      }
      default:
        return assertNever(progress)
    }
  },
}
