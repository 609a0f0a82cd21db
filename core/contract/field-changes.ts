import { assertNever } from './errors.ts'
import { canonical, isList, isMap, type Json } from './json.ts'
import type { PatchWrite, PlannedWrite, Reading } from './plan.ts'

/** One field that a write changes; undefined where it is absent. */
export interface FieldChange {
  /** JSON pointer (RFC 6901) into the object. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonical(a) === canonical(b)
}

/** One token of a JSON pointer. */
export function token(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The keys of a JSON pointer. */
export function tokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The value at a JSON pointer, or undefined. */
export function at(object: Json, pointer: string): Json | undefined {
  let value: Json | undefined = object
  for (const key of tokens(pointer)) value = member(value, key)
  return value
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (isMap(value)) return Object.hasOwn(value, key) ? value[key] : undefined
  return isList(value) && /^(0|[1-9][0-9]*)$/.test(key) ? value[Number(key)] : undefined
}

/**
 * What a write changes, field by field, for people and rules. A merge patch writes lists whole, and
 * so its readings hold them; here the items of a list that keeps its order are looked into.
 * Of an object that comes or goes it is the whole, with the empty path.
 */
export function fieldChanges(write: PlannedWrite): readonly FieldChange[] {
  switch (write.verb) {
    case 'patch':
      return patchedFields(write)
    case 'evict':
      return [{ path: '', before: 'present', after: undefined }]
    case 'create':
      return [{ path: '', before: undefined, after: write.body }]
    default:
      return assertNever(write)
  }
}

function patchedFields({ before, after }: Pick<PatchWrite, 'before' | 'after'>) {
  const changes: FieldChange[] = []
  for (const path of new Set([...before, ...after].map((r) => r.path))) {
    const [old, now] = [valueAt(before, path), valueAt(after, path)]
    // a write that changes nothing is shown as what it is
    if (same(old, now)) changes.push({ path, before: old, after: now })
    else collect(path, old, now, changes)
  }
  return changes
}

export function valueAt(readings: readonly Reading[], path: string): Json | undefined {
  const value = readings.find((r) => r.path === path)?.value
  return value === undefined || value === 'absent' ? undefined : value.is
}

function collect(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  into: FieldChange[],
): void {
  for (const change of mapChanges(path, before, after)) {
    const { before: old, after: now } = change
    if (isList(old) && isList(now) && inStep(old, now)) {
      for (const [i, item] of old.entries()) collect(`${change.path}/${i}`, item, now[i], into)
    } else into.push(change)
  }
}

/** The fields in which two values differ: maps are looked into, lists are values. */
export function mapChanges(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
): readonly FieldChange[] {
  if (!isMap(before) || !isMap(after)) return same(before, after) ? [] : [{ path, before, after }]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    mapChanges(`${path}/${token(key)}`, member(before, key), member(after, key)),
  )
}

/** Both lists have the same items by name, in the same order. */
function inStep(before: readonly Json[], after: readonly Json[]): boolean {
  return (
    before.length === after.length &&
    before.every((item, i) => {
      const other = after[i]
      return isMap(item) && isMap(other) && same(item.name, other.name)
    })
  )
}
