import { type Digest, digestOf } from '@jackstay/contract/json'
import {
  type ApprovalSpec,
  type ApprovalSubject,
  approval,
  approvalSpec,
} from '@jackstay/contract/kinds/approval'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'

export type Verdict = ApprovalSpec['verdict']

/** What a person says yes or no to. */
export interface Subject {
  readonly kind: ApprovalSubject
  readonly name: string
  readonly uid: string
  /** Where an Approval of it lies. */
  readonly namespace: string
  readonly digest: Digest
  /** In words, groups among them: those are put first. */
  readonly needs: readonly string[]
}

/** Who the API server says the user is. */
export interface Person {
  readonly username: string
  readonly groups: readonly string[]
}

export interface ApprovalObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: ApprovalSpec
}

export const approvalResource = { apiVersion: groupVersion, resource: approval.plural }

const mostGroups = 64

/**
 * The Approval a person writes. Its name follows from subject, digest, person and verdict, so
 * saying the same thing twice is one object.
 * @throws CommandFailed when the person or the reason cannot be an approver's
 */
export function approvalObject(
  subject: Subject,
  { username, groups }: Person,
  verdict: Verdict,
  reason: string,
): ApprovalObject {
  const { kind, name, uid, namespace, digest } = subject
  if (username.startsWith('system:')) {
    throw new CommandFailed(
      exitCodes.refused,
      'not_a_person',
      `your kubeconfig is for \`${username}\`, and only people approve; use your own credentials`,
    )
  }
  const spec = approvalSpec.safeParse({
    subject: { kind, name, uid },
    digest,
    verdict,
    approver: username,
    groups: relevantGroups(groups, subject.needs),
    reason,
  })
  if (!spec.success) {
    const [issue] = spec.error.issues
    throw usageError(
      `${issue?.path.join('.') ?? 'input'}: ${issue?.message ?? 'wrong'}; correct it`,
    )
  }
  const hash = digestOf({ kind, name, uid, digest, approver: username, verdict })
  const short = hash.slice('sha256:'.length).slice(0, 16)
  return {
    apiVersion: groupVersion,
    kind: approval.kind,
    metadata: { name: `${name.slice(0, 200)}-${verdict}-${short}`, namespace },
    spec: spec.data,
  }
}

/** Groups of people, those that the subject asks for first, as many as an Approval may carry. */
function relevantGroups(groups: readonly string[], needs: readonly string[]): string[] {
  const people = groups.filter((group) => !group.startsWith('system:'))
  const asked = people.filter((group) => needs.some((need) => need.includes(group)))
  return [...new Set([...asked, ...people])].slice(0, mostGroups)
}
