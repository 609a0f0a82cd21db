import { isRecord } from '@jackstay/kube/resources'
import { own, sameJson } from '../json.ts'
import { fieldShape, plain, type Shape } from '../shapes/shape.ts'
import { type Element, fieldElement, itemElement } from './element.ts'
import { type FieldSet, type Path, setOf } from './field-set.ts'

/** What became of the fields of an object. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

interface Found {
  readonly added: Path[]
  readonly modified: Path[]
  readonly removed: Path[]
}

/** Compares two objects of a kind, path by path. */
export function compare(before: unknown, after: unknown, shape: Shape): Comparison {
  const found: Found = { added: [], modified: [], removed: [] }
  visit(before, after, shape, [], found)
  const { added, modified, removed } = found
  return { added: setOf(added), modified: setOf(modified), removed: setOf(removed) }
}

/** Undefined is what is not there; null is there, as an empty map or list is. */
function visit(before: unknown, after: unknown, shape: Shape, path: Path, found: Found): void {
  const one = after ?? before
  const isInner = Array.isArray(one)
    ? shape.listType !== undefined && bothLists(before, after)
    : isRecord(one) && !shape.atomic && bothMaps(before, after)
  if (!isInner || (isNothing(before) && isNothing(after))) {
    visitLeaf(before, after, path, found)
    return
  }
  if (Array.isArray(one)) visitItems(before, after, shape, path, found)
  else visitFields(before, after, shape, path, found)
  if (path.length === 0) return
  if (before === undefined) found.added.push(path)
  else if (after === undefined) found.removed.push(path)
}

function bothLists(...values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined || value === null || Array.isArray(value))
}

function bothMaps(...values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined || value === null || isRecord(value))
}

function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isRecord(value)) return Object.keys(value).length === 0
  return value === undefined || value === null
}

function visitLeaf(before: unknown, after: unknown, path: Path, found: Found): void {
  if (before === undefined) found.added.push(path)
  else if (after === undefined) found.removed.push(path)
  else if (!sameJson(before, after)) found.modified.push(path)
}

function visitFields(
  before: unknown,
  after: unknown,
  shape: Shape,
  path: Path,
  found: Found,
): void {
  const [left, right] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}]
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const next = [...path, fieldElement(key)]
    visit(own(left, key), own(right, key), fieldShape(shape, key), next, found)
  }
}

function visitItems(before: unknown, after: unknown, shape: Shape, path: Path, found: Found): void {
  const [left, right] = [byElement(before, shape), byElement(after, shape)]
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [lefts, rights] = [left.get(element) ?? [], right.get(element) ?? []]
    const next = [...path, element]
    const items = shape.items ?? plain
    if (lefts.length <= 1 && rights.length <= 1) visit(lefts[0], rights[0], items, next, found)
    else if (lefts.length > 1 && rights.length > 1) {
      if (!sameJson(lefts, rights)) found.modified.push(next)
    } else if (lefts.length > 1) {
      if (rights.length > 0) visit(undefined, rights[0], items, next, found)
      found.removed.push(next)
    } else {
      if (lefts.length > 0) visit(lefts[0], undefined, items, next, found)
      found.added.push(next)
    }
  }
}

function byElement(list: unknown, shape: Shape): ReadonlyMap<Element, readonly unknown[]> {
  const items: readonly unknown[] = Array.isArray(list) ? list : []
  return Map.groupBy(items, (item) => itemElement(item, shape))
}
