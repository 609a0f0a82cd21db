import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { firstWrongItem } from './fields/check.ts'
import { conflictOf } from './fields/conflicts.ts'
import { difference, intersection, isEmpty, type none, outside, union } from './fields/field-set.ts'
import { mergeApplied } from './fields/merge.ts'
import { fieldsOf, withNamedFields } from './fields/of-value.ts'
import {
  identityOf,
  type Manager,
  type Managers,
  ownedByAnybody,
  readManagers,
  withManager,
  withoutManagers,
  writeManagers,
} from './fields/owners.ts'
import { type FieldsWrite, ownable, settle } from './fields/ownership.ts'
import { removeFields } from './fields/remove.ts'
import { type JsonMap, sameJson } from './json.ts'
import { afterUpdate, withManagedFields, withoutIdleTimes } from './managed-fields.ts'
import { badPatch, internal } from './refusal.ts'
import { asHeld } from './shapes/held.ts'
import type { Shape } from './shapes/shape.ts'

export interface Application extends FieldsWrite {
  readonly kind: string
  /** Takes fields over from their managers instead of refusing. */
  readonly force: boolean
}

/**
 * Applies a configuration as its manager (server-side apply): lays it over the object, removes what
 * the manager applied before and nobody else owns, and says who owns what. Defaults are to be filled
 * in afterwards, as nobody owns them by it, and then `withoutIdleTimes` asked.
 *
 * `live` is undefined for a new object.
 * @throws PatchRefusal 409 naming each field that another manager owns and `force` is not given for,
 *   400 and 500 for what cannot be applied
 */
export function applyConfiguration(
  live: KubeObject | undefined,
  config: KubeObject,
  application: Application,
): KubeObject {
  checkConfiguration(config, application)
  const { shape, force, time } = application
  checkLists(config, application)
  const before = withoutManagers(asHeld(live ?? {}, shape))
  const known = managersOf(live, before, application)
  const self = selfOf(config, application)
  const identity = identityOf(self)
  const last = known.get(identity)
  const claimed = new Map(known).set(identity, self)
  const merged = mergeApplied(before, config, shape)
  const pruned = prune(merged, claimed, last, shape)
  const { managers, takings } = settle(before, pruned, claimed, identity, application)
  if (!force && takings.size > 0) throw conflictOf(takings, known)
  const isChanged = !sameJson(before, pruned)
  const fields = ownable(self.fields)
  const owner: Manager = { ...self, fields, time: isChanged ? time : last?.time }
  const object = isChanged ? asHeld(pruned, shape) : before
  const entries = writeManagers(withManager(managers, owner))
  const result = withManagedFields(asKubeObject(object), entries)
  return live === undefined ? result : withoutIdleTimes(live, result)
}

function checkConfiguration(config: KubeObject, { apiVersion, kind }: Application): void {
  if (config.apiVersion !== apiVersion || config.kind !== kind) {
    const given = `${config.apiVersion ?? ''}, Kind=${config.kind ?? ''}`
    throw badPatch(`invalid object type: ${given}`)
  }
  if (config.metadata.managedFields !== undefined) {
    throw badPatch('metadata.managedFields must be nil')
  }
}

/** Lists whose items have owners may not name one twice, nor leave open which one is meant. */
function checkLists(config: KubeObject, { apiVersion, kind, shape }: Application): void {
  const wrong = firstWrongItem(config, shape)
  if (wrong === undefined) return
  const { namespace = '', name = '' } = config.metadata
  const what = `${namespace}/${name}; ${apiVersion}, Kind=${kind}`
  throw internal(`failed to create typed patch object (${what}): ${wrong}`)
}

function selfOf(config: KubeObject, write: Application): Manager {
  const { manager, apiVersion, subresource, shape, reset } = write
  const fields = outside(fieldsOf(config, shape), reset)
  return { manager, operation: 'Apply', apiVersion, subresource, fields }
}

/** An object that nobody is known to own a field of is owned by those who were there before. */
function managersOf(live: KubeObject | undefined, before: JsonMap, write: Application): Managers {
  const managers = readManagers(live?.metadata.managedFields)
  if (managers === undefined) throw internal('failed to decode managed fields')
  if (managers.size > 0 || live === undefined) return managers
  return afterUpdate({}, before, managers, { ...write, manager: 'before-first-apply' })
}

/** Removes what the manager applied last time, not this time, and nobody else has a claim to. */
function prune(merged: unknown, managers: Managers, last: Manager | undefined, shape: Shape) {
  if (last === undefined || isEmpty(last.fields)) return merged
  const named = (fields: typeof none) => withNamedFields(fields, shape)
  const all = named(fieldsOf(merged, shape))
  const without = removeFields(merged, named(last.fields), shape)
  const claimed = union(named(fieldsOf(without, shape)), named(ownedByAnybody(managers)))
  const owned = removeFields(merged, difference(all, claimed), shape)
  // what only updaters or nobody owned is not for appliers to remove
  const gone = difference(all, named(fieldsOf(owned, shape)))
  return removeFields(merged, intersection(gone, named(last.fields)), shape)
}

function asKubeObject(value: JsonMap): KubeObject {
  const { metadata } = value
  return { ...value, metadata: isRecord(metadata) ? metadata : {} }
}
