import { nameOf, type Observed } from '@jackstay/actions/action'
import { assertNever } from '@jackstay/contract/errors'
import { madeLabels } from '@jackstay/contract/executor'
import { at } from '@jackstay/contract/field-changes'
import type { Binding } from '@jackstay/contract/history'
import { isMap } from '@jackstay/contract/json'
import type {
  CreateWrite,
  EvictWrite,
  ObjectRef,
  PatchWrite,
  PlannedWrite,
} from '@jackstay/contract/plan'
import type { Ports, WriteAnswer, WriteIdentity } from '../ports.ts'
import { bindingOf } from './binding.ts'
import { type Change, fieldManager, isSigned, landed } from './settle.ts'

/** What reading the object tells of a write. */
export type Seen =
  /** `signed`: as the work of this very write; else as somebody's who did the same. */
  | { readonly state: 'landed'; readonly object: Observed | undefined; readonly signed: boolean }
  /** Still exactly as it was bound: it may be sent. */
  | { readonly state: 'open' }
  | { readonly state: 'moved'; readonly message: string }

/** Whoever saw to it: there is nothing left to do. */
const goneLike = { state: 'landed', object: undefined, signed: true } as const

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
      return eviction(write, bound, identity, ports)
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
  const { body } = write.inverse
  if (write.verb === 'patch') {
    const { before, after } = write
    return patch(object, { before: after, after: before, body }, bound, identity, ports)
  }
  const fields = Object.entries(write.inverse.body)
  const after = fields.map(([key, is]) => ({ of: nameOf(object), path: `/${key}`, value: { is } }))
  const stopped = patch(object, { before: [], after, body }, bound, identity, ports)
  return {
    async look() {
      // what is gone or going needs no stopping
      const found = await ports.targets.read(object)
      return isGone(found, object.uid) ? goneLike : stopped.look()
    },
    send: stopped.send,
  }
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
        return { state: 'landed', object: found, signed: isSigned(change) }
      }
      return isBound(found, bound) ? { state: 'open' } : { state: 'moved', message: 'it moved' }
    },
    send: (options) => ports.targets.patch(object, change.body, demanded(bound), identity, options),
  }
}

/**
 * Nothing carries our name after an eviction: once it was recorded that the Pod shall go, one that is
 * gone or going has gone, whoever it was, and nothing is sent again.
 */
function eviction(
  write: EvictWrite,
  bound: Binding | undefined,
  identity: WriteIdentity,
  ports: Ports,
): Effect {
  return {
    async look() {
      const found = await ports.targets.read(write.object)
      if (isGone(found, write.object.uid)) return goneLike
      return isBound(found, bound) ? { state: 'open' } : { state: 'moved', message: 'it moved' }
    },
    send: (options) => ports.targets.evict(write, demanded(bound), identity, options),
  }
}

export function isGone(found: Observed | undefined, uid: string): boolean {
  if (found === undefined || bindingOf(found)?.uid !== uid) return true
  return at(found, '/metadata/deletionTimestamp') !== undefined
}

function creation(write: CreateWrite, identity: WriteIdentity, ports: Ports): Effect {
  return {
    async look() {
      const found = await ports.targets.read(write.object)
      if (found === undefined) return { state: 'open' }
      return isMadeFor(found, identity.intent)
        ? { state: 'landed', object: found, signed: true }
        : { state: 'moved', message: 'another object of this name is there already' }
    },
    send: (options) => ports.targets.create(write.object, write.body, identity, options),
  }
}

/**
 * By the label that admission lets nobody but an executor give, and nobody change: a field manager is
 * whatever its writer says.
 */
function isMadeFor(found: Observed, intent: string): boolean {
  const labels = at(found, '/metadata/labels')
  return isMap(labels) && labels[madeLabels.intent] === intent
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
