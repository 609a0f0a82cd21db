import { type Inbox, type InboxItem, inbox } from '@jackstay/contract/people-api'
import type { Mediator } from '../mediator.ts'
import { type Line, type Span, section, styled, table, typed } from '../screen.ts'
import { inTime } from './in-time.ts'

export function readInbox(mediator: Mediator, limit: number): Promise<Inbox> {
  return mediator.read(`/v1/inbox?limit=${limit}`, inbox)
}

/** What waits for people, the next to expire first, each with the command to type. */
export function inboxLines({ waiting, held }: Inbox, now: number): Line[] {
  if (waiting.count === 0 && held.count === 0) return [[styled('green', 'nothing waits for you')]]
  return [
    ...waiting.items.flatMap((item) => [...waitingLines(item, now), []]),
    ...more(waiting),
    ...held.items.flatMap((item) => [...heldLines(item), []]),
    ...more(held),
  ]
}

function waitingLines(
  { intent, summary, diff, needs, digest, expiresAt }: InboxItem,
  now: number,
): Line[] {
  const expires = expiresAt === undefined ? 'never expires' : `expires ${inTime(expiresAt, now)}`
  return [
    [styled('bold', intent.id), '  ', styled('yellow', expires), `  ${summary}`],
    ...section('  asked by', [[intent.agent]]),
    ...section('  diff', shortened(diff)),
    ...section('  needs', [[needs.join('; ')]]),
    ...section('  read', [[typed(`jackstay why ${intent.id}`)]]),
    ...section('  say', [
      [typed(`jackstay approve ${intent.id} --digest ${digest ?? ''} --reason '…'`, 'green')],
      [typed(`jackstay reject ${intent.id} --reason '…'`, 'red')],
    ]),
  ]
}

const diffShown = 4

function shortened(diff: readonly string[]): Line[] {
  const rest = diff.length - diffShown
  return [
    ...diff.slice(0, diffShown).map((line): Line => [line]),
    ...(rest > 0 ? [[styled('dim', `and ${rest} more: see why`)]] : []),
  ]
}

function heldLines({ intent, summary, why = '' }: InboxItem): Line[] {
  const state = intent.phase === 'rollback_failed' ? 'undo failed' : 'undo held'
  return [
    [styled('bold', intent.id), '  ', styled('red', state), `  ${summary}`],
    ...section('  why', [[why]]),
    ...section('  read', [[typed(`jackstay why ${intent.id}`)]]),
  ]
}

function more({ count, items }: Inbox['waiting']): Line[] {
  const rest = count - items.length
  return rest > 0 ? [[styled('dim', `and ${rest} more; --limit shows up to 200`)], []] : []
}

/** One line each. */
export function inboxTable({ waiting, held }: Inbox, now: number): Line[] {
  const rows = [...waiting.items, ...held.items].map((item): Span[] => [
    { text: item.intent.id },
    styled(item.why === undefined ? 'yellow' : 'red', item.intent.phase),
    { text: item.expiresAt === undefined ? '' : inTime(item.expiresAt, now) },
    { text: item.intent.agent },
    { text: item.needs.join('; ') },
    { text: item.summary },
  ])
  return table(['ID', 'PHASE', 'EXPIRES', 'AGENT', 'NEEDS', 'WHAT'], rows)
}
