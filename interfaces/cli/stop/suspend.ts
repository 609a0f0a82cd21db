import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import {
  type SuspensionSpec,
  suspendedLabel,
  suspendedNotes,
  suspension,
} from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { whoAmI } from '../person.ts'
import { type Line, styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type Enforcement, enforcementLine, enforcementOf } from './enforcement.ts'
import { heldAlready, holding } from './holding.ts'
import { lift } from './lift.ts'
import { describeScope, flagOf, type Scope } from './scope.ts'
import {
  labelStop,
  namespaceResource,
  type Stop,
  standing,
  stopLines,
  suspensionResource,
  suspensionStop,
} from './standing.ts'

export interface SuspendRequest {
  readonly scope: Scope
  readonly reason: string
  readonly undo?: 'hold' | 'allow' | undefined
  /** How long it is meant to last. */
  readonly forMs?: number | undefined
  /** Stay, and lift it then. */
  readonly wait: boolean
  readonly json: boolean
}

const manager = 'jackstay-suspend'
const shortMs = 2000

/** Stops a scope as the user, at once and without asking, and shows what stands afterwards. */
export async function suspend(
  request: SuspendRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const { scope, json } = request
  const { signal } = terminal
  const { stop, already } = await make(request, client, signal)
  const [enforcement, all] = await Promise.all([
    enforcementOf(scope, client, signal),
    standing(client, signal),
  ])
  if (json) printData(terminal, { already, stop, enforcement, standing: all })
  else show(request, { stop, already, enforcement, others: others(all.stops, stop) }, terminal)
  if (!request.wait) return
  if (already) throw notOurs(stop)
  await liftLater(stop, request, client, terminal)
}

interface Made {
  readonly stop: Stop
  readonly already: boolean
}

function show(
  { scope, forMs }: SuspendRequest,
  made: Made & { readonly enforcement: Enforcement; readonly others: readonly Stop[] },
  terminal: Terminal,
): void {
  const { already, stop, enforcement } = made
  const now = Date.now()
  print(terminal, [
    [
      styled('red', already ? 'was suspended already' : 'suspended'),
      `: ${describeScope(scope)}; the API server shows`,
    ],
    ...stopLines([stop], now),
    ...(already ? [nothingWritten(forMs)] : heldAlready(stop, holding(scope, made.others))),
    enforcementLine(enforcement),
    ...(made.others.length > 0 ? [['also in force:'], ...stopLines(made.others, now)] : []),
    [styled('dim', `no executor writes there from now on; what controllers already do goes on`)],
    [typed(`resume: jackstay resume ${flagOf(scope)}`, 'dim')],
  ])
}

function nothingWritten(forMs: number | undefined): Line {
  const kept = forMs === undefined ? 'who and why' : 'who, why and until when, whatever --for says,'
  return [styled('yellow', 'nothing was written'), `: ${kept} stay as they were`]
}

/** Somebody else's stop, of whoever knows what: only people who have seen it lift it. */
function notOurs({ scope }: Stop): CommandFailed {
  return new CommandFailed(
    exitCodes.refused,
    'not_resumed',
    `${describeScope(scope)} was stopped before this command, which therefore does not wait to lift it; people do, with \`jackstay resume ${flagOf(scope)}\``,
  )
}

function others(stops: readonly Stop[], { uid, name }: Stop): Stop[] {
  return stops.filter((one) => one.uid !== uid || one.name !== name)
}

async function make(
  request: SuspendRequest,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Made> {
  const until = request.forMs === undefined ? undefined : inUtc(Date.now() + request.forMs)
  const { scope } = request
  if (scope.by === 'label') return label(scope.namespace, request, until, client, signal)
  const madeBy = await userName(client, signal)
  const spec: SuspensionSpec = {
    ...scope.subject,
    ...(request.undo !== undefined && { undo: request.undo }),
    ...(until !== undefined && { until }),
    ...(madeBy !== undefined && { madeBy }),
    reason: request.reason,
  }
  const name = `by-hand-${randomBytes(5).toString('hex')}`
  const object = { apiVersion: groupVersion, kind: suspension.kind, metadata: { name }, spec }
  const options = { fieldManager: manager, fieldValidation: 'Strict', signal } as const
  const result = await client.create(suspensionResource, undefined, object, options)
  // the name is new: what stands under it is what this wrote, answer or not
  if (result.kind !== 'unknown') demand(result, 'create Suspensions')
  const stop = suspensionStop(await client.get({ ...suspensionResource, name }, { signal }))
  if (stop === undefined) throw unseen()
  return { stop, already: false }
}

function inUtc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The label alone stops, so it goes first; what people want to read beside it follows. */
async function label(
  namespace: string,
  { reason }: SuspendRequest,
  until: string | undefined,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Made> {
  const ref = { ...namespaceResource, name: namespace }
  const before = await client.get(ref, { signal, timeoutMs: shortMs }).catch(() => undefined)
  if (before !== undefined && isLabelled(before.metadata.labels)) {
    return { stop: labelStop(before), already: true }
  }
  const patch = (metadata: Readonly<Record<string, unknown>>) =>
    client.mergePatch(ref, { metadata }, { fieldManager: manager, signal })
  const result = await patch({ labels: { [suspendedLabel]: 'by-hand' } })
  if (result.kind !== 'unknown') demand(result, `label the namespace \`${namespace}\``)
  const by = await userName(client, signal)
  const noted = await patch({
    annotations: {
      ...{ [suspendedNotes.reason]: reason, [suspendedNotes.by]: by ?? null },
      [suspendedNotes.until]: until ?? null,
    },
  })
  if (noted.kind !== 'unknown') demand(noted, `annotate the namespace \`${namespace}\``)
  const after = await client.get(ref, { signal })
  if (!isLabelled(after.metadata.labels)) throw unseen()
  return { stop: labelStop(after), already: false }
}

/** Nobody waits long for a name while something has to stop. */
function userName(client: KubeClient, signal: AbortSignal): Promise<string | undefined> {
  return whoAmI(client, signal, shortMs).then(
    ({ username }) => username,
    () => undefined,
  )
}

function isLabelled(labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.hasOwn(labels, suspendedLabel)
}

function unseen(): CommandFailed {
  return new CommandFailed(
    exitCodes.unreachable,
    'outcome_unknown',
    `the API server shows no suspension yet; type the same command again, or label the namespace \`${systemNamespace}\` with \`${suspendedLabel}\``,
  )
}

/** @throws CommandFailed with the API server's words and another way to stop */
export function demand(result: WriteResult, right: string): void {
  if (result.kind === 'applied') return
  const message = result.kind === 'unknown' ? result.cause.message : result.message
  const status = result.kind === 'refused' ? result.status : 0
  if (status === 404) throw new CommandFailed(exitCodes.notFound, 'not_found', message)
  if (status === 401 || status === 403) {
    throw new CommandFailed(
      exitCodes.unreachable,
      'forbidden',
      `you may not ${right}: ${message}; ask for the role \`jackstay-responder\`, or whoever may label \`${systemNamespace}\``,
    )
  }
  throw new CommandFailed(exitCodes.refused, 'refused', `the API server refused: ${message}`)
}

/** Only people lift a stop: this one stays, with their own credentials, until the time has come. */
async function liftLater(
  stop: Stop,
  { scope }: SuspendRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const until = stop.until ?? ''
  terminal.err(`… waits until ${until} to lift it; if you stop this, it stays suspended\n`)
  try {
    await sleep(Math.max(0, Date.parse(until) - Date.now()), undefined, { signal: terminal.signal })
  } catch (cause) {
    if (!terminal.signal.aborted) throw cause
    throw new CommandFailed(
      exitCodes.refused,
      'interrupted',
      `stays suspended past ${until}; lift it with \`jackstay resume ${flagOf(scope)}\``,
    )
  }
  await lift(stop, client, terminal.signal)
  print(terminal, [[styled('green', 'resumed'), `: ${describeScope(scope)}, as it was meant`]])
}
