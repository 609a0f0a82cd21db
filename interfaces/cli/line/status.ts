import type { BreakerView } from '@jackstay/contract/api'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { type MediatorStatus, mediatorStatus } from '@jackstay/contract/people-api'
import type { KubeClient } from '@jackstay/kube/client'
import type { LedgerStatus } from '@jackstay/ledger/ledger-status'
import { z } from 'zod'
import type { Mediator } from '../mediator.ts'
import { type Enforcement, enforcementOf } from '../stop/enforcement.ts'
import { movingWith } from '../stop/moving.ts'
import { isOverdue, type Standing, standing } from '../stop/standing.ts'
import { readBreakers } from './breakers.ts'
import { readWindows, type WindowNow } from './windows.ts'

/** What could be seen, or why not. A part that is not seen never hides another. */
export type Seen<T> = { readonly value: T } | { readonly unseen: string }

/** How many intents wait, as their objects say: known with the mediator dead too. */
export interface WaitingObjects {
  readonly count: number
  readonly oldestAt?: string | undefined
  readonly held: number
}

export interface Status {
  readonly mediator: Seen<MediatorStatus>
  readonly oneOperator: Seen<boolean>
  readonly breakers: Seen<readonly BreakerView[]>
  readonly ledger: Seen<LedgerStatus>
  readonly stops: Standing
  readonly enforcement: readonly Enforcement[]
  readonly waiting: Seen<WaitingObjects>
  readonly windows: Seen<readonly WindowNow[]>
}

export interface StatusSources {
  readonly client: KubeClient
  readonly mediator: () => Promise<Mediator>
  readonly now: number
  readonly signal: AbortSignal
}

/** Everything at once; each part fails alone. */
export async function gatherStatus(sources: StatusSources): Promise<Status> {
  const { client, now, signal } = sources
  const opened = sources.mediator()
  opened.catch(() => undefined) // each part says it
  const ask = async <T>(use: (mediator: Mediator) => Promise<T>) => seen(opened.then(use))
  const [mediator, oneOperator, breakers, ledger, stops, label, kind, windows] = await Promise.all([
    ask((one) => one.read('/v1/status', mediatorStatus)),
    ask(async (one) => (await one.read('/v1/cluster', operatorMode)).oneOperator === true),
    ask(async (one) => (await readBreakers(one)).breakers),
    ask((one) => one.ledgerStatus()),
    standing(client, signal),
    enforcementOf({ by: 'label', namespace: systemNamespace }, client, signal),
    enforcementOf({ by: 'kind', subject: {} }, client, signal),
    seen(readWindows(client, now, 0, signal)),
  ])
  const waiting = await waitingOf(mediator, client, signal)
  const enforcement = [label, kind]
  return { mediator, oneOperator, breakers, ledger, stops, enforcement, waiting, windows }
}

const operatorMode = z.object({ oneOperator: z.boolean().optional() })

async function seen<T>(work: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await work }
  } catch (error) {
    return { unseen: error instanceof Error ? error.message : String(error) }
  }
}

async function waitingOf(
  mediator: Seen<MediatorStatus>,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Seen<WaitingObjects>> {
  if ('value' in mediator)
    return { value: { ...mediator.value.waiting, held: mediator.value.held } }
  const found = await movingWith({ by: 'label', namespace: systemNamespace }, client, signal)
  if (found.incomplete !== undefined) return { unseen: found.incomplete }
  const waiting = found.intents.filter(({ phase }) => phase === 'approve')
  const oldest = waiting.map(({ createdAt = '' }) => createdAt).toSorted()[0]
  const held = found.intents.filter(({ phase }) => phase === 'undo').length
  return { value: { count: waiting.length, held, ...(oldest && { oldestAt: oldest }) } }
}

export type Verdict = 'fine' | 'attention' | 'unreachable'

/** What the exit code says. Approvals that wait and an unanchored log are everyday. */
export function verdictOf(status: Status, now: number): { verdict: Verdict; why: string[] } {
  const { mediator, breakers, ledger, stops, enforcement, waiting } = status
  const open = valueIn(breakers)?.filter(({ state }) => state === 'open').length ?? 0
  const overdue = stops.stops.filter((stop) => isOverdue(stop, now)).length
  const held = valueIn(waiting)?.held ?? 0
  const why = [
    ...(valueIn(mediator)?.notReady ?? []),
    ...(stops.stops.length > 0 ? [`${stops.stops.length} suspension(s) in force`] : []),
    ...(overdue > 0 ? [`${overdue} of them overdue`] : []),
    ...enforcement
      .filter(({ state }) => state === 'missing')
      .map((one) => `${one.policy} is missing`),
    ...(open > 0 ? [`${open} breaker(s) open`] : []),
    ...(held > 0 ? [`${held} undo(s) held`] : []),
    ...(valueIn(ledger)?.tail.ok === false ? ['the ledger is damaged'] : []),
  ]
  const away = 'unseen' in mediator || stops.unread.length > 0
  if (away) return { verdict: 'unreachable', why: ['not everything could be seen', ...why] }
  return { verdict: why.length === 0 ? 'fine' : 'attention', why }
}

function valueIn<T>(part: Seen<T>): T | undefined {
  return 'value' in part ? part.value : undefined
}
