import { isRecord } from '@jackstay/kube/resources'

export type JsonMap = Readonly<Record<string, unknown>>

/** The value of an own field: `constructor` and its like are fields as any other here. */
export function own(map: JsonMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** A map of these entries, in which `__proto__` is a plain field too. */
export function mapOf(entries: Iterable<readonly [string, unknown]>): JsonMap {
  return Object.fromEntries(entries)
}

/** `map` with one field set, or left out where `value` is undefined. */
export function withField(map: JsonMap, key: string, value: unknown): JsonMap {
  const kept = Object.entries(map).filter(([name]) => name !== key)
  return mapOf(value === undefined ? kept : [...kept, [key, value]])
}

/** Whether two JSON values are the same; the order of fields says nothing. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, i) => sameJson(item, right[i]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]))
}

/** Without the fields that are null, in maps that are in lists too; nulls of lists stay. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isRecord(value)) return value
  const kept = Object.entries(value).filter(([, field]) => field !== null)
  return mapOf(kept.map(([key, field]) => [key, withoutNulls(field)]))
}
