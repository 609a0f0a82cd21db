import { assertNever, JackstayError } from '@jackstay/contract/errors'
import type { Binding } from '@jackstay/contract/history'
import type { PatchWrite, Plan, PlannedWrite } from '@jackstay/contract/plan'
import type { Stop } from '../line/judgement.ts'
import type { Ports, WriteAnswer, WriteIdentity } from '../ports.ts'
import { bindingOf } from './binding.ts'
import { effectOf, inverseOf } from './effects.ts'
import { serverDiff } from './server-diff.ts'

/** A plan as the API server confirmed it. */
export interface Rehearsed {
  readonly plan: Plan
  /** Of each write's object, as rehearsed; a creation has none. */
  readonly versions: ReadonlyMap<string, string>
}

/**
 * Each write as a dry-run of the API server, as the executor. Stops at the first that does not pass.
 */
export async function rehearsePlan(
  plan: Plan,
  identity: WriteIdentity,
  ports: Ports,
): Promise<Rehearsed | Stop> {
  const versions = new Map<string, string>()
  const writes: PlannedWrite[] = []
  for (const write of plan.writes) {
    const rehearsed = await rehearse(write, identity, ports)
    if ('stop' in rehearsed) return rehearsed
    if (rehearsed.version !== undefined) versions.set(write.id, rehearsed.version)
    writes.push(rehearsed.write)
  }
  return { plan: { ...plan, writes }, versions }
}

async function rehearse(
  write: PlannedWrite,
  identity: WriteIdentity,
  ports: Ports,
): Promise<{ readonly write: PlannedWrite; readonly version?: string } | Stop> {
  if (write.verb === 'create') {
    const stop = stopOf(await effectOf(write, undefined, identity, ports).send({ dryRun: true }))
    return stop ?? { write }
  }
  const before = await ports.targets.read(write.object)
  const bound = before && bindingOf(before)
  if (before === undefined || bound?.uid !== write.object.uid) {
    return { stop: 'write_conflict', message: `the object of ${write.id} was deleted or replaced` }
  }
  const binding = { write: write.id, ...bound }
  const answer = await effectOf(write, binding, identity, ports).send({ dryRun: true })
  const stop = stopOf(answer)
  if (stop !== undefined) return stop
  const version = bound.resourceVersion
  if (write.verb === 'evict' || answer.kind !== 'applied') return { write, version }
  const noWayBack = await rehearseInverse(write, binding, identity, ports)
  if (noWayBack !== undefined) return noWayBack
  return { write: { ...write, ...serverDiff(write, before, answer.object) }, version }
}

/**
 * What could not be taken back is not done. The object has not changed yet, so this shows that the
 * executor may undo at all and that no admission of this cluster stands against the inverse.
 */
async function rehearseInverse(
  write: PatchWrite,
  binding: Binding,
  identity: WriteIdentity,
  ports: Ports,
): Promise<Stop | undefined> {
  const undoing = { ...identity, undo: true }
  const inverse = inverseOf(write, write.object, binding, undoing, ports)
  const stop = stopOf(await inverse.send({ dryRun: true }))
  return stop && { ...stop, message: `the undo of ${write.id} would not pass: ${stop.message}` }
}

/**
 * Undefined where the write would land, now or, for a disruption budget, later.
 * @throws JackstayError `upstream_unavailable` where the API server gave no verdict
 */
function stopOf(answer: WriteAnswer): Stop | undefined {
  switch (answer.kind) {
    case 'applied':
    case 'later':
      return undefined
    case 'conflict':
      return { stop: 'write_conflict', message: answer.message }
    case 'unknown':
    case 'not_sent':
      // nobody said no, and what people approved is not void because the API server was away
      throw new JackstayError('upstream_unavailable', `no dry-run: ${answer.message}`)
    case 'refused':
      return { stop: 'rehearsal_failed', message: answer.message }
    default:
      return assertNever(answer)
  }
}
