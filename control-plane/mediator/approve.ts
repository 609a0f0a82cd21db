import { assertNever } from '@jackstay/contract/errors'
import type { CountedApproval } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { approvalsFor, count, counted } from './clearance/approvals.ts'
import { obsolescence } from './clearance/obsolescence.ts'
import { type Ending, next, rfc3339, type Stage, type Step, wait } from './line/step.ts'
import { approvalLeaf, end, moment } from './memory/leaves.ts'
import type { Ports } from './ports.ts'

/** Something the digest covers may move without waking us (another kind, say): look this often. */
const recheckMs = 30_000
/** A flapping target must not cost a dry-run at each of its moves: nobody is harmed by two seconds. */
const settleMs = 2_000

/** Waits for people to say yes or no to exactly this digest; nobody approves a dead one. */
export const approve: Stage = {
  name: 'approve',
  async run(record, ports) {
    const { rehearsed } = record
    if (rehearsed === undefined) throw new TypeError('approve without a rehearsal')
    const now = ports.clock.now()
    const at = { clusterUid: ports.clusterUid, at: now }
    const ends = (ending: Ending) => end(record, at, 'approve', ending)
    const { requirements } = rehearsed.decision
    const outcome = count(record, requirements, rehearsed.digest, ports)
    switch (outcome.state) {
      case 'rejected':
        return ends({
          phase: 'rejected',
          reason: 'rejected',
          message: `\`${outcome.by}\` rejected the operation`,
          approvals: approvalsFor(record, ports)
            .slice(0, 16)
            .map((a) => counted(a, requirements)),
        })
      case 'expired':
        return ends({
          phase: 'expired',
          reason: 'approval_expired',
          message: `not enough approvals before ${rehearsed.approveBefore}`,
        })
      case 'met':
        return approved(
          record,
          outcome.counted.map((a) => counted(a, requirements)),
          ports,
        )
      case 'waiting': {
        const dead = await obsolescence(record, ports)
        if (dead !== undefined) return ends({ phase: 'obsolete', ...dead })
        const expiry = Date.parse(rehearsed.approveBefore ?? rfc3339(now))
        return wait({
          on: ['approvals', 'target', 'suspensions'],
          at: expiry + 1,
          recheckMs,
          settleMs,
        })
      }
      default:
        return assertNever(outcome)
    }
  },
}

function approved(record: IntentRecord, approvals: readonly CountedApproval[], ports: Ports): Step {
  const { rehearsed } = record
  if (rehearsed === undefined) throw new TypeError('approved without a rehearsal')
  const at = moment(ports)
  const data = { digest: rehearsed.digest, approvals: [...approvals] }
  const event = { type: 'approved', at: rfc3339(at.at), data } as const
  return next(event, approvalLeaf(record, at, data))
}
