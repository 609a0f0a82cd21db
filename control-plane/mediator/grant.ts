import { systemNamespace } from '@jackstay/contract/namespaces'
import { quorum } from '@jackstay/judge/quorum'
import type { ClassView, Clock, ClusterView } from './ports.ts'

export interface Grant {
  readonly granted: boolean
  readonly message: string
}

/** A grant never expires by itself; an edit of the class ends it, and so does a rejection. */
const never = 10_000 * 365 * 24 * 3600

/** Whether enough people approved exactly this spec of the class. */
export function granted(found: ClassView, cluster: ClusterView, clock: Clock): Grant {
  const approvals = cluster
    .approvalsOf('AgentClass', found.name)
    .filter((a) => a.namespace === systemNamespace && a.subject.uid === found.uid)
  const now = clock.now()
  const outcome = quorum({
    requirements: [{ from: `class/${found.name}`, ...found.spec.grant, expiresAfter: never }],
    approvals,
    digest: found.hash,
    excluded: [],
    decidedAt: 0,
    now,
  })
  switch (outcome.state) {
    case 'met':
      return { granted: true, message: `granted for ${found.hash}` }
    case 'rejected':
      return { granted: false, message: `\`${outcome.by}\` rejected ${found.hash}` }
    default:
      return {
        granted: false,
        message: `the class \`${found.name}\` needs ${found.spec.grant.count} approval(s) of ${found.hash} by ${found.spec.grant.groups.join(', ')}`,
      }
  }
}
