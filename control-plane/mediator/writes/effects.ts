import type { Observed } from '@jackstay/actions/action'
import { assertNever } from '@jackstay/contract/errors'
import { at } from '@jackstay/contract/field-changes'
import type { Binding } from '@jackstay/contract/history'
import type {
  CreateWrite,
  EvictWrite,
  ObjectRef,
  PatchWrite,
  PlannedWrite,
} from '@jackstay/contract/plan'
import type { Ports, WriteAnswer, WriteIdentity } from '../ports.ts'
import { type Change, fieldManager, landed } from '../settle.ts'
import { bindingOf } from './binding.ts'

/** What reading the object tells of a write. */
export type Seen =
  | { readonly state: 'landed'; readonly object: Observed | undefined }
  /** Still exactly as it was bound: it may be sent. */
  | { readonly state: 'open' }
  | { readonly state: 'moved'; readonly message: string }

/** One write, or its inverse, as an effect that happens at most once. */
export interface Effect {
  look(): Promise<Seen>
  send(options: { readonly dryRun: boolean }): Promise<WriteAnswer>
}

/** A planned write, bound to the object as it was judged; a creation is bound to nothing. */
export function effectOf(
  write: PlannedWrite,
  bound: Binding | undefined,
  identity: WriteIdentity,
  ports: Ports,
): Effect {
  switch (write.verb) {
    case 'patch':
      return patch(write.object, { ...write, body: write.body }, bound, identity, ports)
    case 'evict':
      return removal(write, bound, ports, (binding, { dryRun }) =>
        ports.targets.evict(write.object, binding, identity, { dryRun }),
      )
    case 'create':
      return creation(write, identity, ports)
    default:
      return assertNever(write)
  }
}

/** What takes a write back. `object` is what a creation made. */
export function inverseOf(
  write: PatchWrite | CreateWrite,
  object: ObjectRef,
  bound: Binding | undefined,
  identity: WriteIdentity,
  ports: Ports,
): Effect {
  if (write.verb === 'patch') {
    const { before, after, inverse } = write
    const change = { before: after, after: before, body: inverse.body }
    return patch(object, change, bound, identity, ports)
  }
  return removal({ object }, bound, ports, (binding, { dryRun }) =>
    ports.targets.delete(object, binding, identity, { dryRun }),
  )
}

function patch(
  object: ObjectRef,
  change: Change & { readonly body: unknown },
  bound: Binding | undefined,
  identity: WriteIdentity,
  ports: Ports,
): Effect {
  const manager = fieldManager(identity.intent, identity.undo)
  return {
    async look() {
      const found = await ports.targets.read(object)
      if (found !== undefined && landed(found, change, manager)) {
        return { state: 'landed', object: found }
      }
      return isBound(found, bound) ? { state: 'open' } : { state: 'moved', message: 'it moved' }
    },
    send: (options) => ports.targets.patch(object, change.body, demanded(bound), identity, options),
  }
}

/**
 * An eviction or a deletion. Nothing carries our name afterwards: once it was recorded that the object
 * shall go, one that is gone or going has gone, whoever it was, and nothing is sent again.
 */
function removal(
  { object }: Pick<EvictWrite, 'object'>,
  bound: Binding | undefined,
  ports: Ports,
  send: (bound: Binding, options: { readonly dryRun: boolean }) => Promise<WriteAnswer>,
): Effect {
  return {
    async look() {
      const found = await ports.targets.read(object)
      if (isGone(found, object.uid)) return { state: 'landed', object: undefined }
      return isBound(found, bound) ? { state: 'open' } : { state: 'moved', message: 'it moved' }
    },
    send: (options) => send(demanded(bound), options),
  }
}

export function isGone(found: Observed | undefined, uid: string): boolean {
  if (found === undefined || bindingOf(found)?.uid !== uid) return true
  return at(found, '/metadata/deletionTimestamp') !== undefined
}

function creation(write: CreateWrite, identity: WriteIdentity, ports: Ports): Effect {
  const manager = fieldManager(identity.intent, false)
  return {
    async look() {
      const found = await ports.targets.read(write.object)
      if (found === undefined) return { state: 'open' }
      return isMadeBy(found, manager)
        ? { state: 'landed', object: found }
        : { state: 'moved', message: 'another object of this name is there already' }
    },
    send: (options) => ports.targets.create(write.object, write.body, identity, options),
  }
}

/** The field manager is this intent's alone, so whatever carries it was made by this very write. */
function isMadeBy(found: Observed, manager: string): boolean {
  const entries = at(found, '/metadata/managedFields')
  return Array.isArray(entries) && entries.some((entry) => at(entry, '/manager') === manager)
}

function isBound(found: Observed | undefined, bound: Binding | undefined): boolean {
  const now = found && bindingOf(found)
  return (
    now !== undefined &&
    bound !== undefined &&
    now.uid === bound.uid &&
    now.resourceVersion === bound.resourceVersion
  )
}

function demanded(bound: Binding | undefined): Binding {
  if (bound === undefined) throw new TypeError('a write nobody dispatched')
  return bound
}
