import type { CountedApproval } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { type Line, type Style, styled, typed } from './screen.ts'

type Attempted = IntentRecord['written'][number] | IntentRecord['undone'][number]

/** Who said yes or no. Approval is one thing, execution another. */
export function approvalLines(record: IntentRecord): Line[] {
  const { rehearsed, approved, ended } = record
  const approvals = approved?.approvals ?? ended?.approvals ?? []
  const required = rehearsed?.decision.requirements ?? []
  if (approvals.length > 0) return approvals.map(approvalLine)
  if (rehearsed === undefined) return [['not reached']]
  if (required.length === 0) return [['none required']]
  if (ended !== undefined) return [[`none given; ended ${ended.phase}`]]
  const until = rehearsed.approveBefore ? ` until ${rehearsed.approveBefore}` : ''
  return [
    [styled('yellow', `waits${until}`)],
    [typed(`jackstay approve ${record.id} --reason '…'`)],
  ]
}

function approvalLine({ approver, verdict, reason, at, groups }: CountedApproval): Line {
  return [
    styled(
      verdict === 'approve' ? 'green' : 'red',
      verdict === 'approve' ? 'approved' : 'rejected',
    ),
    ` by ${approver} at ${at}: ${reason}`,
    styled('dim', groups.length > 0 ? ` (${groups.join(', ')})` : ''),
  ]
}

/** The API writes as the API server answered them, with the ids of its own audit log. */
export function executionLines({ dispatched, written }: IntentRecord): Line[] {
  if (dispatched === undefined) return [['nothing was written']]
  const tries = dispatched.attempt === 1 ? '' : `, attempt ${dispatched.attempt}`
  return [
    [`dispatched at ${dispatched.at}${tries}`],
    ...(written.length === 0 ? [['no write has been answered yet']] : written.map(writeLine)),
  ]
}

function writeLine(write: Attempted): Line {
  const { outcome, settled, auditId, message } = write
  const style: Style = outcome === 'applied' ? 'green' : 'red'
  return [
    `${write.write} `,
    styled(style, outcome),
    ` at ${write.at}`,
    settled === 'by_reading' ? ', known by reading the object' : '',
    styled('dim', auditId === undefined ? '' : `, audit id ${auditId}`),
    message === undefined ? '' : `: ${message}`,
  ]
}

/** Whether the change did what it was for. */
export function verificationLines({ executed, undoing, ended }: IntentRecord): Line[] {
  if (executed === undefined) return [['not reached']]
  if (ended?.phase === 'verified') return [[styled('green', 'succeeded'), ` at ${ended.at}`]]
  if (undoing !== undefined) return [[styled('red', undoing.reason), `: ${undoing.message}`]]
  return [[`watched until ${executed.verifyBefore}`]]
}

export function undoLines({ undoing, undone, ended }: IntentRecord): Line[] {
  if (undoing === undefined) return [['not needed']]
  const end: Line[] =
    ended === undefined
      ? [['under way']]
      : [[styled(ended.phase === 'rolled_back' ? 'yellow' : 'red', ended.phase), ` at ${ended.at}`]]
  return [[`began at ${undoing.at}`], ...undone.map(writeLine), ...end]
}
