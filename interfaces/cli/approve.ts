import { randomBytes } from 'node:crypto'
import { canonical } from '@jackstay/contract/json'
import { type ApprovalSpec, approvalSpec } from '@jackstay/contract/kinds/approval'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import {
  type ApprovalObject,
  approvalObject,
  approvalResource,
  type Person,
  type Subject,
  type Verdict,
} from './approval.ts'
import { assertAskable, confirmed } from './confirm.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed } from './failure.ts'
import { whoAmI } from './person.ts'
import { type Line, styled, typed } from './screen.ts'
import { findSubject } from './subject.ts'
import { print, printData, type Terminal } from './terminal.ts'

export interface ApproveRequest {
  /** `ID`, `intent/ID` or `agentclass/NAME`. */
  readonly subject: string
  readonly verdict: Verdict
  readonly reason: string
  readonly namespace?: string | undefined
  readonly yes: boolean
  readonly json: boolean
  /** What the person has read: anything else is refused. */
  readonly digest?: string | undefined
}

/** Shows what a person would agree to, asks, and writes their Approval as themselves. */
export async function approve(
  request: ApproveRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const { verdict, json } = request
  if (!request.yes) assertAskable(terminal, json, 'read the diff with `jackstay why`, then')
  const { signal } = terminal
  const found = await findSubject(client, request.subject, request.namespace, signal)
  const { subject, lines } = found
  if (request.digest !== undefined && request.digest !== subject.digest) {
    throw new CommandFailed(
      exitCodes.refused,
      'digest_differs',
      `the digest is ${subject.digest} now, not the one you gave; read what changed and try again`,
    )
  }
  const person = await whoAmI(client, signal)
  const object = approvalObject(subject, person, verdict, request.reason)
  if (!json) print(terminal, [...lines, []])
  if (!request.yes) await confirm(terminal, subject, person, verdict)
  const already = await write(client, object, signal)
  if (json) printData(terminal, { already, approval: object })
  else print(terminal, [...closing(subject, object, already), ...outsideGroups(subject, object)])
}

async function confirm(
  terminal: Terminal,
  subject: Subject,
  { username }: Person,
  verdict: Verdict,
): Promise<void> {
  print(terminal, [[`You are ${username}. ${subject.needs.join('; ')}`]])
  await confirmed(terminal, `${verdict} ${noun(subject)}?`)
}

function noun({ kind }: Subject): string {
  return kind === 'Intent' ? 'operation' : 'class'
}

/** Whether the person had said the same before. @throws CommandFailed with the API server's words */
async function write(
  client: KubeClient,
  object: ApprovalObject,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = object.metadata
  const options = { fieldValidation: 'Strict', signal } as const
  const result = await client.create(approvalResource, namespace, object, options)
  switch (result.kind) {
    case 'applied':
      return false
    case 'conflict':
      if (await isTheSame(client, object, signal)) return true
      // somebody took the name, which anyone can reckon: it must not swallow what the person says
      return await write(client, renamed(object), signal)
    case 'refused':
      throw refusal(result.status, result.message, namespace)
    case 'unknown':
      return settle(client, object, signal)
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

/** Whether the object under this name says exactly what the person says; the reason may differ. */
async function isTheSame(
  client: KubeClient,
  { metadata, spec }: ApprovalObject,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await client.get({ ...approvalResource, ...metadata }, { signal })
  const parsed = approvalSpec.safeParse(found.spec)
  if (!parsed.success) return false
  const said = ({ subject, digest, verdict, approver }: ApprovalSpec) =>
    canonical({ subject, digest, verdict, approver })
  return said(parsed.data) === said(spec)
}

function renamed(object: ApprovalObject): ApprovalObject {
  const name = `${object.metadata.name}-${randomBytes(4).toString('hex')}`
  return { ...object, metadata: { ...object.metadata, name } }
}

/** No answer came. The name follows from the content, so reading tells. */
async function settle(
  client: KubeClient,
  object: ApprovalObject,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    if (await isTheSame(client, object, signal)) return false
  } catch (error) {
    if (statusOf(error)?.code !== 404) throw error
  }
  throw new CommandFailed(
    exitCodes.unreachable,
    'outcome_unknown',
    'the API server did not answer and has no approval of yours; type the same command again',
  )
}

/** An Approval by somebody outside the groups asked for is written, and counts for nothing. */
function outsideGroups({ needs }: Subject, { spec }: ApprovalObject): Line[] {
  const counts = spec.groups.some((group) => needs.some((need) => need.includes(group)))
  if (needs.length === 0 || counts) return []
  return [
    [
      styled(
        'yellow',
        `you are in none of the groups asked for (${needs.join('; ')}): this does not count`,
      ),
    ],
  ]
}

function closing(subject: Subject, { spec, metadata }: ApprovalObject, already: boolean): Line[] {
  const done = spec.verdict === 'approve' ? 'approved' : 'rejected'
  const style = spec.verdict === 'approve' ? 'green' : 'red'
  const before = already ? ' before; nothing new was written' : ''
  return [
    [styled(style, done), ` ${noun(subject)} ${subject.name} as ${spec.approver}${before}`],
    [styled('dim', `Approval ${metadata.namespace}/${metadata.name}`)],
    ...(subject.kind === 'Intent' && spec.verdict === 'approve'
      ? [
          [
            typed(
              `Approved is not executed: \`jackstay why ${subject.name}\` shows what becomes of it.`,
            ),
          ],
        ]
      : []),
  ]
}
