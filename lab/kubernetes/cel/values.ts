/**
 * A value of CEL is JSON as it stands (its numbers are read by `fromJson`), a `bigint` for an int, or one of
 * the classes below. Nothing is copied to be looked at: a policy reads a few fields of a large object.
 */
export type CelValue = unknown

/** What went wrong while an expression ran, in the API server's words. */
export class CelError extends Error {
  override name = 'CelError'
}

export const noOverload = () => new CelError('no such overload')

export class Double {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** An amount such as `250m`, in billionths. */
export class Quantity {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class TypeName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export class Optional {
  static readonly none = new Optional(undefined)
  /** `undefined` where there is none. */
  readonly value: CelValue
  constructor(value: CelValue) {
    this.value = value
  }
}

/** A list whose items are a set, or are known by their key fields: their order says nothing. */
export class Unordered {
  readonly items: readonly CelValue[]
  readonly keyOf: (item: CelValue) => string
  constructor(items: readonly CelValue[], keyOf: (item: CelValue) => string) {
    this.items = items
    this.keyOf = keyOf
  }
}

export type Key = string | bigint | boolean
export type CelMap = Readonly<Record<string, CelValue>> | ReadonlyMap<Key, CelValue>

const opaque = [
  Double,
  Uint,
  Duration,
  Timestamp,
  Quantity,
  TypeName,
  Optional,
  Unordered,
  Uint8Array,
]

export function fromJson(value: CelValue): CelValue {
  if (typeof value !== 'number') return value
  return Number.isInteger(value) ? BigInt(value) : new Double(value)
}

/** The items of a list, or nothing. */
export function listOf(value: CelValue): readonly CelValue[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof Unordered ? value.items : undefined
}

export function isMap(value: CelValue): value is CelMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !opaque.some((type) => value instanceof type)
}

/** What stands under a key, `undefined` where nothing does. */
export function at(map: CelMap, key: CelValue): CelValue {
  if (map instanceof Map) return fromJson(map.get(key instanceof Uint ? key.value : key))
  if (typeof key !== 'string' || !Object.hasOwn(map, key)) return undefined
  return fromJson(Reflect.get(map, key))
}

export function keysOf(map: CelMap): readonly CelValue[] {
  return map instanceof Map ? [...map.keys()] : Object.keys(map)
}

/** A whole number's or a fraction's worth, for comparisons over kinds of numbers. */
export function numberOf(value: CelValue): number | bigint | undefined {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint || value instanceof Double) return value.value
  return undefined
}

export function equal(one: CelValue, other: CelValue): boolean {
  const [a, b] = [fromJson(one), fromJson(other)]
  if (a === b) return true
  const [left, right] = [numberOf(a), numberOf(b)]
  // biome-ignore lint/suspicious/noDoubleEquals: 1 and 1n are equal in CEL
  if (left !== undefined && right !== undefined) return left == right
  if (a instanceof Optional && b instanceof Optional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value
    return equal(a.value, b.value)
  }
  if (a instanceof Unordered && b instanceof Unordered) return sameSet(a, b)
  const [list, list2] = [listOf(a), listOf(b)]
  if (list !== undefined && list2 !== undefined) {
    return list.length === list2.length && list.every((item, i) => equal(item, list2[i]))
  }
  if (isMap(a) && isMap(b)) return sameMap(a, b)
  return sameTime(a, b)
}

function sameSet(a: Unordered, b: Unordered): boolean {
  if (a.items.length !== b.items.length) return false
  const byKey = new Map(b.items.map((item) => [b.keyOf(item), item]))
  return a.items.every((item) => {
    const key = a.keyOf(item)
    return byKey.has(key) && equal(item, byKey.get(key))
  })
}

function sameMap(a: CelMap, b: CelMap): boolean {
  const keys = keysOf(a)
  if (keys.length !== keysOf(b).length) return false
  return keys.every((key) => {
    const value = at(b, key)
    return value !== undefined && equal(at(a, key), value)
  })
}

function sameTime(a: CelValue, b: CelValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (a instanceof TypeName && b instanceof TypeName) return a.name === b.name
  for (const type of [Duration, Timestamp, Quantity]) {
    if (a instanceof type && b instanceof type) return a.nanos === b.nanos
  }
  return false
}

export function typeOf(value: CelValue): string {
  if (value === null) return 'null_type'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'bigint') return 'int'
  if (value instanceof Double) return 'double'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Quantity) return 'kubernetes.Quantity'
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof TypeName) return 'type'
  return listOf(value) === undefined ? 'map' : 'list'
}
