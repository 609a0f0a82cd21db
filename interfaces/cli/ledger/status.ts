import type { AnchorState } from '@jackstay/ledger/anchor'
import { readAnchorStates } from '@jackstay/ledger/anchoring'
import { type LedgerPolicy, noLedgerPolicy } from '@jackstay/ledger/ledger-policy'
import { type LedgerStatus, readLedgerStatus } from '@jackstay/ledger/ledger-status'
import { readWitnessed } from '@jackstay/ledger/witnessing'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, type Style, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type EvidenceRequest, policyOf } from './quorum.ts'
import { type OpenMediator, withLog } from './source.ts'

export interface StatusRequest extends EvidenceRequest {
  readonly json: boolean
}

/** How the log stands: its tail, who keeps it outside, who cosigned it. */
export async function status(
  request: StatusRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  const { data } = request
  const found =
    data === undefined
      ? await openMediator((mediator) => mediator.ledgerStatus())
      : await ofFolder({ ...request, data }, terminal, openMediator)
  if (request.json) printData(terminal, found)
  else print(terminal, statusLines(found, Date.now()))
  if (!found.tail.ok) {
    throw new CommandFailed(exitCodes.ledger, 'ledger_damaged', found.tail.reason)
  }
}

async function ofFolder(
  request: StatusRequest & { readonly data: string },
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<LedgerStatus> {
  const { data } = request
  const policy = (await policyOf(request)) ?? noLedgerPolicy
  return withLog(request, terminal, openMediator, async ({ read, vkey }) =>
    readLedgerStatus({
      ...{ read, vkey, policy, clock: Date },
      anchors: withNamed(await readAnchorStates(data), policy),
      witnessed: await readWitnessed(data),
    }),
  )
}

/** What is known of places, and those of the policy that nothing was pushed to. */
function withNamed(known: readonly AnchorState[], { anchors }: LedgerPolicy): AnchorState[] {
  const names = new Set(known.map(({ name }) => name))
  return [...known, ...anchors.filter(({ name }) => !names.has(name)).map(({ name }) => ({ name }))]
}

/** Pure. `now` is in milliseconds since the epoch. */
export function statusLines(found: LedgerStatus, now: number): Line[] {
  const { origin, vkey, size, root, newestLeafAt, tail, anchored, anchors, witnessed } = found
  return [
    [`origin      ${origin}`],
    [`key         ${vkey}`],
    [`size        ${size} leaves`],
    [`root        ${root}`],
    [
      `newest      ${newestLeafAt === undefined ? 'unknown' : `${newestLeafAt} (${ageOf(newestLeafAt, now)})`}`,
    ],
    said('tail', tail.ok ? 'intact' : 'damaged', tail.reason, tail.ok ? 'green' : 'red'),
    said(
      'anchors',
      anchored.ok ? 'Anchored' : 'Unanchored',
      anchored.reason,
      anchored.ok ? 'green' : 'yellow',
    ),
    ...anchors.map(({ name, size: kept, at, error }) => [
      `            ${name}: ${kept === undefined ? 'nothing yet' : `${kept} leaves at ${at}`}`,
      ...(error === undefined ? [] : [styled('yellow', ` — ${error}`)]),
    ]),
    witnessed === undefined
      ? ['witnesses   none are named; the log can be forked by whoever has its key']
      : said(
          'witnesses',
          witnessed.ok ? 'quorum' : 'no quorum',
          `${witnessed.reason}${witnessed.size === undefined ? '' : `, at ${witnessed.size} leaves`}`,
          witnessed.ok ? 'green' : 'yellow',
        ),
    ...(witnessed?.cosigned ?? []).map(({ name, at }) => [`            ${name}: ${at}`]),
  ]
}

function said(label: string, word: string, reason: string, style: Style): Line {
  return [label.padEnd(12), styled(style, word), ` — ${reason}`]
}

function ageOf(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000))
  if (!Number.isFinite(seconds)) return 'no time'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`
  return `${Math.round(seconds / 86_400)} days ago`
}
