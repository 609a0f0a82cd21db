import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import {
  type ApprovalObject,
  approvalObject,
  approvalResource,
  type Person,
  type Subject,
  type Verdict,
} from './approval.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import { type Line, styled } from './screen.ts'
import { findSubject } from './subject.ts'
import { print, printJson, type Terminal } from './terminal.ts'

export interface ApproveRequest {
  /** `ID`, `intent/ID` or `agentclass/NAME`. */
  readonly subject: string
  readonly verdict: Verdict
  readonly reason: string
  readonly namespace?: string | undefined
  readonly yes: boolean
  readonly json: boolean
}

/** Shows what a person would agree to, asks, and writes their Approval as themselves. */
export async function approve(
  request: ApproveRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const { verdict, json } = request
  if (!request.yes && (json || !terminal.interactive)) {
    throw usageError('nobody can be asked here; read the diff with `jackstay why`, then pass --yes')
  }
  const { signal } = terminal
  const found = await findSubject(client, request.subject, request.namespace, signal)
  const { subject, lines } = found
  const person = await whoAmI(client, signal)
  const object = approvalObject(subject, person, verdict, request.reason)
  if (!json) print(terminal, [...lines, []])
  if (!request.yes) await confirm(terminal, subject, person, verdict)
  const already = await write(client, object, signal)
  if (json) printJson(terminal, { already, approval: object })
  else print(terminal, closing(subject, object, already))
}

async function confirm(
  terminal: Terminal,
  subject: Subject,
  { username }: Person,
  verdict: Verdict,
): Promise<void> {
  print(terminal, [[`You are ${username}. ${subject.needs.join('; ')}`]])
  const answer = await terminal.ask(`${verdict} ${noun(subject)}? Type yes: `)
  if (answer.trim().toLowerCase() === 'yes') return
  throw new CommandFailed(exitCodes.refused, 'not_confirmed', 'not confirmed, nothing was written')
}

function noun({ kind }: Subject): string {
  return kind === 'Intent' ? 'operation' : 'class'
}

/** The API server's own word on who the user is, because it will check the Approval against it. */
async function whoAmI(client: KubeClient, signal: AbortSignal): Promise<Person> {
  const { status, body } = await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal,
  })
  const user = isRecord(body) && isRecord(body.status) ? body.status.userInfo : undefined
  if (status >= 300 || !isRecord(user) || typeof user.username !== 'string') {
    throw new CommandFailed(
      exitCodes.unreachable,
      'unauthenticated',
      `the API server does not say who you are (${status}); renew your credentials`,
    )
  }
  const groups: readonly unknown[] = Array.isArray(user.groups) ? user.groups : []
  return { username: user.username, groups: groups.filter((group) => typeof group === 'string') }
}

/** Whether the person had said the same before. @throws CommandFailed with the API server's words */
async function write(
  client: KubeClient,
  object: ApprovalObject,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = object.metadata
  const options = { fieldValidation: 'Strict', signal } as const
  const result = await client.create(approvalResource, namespace, object, options)
  switch (result.kind) {
    case 'applied':
      return false
    case 'conflict':
      return true
    case 'refused':
      throw refusal(result.status, result.message, namespace)
    case 'unknown':
      return settle(client, object, name)
  }
}

function refusal(status: number, message: string, namespace: string): CommandFailed {
  // RBAC speaks of a user who cannot; everything else is a policy or a schema
  if (status === 401 || (status === 403 && /cannot create resource/.test(message))) {
    return new CommandFailed(
      exitCodes.unreachable,
      'forbidden',
      `you may not create approvals in the namespace \`${namespace}\`; ask for the role \`jackstay-approver\` there`,
    )
  }
  return new CommandFailed(
    exitCodes.refused,
    'refused',
    `the API server refused the approval: ${message}; nothing was written`,
  )
}

/** No answer came. The name follows from the content, so reading tells. */
async function settle(client: KubeClient, object: ApprovalObject, name: string): Promise<boolean> {
  const { namespace } = object.metadata
  try {
    await client.get({ ...approvalResource, namespace, name })
    return false
  } catch (error) {
    if (statusOf(error)?.code !== 404) throw error
    throw new CommandFailed(
      exitCodes.unreachable,
      'outcome_unknown',
      'the API server did not answer and has no approval of yours; type the same command again',
    )
  }
}

function closing(subject: Subject, { spec, metadata }: ApprovalObject, already: boolean): Line[] {
  const done = spec.verdict === 'approve' ? 'approved' : 'rejected'
  const style = spec.verdict === 'approve' ? 'green' : 'red'
  const before = already ? ' before; nothing new was written' : ''
  return [
    [styled(style, done), ` ${noun(subject)} ${subject.name} as ${spec.approver}${before}`],
    [styled('dim', `Approval ${metadata.namespace}/${metadata.name}`)],
    ...(subject.kind === 'Intent' && spec.verdict === 'approve'
      ? [[`Approved is not executed: \`jackstay why ${subject.name}\` shows what becomes of it.`]]
      : []),
  ]
}
