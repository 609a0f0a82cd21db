import { isRecord, type KubeObject, type ManagedFieldsEntry } from '@jackstay/kube/resources'
import { isEmpty, none, outside, union } from './fields/field-set.ts'
import {
  capped,
  identityOf,
  type Manager,
  type Managers,
  readManagers,
  withManager,
  withoutManagers,
  writeManagers,
} from './fields/owners.ts'
import { type FieldsWrite, ownable, settle } from './fields/ownership.ts'
import { type JsonMap, mapOf, sameJson } from './json.ts'
import { withStructs } from './shapes/shape.ts'

export type { FieldsWrite } from './fields/ownership.ts'

type Entries = readonly ManagedFieldsEntry[] | undefined

/**
 * Who owns what after a create, an update or a patch: `metadata.managedFields` of `after`. It is to be
 * asked with defaults filled in, and before admission and the strategy change the object.
 *
 * `before` is undefined for a new object. The entries that `after` carries count, as somebody may
 * correct them; an empty list ends all ownership.
 */
export function managedFieldsAfter(
  before: KubeObject | undefined,
  after: KubeObject,
  write: FieldsWrite,
): Entries {
  const managers = managersFor(before, after, write.subresource)
  if (managers.size === 0 && before !== undefined) return undefined
  return writeManagers(capped(afterUpdate(before ?? {}, after, managers, write)))
}

function managersFor(
  before: KubeObject | undefined,
  after: KubeObject,
  subresource: string,
): Managers {
  const live = readManagers(before?.metadata.managedFields) ?? new Map()
  const given: unknown = after.metadata.managedFields
  if (subresource !== '') return live
  if (isReset(given)) return new Map()
  const read = readManagers(given)
  return read === undefined || read.size === 0 ? live : read
}

function isReset(given: unknown): boolean {
  if (!Array.isArray(given) || given.length > 1) return false
  const [entry] = given
  return given.length === 0 || (isRecord(entry) && Object.keys(entry).length === 0)
}

/** The managers after whatever `write` made of the object. */
export function afterUpdate(
  before: JsonMap,
  after: JsonMap,
  managers: Managers,
  write: FieldsWrite,
): Managers {
  const { shape, reset, manager, apiVersion, subresource, time } = write
  const [left, right] = [before, after].map((one) => withStructs(withoutManagers(one), shape))
  const settled = settle(left, right, managers, '', write)
  const { added, modified } = settled.comparison
  const fields = ownable(outside(union(added, modified), reset))
  if (isEmpty(fields)) return settled.managers
  const self: Manager = { manager, operation: 'Update', apiVersion, subresource, time, fields }
  const earlier = settled.managers.get(identityOf(self))
  return withManager(settled.managers, { ...self, fields: union(fields, earlier?.fields ?? none) })
}

/** The object with these entries. */
export function withManagedFields<T extends KubeObject>(object: T, managedFields: Entries): T {
  const kept = Object.entries(object.metadata).filter(([key]) => key !== 'managedFields')
  const metadata = mapOf([
    ...kept,
    ...(managedFields === undefined ? [] : [['managedFields', managedFields] as const]),
  ])
  return { ...object, metadata }
}

/** A write that changes nothing but times of managers leaves those as they were. */
export function withoutIdleTimes<T extends KubeObject>(before: KubeObject, after: T): T {
  const timeless = (object: KubeObject) => ({
    ...object,
    metadata: {
      ...object.metadata,
      resourceVersion: '',
      managedFields: (object.metadata.managedFields ?? []).map(({ time: _, ...entry }) => entry),
    },
  })
  if (!sameJson(timeless(before), timeless(after))) return after
  return withManagedFields(after, before.metadata.managedFields)
}

/** Who writes: the `fieldManager` of the request, or what its user agent calls itself. */
export function managerOf(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager !== undefined && fieldManager !== '') return fieldManager
  const [program = ''] = (userAgent ?? '').split('/')
  const printable = program.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 128)
  return printable === '' ? 'unknown' : printable
}
