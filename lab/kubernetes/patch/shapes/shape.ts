import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf, own } from '../json.ts'

/**
 * How a place in an object merges, as far as it is not the rule. The rule is: maps merge field by
 * field, lists are replaced as a whole, everything else is a value.
 */
export interface Shape {
  /** Of a map whose fields are known: those about which something is to be said. */
  readonly fields?: Readonly<Record<string, Shape>>
  /** Of a map with free keys: what each value is. */
  readonly values?: Shape
  /** Of a list: what each item is. */
  readonly items?: Shape
  /** Of a map: whoever applies it owns it whole. */
  readonly atomic?: true
  /** Of a list to appliers: items have owners of their own. Without it the list is owned whole. */
  readonly listType?: 'map' | 'set'
  /** What tells the items of a `map` list apart. */
  readonly listMapKeys?: readonly string[]
  /** Values of those keys where they are not written. */
  readonly keyDefaults?: JsonMap
  /** To strategic merge patches: lists merge item by item, or a map is replaced as a whole. */
  readonly patch?: 'merge' | 'replace'
  /** Of a list of maps that merges; it may differ from the keys that appliers go by. */
  readonly patchMergeKey?: string
  /** Patches may name the only fields that are to stay. */
  readonly retainKeys?: true
  /** The API server leaves it out where nothing is in it. */
  readonly omitEmpty?: true
  /** Of the root of a custom kind: the server keeps it as it was written, nulls and all. */
  readonly untyped?: true
  /** Fields that the API server has even where nobody wrote them, with what they are then. */
  readonly always?: JsonMap
}

export const plain: Shape = {}
export const atomic: Shape = { atomic: true }
/** A map whose keys users choose, and whose values are texts or numbers. */
export const texts: Shape = { omitEmpty: true }
/** The same, owned whole. */
export const atomicTexts: Shape = { atomic: true, omitEmpty: true }
/** A list without duplicates, whose values have owners of their own. */
export const set: Shape = { listType: 'set', omitEmpty: true }

/** A list of maps told apart by `key`, for appliers and patches alike. */
export function keyed(key: string, items: Shape = plain): Shape {
  return { ...keyedForApply([key], items), patch: 'merge', patchMergeKey: key, omitEmpty: true }
}

/** The same, but to patches a list as any other. */
export function keyedForApply(listMapKeys: readonly string[], items: Shape = plain): Shape {
  const keyDefaults = mapOf(listMapKeys.map((key) => [key, '']))
  return { listType: 'map', listMapKeys, keyDefaults, items }
}

/** A list that merges in patches, and that appliers own whole. */
export function keyedForPatch(patchMergeKey: string, items: Shape = plain): Shape {
  return { patch: 'merge', patchMergeKey, items }
}

export function fields(known: Readonly<Record<string, Shape>>, always?: JsonMap): Shape {
  return { fields: known, ...(always && { always }) }
}

export function list(items: Shape): Shape {
  return { items }
}

/** The shape of one field of a map. */
export function fieldShape(shape: Shape, key: string): Shape {
  const known = shape.fields
  if (known !== undefined && Object.hasOwn(known, key)) return known[key] ?? plain
  return shape.values ?? plain
}

/** Whether the field is one that the kind knows, and not a key that a user chose. */
export function isKnownField(shape: Shape, key: string): boolean {
  return (
    shape.values === undefined || (shape.fields !== undefined && Object.hasOwn(shape.fields, key))
  )
}

/** The value with what the API server always has: `{}` becomes the kind's empty object. */
export function withStructs(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => withStructs(item, shape.items ?? plain))
  }
  if (!isRecord(value)) return value
  const always = shape.always ?? {}
  return mapOf(
    [...new Set([...Object.keys(value), ...Object.keys(always)])].flatMap((key) => {
      const inner = fieldShape(shape, key)
      const given = Object.hasOwn(value, key) ? value[key] : own(always, key)
      const isLeftOut = inner.omitEmpty && !Object.hasOwn(always, key) && hasNothing(given)
      return isLeftOut ? [] : [[key, withStructs(given, inner)] as const]
    }),
  )
}

function hasNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}
