import { isRecord, type ManagedFieldsEntry } from '@jackstay/kube/resources'
import { mapOf } from '../json.ts'
import { type FieldSet, isEmpty, none, union } from './field-set.ts'
import { decodeFields, encodeFields } from './wire.ts'

/** Who owns fields of an object. */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  readonly time?: string | undefined
  readonly fields: FieldSet
}

/** By identity; never changed in place. */
export type Managers = ReadonlyMap<string, Manager>

type Named = Omit<Manager, 'time' | 'fields'>

/**
 * What tells managers apart, as the API server writes and sorts it: whoever applies is the same in
 * every version.
 */
export function identityOf({ manager, operation, apiVersion, subresource }: Named): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === 'Update' && { apiVersion }),
    ...(subresource !== '' && { subresource }),
  })
}

/** Undefined where an entry is not what `managedFields` may hold. */
export function readManagers(entries: unknown): Managers | undefined {
  if (entries === undefined || entries === null) return new Map()
  if (!Array.isArray(entries)) return undefined
  const managers = new Map<string, Manager>()
  for (const entry of entries) {
    const manager = readManager(entry)
    if (manager === undefined) return undefined
    managers.set(identityOf(manager), manager)
  }
  return managers
}

function readManager(entry: unknown): Manager | undefined {
  if (!isRecord(entry)) return undefined
  const { operation, apiVersion, time } = entry
  const fields = decodeFields(entry.fieldsV1)
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof apiVersion !== 'string' || apiVersion === '') return undefined
  if (entry.fieldsType !== 'FieldsV1' || fields === undefined) return undefined
  return {
    ...{
      manager: text(entry.manager),
      operation,
      apiVersion,
      subresource: text(entry.subresource),
    },
    ...(typeof time === 'string' && { time }),
    fields,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** As `metadata.managedFields` has them, in the API server's order; undefined for nobody. */
export function writeManagers(managers: Managers): readonly ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined
  return [...managers.values()]
    .sort((a, b) => compareKeys(sortKeys(a), sortKeys(b)))
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      ...{ manager, operation, apiVersion },
      ...(time !== undefined && { time }),
      ...{ fieldsType: 'FieldsV1', fieldsV1: encodeFields(fields) },
      ...(subresource !== '' && { subresource }),
    }))
}

function sortKeys(one: Manager): readonly (string | number)[] {
  return [one.operation, secondsOf(one), one.manager, one.apiVersion, one.subresource]
}

function secondsOf({ time }: Manager): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000)
}

function compareKeys(
  left: readonly (string | number)[],
  right: readonly (string | number)[],
): number {
  const at = left.findIndex((key, i) => key !== right[i])
  const [a, b] = [left[at] ?? '', right[at] ?? '']
  return at < 0 ? 0 : a < b ? -1 : 1
}

/** The managers with this one, or without him where he has nothing. */
export function withManager(managers: Managers, manager: Manager): Managers {
  const all = new Map(managers)
  if (isEmpty(manager.fields)) all.delete(identityOf(manager))
  else all.set(identityOf(manager), manager)
  return all
}

/** Everything that somebody owns. */
export function ownedByAnybody(managers: Managers): FieldSet {
  return [...managers.values()].map(({ fields }) => fields).reduce(union, none)
}

const mostUpdaters = 10

/** Of too many updaters the oldest become one; appliers all stay. */
export function capped(managers: Managers): Managers {
  const updaters = [...managers.entries()].filter(([, one]) => one.operation === 'Update')
  if (updaters.length <= mostUpdaters) return managers
  updaters.sort(([a, one], [b, other]) => secondsOf(one) - secondsOf(other) || (a < b ? -1 : 1))
  const all = new Map(managers)
  const oldest = new Map<string, string>()
  let left = updaters.length
  for (const [identity, one] of updaters) {
    if (left <= mostUpdaters) break
    const bucket: Manager = { ...one, manager: 'ancient-changes', subresource: '' }
    const name = identityOf(bucket)
    const first = oldest.get(one.apiVersion)
    if (first === undefined) {
      oldest.set(one.apiVersion, identity)
      continue
    }
    const before = all.get(name) ?? all.get(first)
    if (!all.has(name)) all.delete(first)
    all.delete(identity)
    all.set(name, { ...bucket, fields: union(one.fields, before?.fields ?? none) })
    left -= 1
  }
  return all
}

/** An object without `metadata.managedFields`. */
export function withoutManagers(object: Readonly<Record<string, unknown>>) {
  const { metadata } = object
  if (!isRecord(metadata)) return object
  const kept = Object.entries(metadata).filter(([key]) => key !== 'managedFields')
  return { ...object, metadata: mapOf(kept) }
}
