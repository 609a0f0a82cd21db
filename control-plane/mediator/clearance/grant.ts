import { systemNamespace } from '@jackstay/contract/namespaces'
import { quorum } from '@jackstay/judge/quorum'
import type { ApprovalView, ClassView, ClusterView } from '../ports.ts'
import type { WindowView } from '../windows/window-view.ts'
import { asOneOperator } from './one-operator.ts'

export interface Grant {
  readonly granted: boolean
  readonly message: string
}

/** A grant never expires by itself; an edit of the subject ends it, and so does a rejection. */
const never = 10_000 * 365 * 24 * 3600

interface Subject {
  /** In words, such as \`the class \`sre\`\`. */
  readonly words: string
  readonly from: string
  readonly uid: string
  readonly hash: ClassView['hash']
  readonly grant: { readonly count: number; readonly groups: readonly string[] }
  readonly excluded: readonly string[]
}

/** Whether enough people approved exactly this spec of the class. */
export function granted(
  { name, uid, hash, spec }: ClassView,
  cluster: Pick<ClusterView, 'approvalsOf'>,
  oneOperator: boolean,
): Grant {
  const subject = { uid, hash, grant: spec.grant, excluded: [] }
  const words = { words: `the class \`${name}\``, from: `class/${name}` }
  return grantOf({ ...subject, ...words }, cluster.approvalsOf('AgentClass', name), oneOperator)
}

/** Whether enough people, its maker not counted, approved a break-glass window; others need nobody. */
export function windowGrant(
  { name, uid, hash, window }: WindowView,
  approvalsOf: ClusterView['approvalsOf'],
  oneOperator: boolean,
): Grant | undefined {
  const { effect, grant, madeBy } = window.spec
  if (effect !== 'breakGlass') return undefined
  if (grant === undefined || madeBy === undefined) {
    return { granted: false, message: 'it cannot be read, so nobody can approve it' }
  }
  const excluded = oneOperator ? [] : [madeBy]
  const words = { words: `the break-glass window \`${name}\``, from: `changewindow/${name}` }
  const subject = { uid, hash, grant, excluded, ...words }
  return grantOf(subject, approvalsOf('ChangeWindow', name), oneOperator)
}

function grantOf(subject: Subject, given: readonly ApprovalView[], oneOperator: boolean): Grant {
  const { words, from, uid, hash, grant, excluded } = subject
  const full = { from, count: grant.count, groups: [...grant.groups], expiresAfter: never }
  const { requirements, waived } = asOneOperator([full], oneOperator)
  const [needed = full] = requirements
  const outcome = quorum({
    requirements,
    approvals: given.filter((a) => a.namespace === systemNamespace && a.subject.uid === uid),
    digest: hash,
    excluded,
    decidedAt: 0,
    // nothing about a grant goes by the clock
    now: 0,
  })
  const mode = waived.length > 0 ? ` (${waived.join('; ')})` : ''
  switch (outcome.state) {
    case 'met':
      return { granted: true, message: `granted for ${hash}${mode}` }
    case 'rejected':
      return { granted: false, message: `\`${outcome.by}\` rejected ${hash}` }
    default: {
      const groups = grant.groups.join(', ')
      const but = excluded.length > 0 ? ` but ${excluded.join(', ')}` : ''
      const message = `${words} needs ${needed.count} approval(s) of ${hash} by ${groups}${but}${mode}`
      return { granted: false, message }
    }
  }
}
