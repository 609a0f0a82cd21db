import { suspendedLabel, suspendedNotes } from '@jackstay/contract/kinds/suspension'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { describeScope } from './scope.ts'
import { labelStop, namespaceResource, type Stop, suspensionResource } from './standing.ts'

/**
 * Takes away exactly the stop that was shown: another one of the same scope, made meanwhile by
 * somebody else, stays. Gone already is done.
 * @throws CommandFailed where it was changed, or may not be lifted by this user
 */
export async function lift(stop: Stop, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { scope, name, uid } = stop
  if (scope.by === 'kind') {
    const ref = { ...suspensionResource, name: name ?? '' }
    const result = await client.delete(ref, { preconditions: { uid }, signal })
    if (result.kind === 'conflict') return // another object under this name: the shown one is gone
    return demandLifted(result, stop)
  }
  const ref = { ...namespaceResource, name: scope.namespace }
  const now = await client.get(ref, { signal })
  if (!Object.hasOwn(now.metadata.labels ?? {}, suspendedLabel)) return
  if (labelStop(now).since !== stop.since) throw changed(stop)
  const notes = Object.fromEntries(Object.values(suspendedNotes).map((note) => [note, null]))
  const metadata = { labels: { [suspendedLabel]: null }, annotations: notes }
  const { resourceVersion = '' } = now.metadata
  const result = await client.mergePatch(
    ref,
    { metadata },
    { preconditions: { uid, resourceVersion }, signal },
  )
  demandLifted(result, stop)
}

function changed({ scope }: Stop): CommandFailed {
  return new CommandFailed(
    exitCodes.refused,
    'stop_changed',
    `${describeScope(scope)} was stopped again by somebody meanwhile; read \`jackstay status\` and decide again`,
  )
}

function demandLifted(result: WriteResult, stop: Stop): void {
  if (result.kind === 'applied') return
  if (result.kind === 'refused' && result.status === 404) return
  if (result.kind === 'conflict') throw changed(stop)
  const message = result.kind === 'unknown' ? result.cause.message : result.message
  const exit = result.kind === 'unknown' ? exitCodes.unreachable : exitCodes.refused
  throw new CommandFailed(
    exit,
    'not_resumed',
    `${describeScope(stop.scope)} stays stopped: ${message}; people with the role \`jackstay-responder\` lift it`,
  )
}
