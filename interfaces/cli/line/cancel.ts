import { setTimeout as sleep } from 'node:timers/promises'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import { terminalPhases } from '@jackstay/contract/phases'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { assertWhole } from '../intent-id.ts'
import { styled, typed } from '../screen.ts'
import { findIntent } from '../subject.ts'
import { print, printData, type Terminal } from '../terminal.ts'

export interface CancelRequest {
  readonly id: string
  readonly namespace?: string | undefined
  /** How long to wait for the line to say so. */
  readonly timeoutMs: number
  readonly json: boolean
  /** The phase on record, where the object went before it showed one. */
  recorded(): Promise<string>
}

const pollMs = 200
const ended: ReadonlySet<string> = new Set(terminalPhases)

/**
 * Deletes the Intent with the person's own rights; the line then ends it as `cancelled`, unless it had
 * written already: then it goes on to its end, and this says so.
 */
export async function cancel(
  { id, namespace, timeoutMs, json, recorded }: CancelRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  assertWhole(id)
  const found = await findIntent(client, id, namespace, signal)
  const { uid = '', namespace: where = '' } = found.metadata
  const ref = {
    apiVersion: groupVersion,
    resource: intentObject.plural,
    namespace: where,
    name: id,
  }
  const result = await client.delete(ref, { preconditions: { uid }, signal })
  if (result.kind === 'refused' && result.status !== 404) {
    throw new CommandFailed(
      result.status === 403 ? exitCodes.unreachable : exitCodes.refused,
      result.status === 403 ? 'forbidden' : 'refused',
      `the API server refused: ${result.message}; whoever may delete intents in \`${where}\` cancels`,
    )
  }
  const phase = (await outcome(client, ref, timeoutMs, signal)) ?? (await recorded())
  if (json) printData(terminal, { id, phase })
  if (phase === 'cancelled') {
    if (!json)
      print(terminal, [[styled('green', 'cancelled'), typed(` ${id}: jackstay why ${id}`)]])
    return
  }
  throw new CommandFailed(
    exitCodes.refused,
    'not_cancelled',
    ended.has(phase)
      ? `the intent had ended: \`${phase}\`; \`jackstay why ${id}\` tells`
      : `the intent is in \`${phase}\` still; the mediator ends it as soon as it can: \`jackstay why ${id}\``,
  )
}

/** The phase the object had last; the mediator lets it go once its end is on record. */
async function outcome(
  client: KubeClient,
  ref: Parameters<KubeClient['get']>[0],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const until = performance.now() + timeoutMs
  let phase = 'unknown'
  for (;;) {
    try {
      const { status } = objectOf(intentObject).parse(await client.get(ref, { signal }))
      if (typeof status?.phase === 'string') phase = status.phase
    } catch (error) {
      if (statusOf(error)?.code === 404) return ended.has(phase) ? phase : undefined
      throw error
    }
    if (ended.has(phase) || performance.now() > until) return phase
    await sleep(pollMs, undefined, { signal })
  }
}
