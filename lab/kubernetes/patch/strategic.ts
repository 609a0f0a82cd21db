import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf, own, withoutNulls } from './json.ts'
import { goKind } from './merge-patch.ts'
import { badPatch, internal, PatchRefusal, unprocessable } from './refusal.ts'
import { fieldShape, plain, type Shape } from './shapes/shape.ts'
import {
  goText,
  orderedField,
  patchDirective,
  plainValue,
  retainKeys,
  thinnedField,
  undirected,
  unknownDirective,
} from './strategic/directives.ts'
import { checkOrder, identity, inOrder } from './strategic/order.ts'

/**
 * Applies a strategic merge patch to an object of a built-in kind; see
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 * @throws PatchRefusal 400 for what is no such patch, 422 and 500 for what cannot be merged
 */
export function applyStrategicMergePatch(target: JsonMap, patch: unknown, shape: Shape): JsonMap {
  if (!isRecord(patch)) {
    throw badPatch(
      `json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    )
  }
  const merged = plainValue(mergeMap(target, patch, shape))
  return isRecord(merged) ? merged : {}
}

/** What a custom kind answers to a strategic merge patch. */
export function noStrategicMergePatch(): PatchRefusal {
  const accepted = [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/apply-patch+yaml',
  ]
  return new PatchRefusal(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

function mergeMap(original: JsonMap, patch: JsonMap, shape: Shape): JsonMap {
  const directive = own(patch, patchDirective)
  if (directive === 'delete') return {}
  if (directive === 'replace') return mapOf(rest(patch, patchDirective))
  if (directive !== undefined) throw unknownDirective(directive, patch)
  const merged = new Map(Object.entries(retained(original, patch)))
  const fields = mapOf(rest(patch, retainKeys))
  const ordered = new Set<string>()
  for (const [key, order] of Object.entries(fields)) {
    const field = orderedField(key)
    if (field === undefined) continue
    ordered.add(key).add(field)
    const list = orderedList(merged.get(field), own(fields, field), order, fieldShape(shape, field))
    if (list !== undefined) merged.set(field, list)
  }
  for (const [key, value] of Object.entries(fields)) {
    if (ordered.has(key)) continue
    const thinned = thinnedField(key)
    if (thinned !== undefined) thin(merged, thinned, value)
    else if (value === null) merged.delete(key)
    else setField(merged, key, value, fieldShape(shape, key))
  }
  return mapOf(merged)
}

function rest(map: JsonMap, without: string): (readonly [string, unknown])[] {
  return Object.entries(map).filter(([key]) => key !== without)
}

/** The original with the keys alone that the patch wants to keep. */
function retained(original: JsonMap, patch: JsonMap): JsonMap {
  const keys = own(patch, retainKeys)
  if (keys === undefined) return original
  const wrong = () => badPatch('invalid patch format of retainKeys')
  if (!Array.isArray(keys)) throw wrong()
  for (const [key, value] of rest(patch, retainKeys)) {
    const isDirective = orderedField(key) !== undefined || thinnedField(key) !== undefined
    if (value !== null && !isDirective && !keys.includes(key)) throw wrong()
  }
  return mapOf(Object.entries(original).filter(([key]) => keys.includes(key)))
}

function thin(merged: Map<string, unknown>, field: string, gone: unknown): void {
  const list = merged.get(field)
  if (!Array.isArray(list) || !Array.isArray(gone)) return
  merged.set(
    field,
    list.filter((item) => !gone.includes(item)),
  )
}

function setField(merged: Map<string, unknown>, key: string, value: unknown, shape: Shape): void {
  const before = merged.get(key)
  let after: unknown
  if (isRecord(before) && isRecord(value)) {
    after = shape.patch === 'replace' ? value : mergeMap(before, value, shape)
  } else if (Array.isArray(before) && Array.isArray(value)) {
    after = mergeList(before, value, shape)
  } else after = undirected(withoutNulls(value))
  if (after === undefined) merged.delete(key)
  else merged.set(key, after)
}

type List = readonly unknown[]

function mergeList(original: List, patch: List, shape: Shape): List {
  if (shape.patch !== 'merge') return patch
  if (original.length === 0 && patch.length === 0) return original
  if (!areMaps(original, patch)) {
    return inOrder([...new Set([...original, ...patch])], patch, original, shape)
  }
  if (shape.patchMergeKey === undefined) {
    throw internal('cannot merge lists without merge key')
  }
  const { left, items } = withoutSpecialItems(original, patch, shape)
  const merged = [...left]
  for (const item of items) {
    const place = merged.findIndex((one) => identity(one, shape) === identity(item, shape))
    const found = merged[place]
    if (isRecord(found) && isRecord(item)) {
      merged[place] = mergeMap(found, item, shape.items ?? plain)
    } else merged.push(item)
  }
  return inOrder(merged, items, left, shape)
}

/** Items that say what is to happen to the list do it, and are gone. */
function withoutSpecialItems(
  original: List,
  patch: List,
  shape: Shape,
): { readonly left: List; readonly items: List } {
  let left = original
  let isReplaced = false
  const items: unknown[] = []
  for (const item of patch) {
    if (!isRecord(item) || !Object.hasOwn(item, patchDirective)) {
      items.push(item)
      continue
    }
    const directive = item[patchDirective]
    if (directive === 'replace') isReplaced = true
    else if (directive === 'delete') {
      const gone = identity(item, shape)
      left = left.filter((one) => identity(one, shape) !== gone)
    } else if (directive === 'merge') {
      throw internal('merging lists cannot yet be specified in the patch')
    } else throw unknownDirective(directive, item)
  }
  return isReplaced ? { left: items, items: [] } : { left, items }
}

function orderedList(before: unknown, patch: unknown, order: unknown, shape: Shape): unknown {
  const original = listOrNone(before)
  const items = listOrNone(patch)
  const wanted = listOrNone(order)
  if (wanted === undefined) throw badPatch('invalid patch format of setElementOrder list')
  checkOrder(items ?? [], wanted, shape)
  if (original === undefined && items === undefined) return undefined
  const merged =
    original === undefined
      ? listOrNone(undirected(items))
      : items === undefined
        ? original
        : mergeList(original, items, shape)
  return inOrder(merged ?? [], wanted, original ?? [], shape)
}

function listOrNone(value: unknown): List | undefined {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value)) return value
  const kind = isRecord(value) ? 'map[string]interface {}' : typeof value
  throw internal(`expected a []interface {}, but received a ${kind}`)
}

/** @throws PatchRefusal where lists hold lists, or maps beside values */
function areMaps(...lists: readonly List[]): boolean {
  const all = lists.flat()
  if (all.some(Array.isArray)) throw unprocessable('lists of lists are not supported')
  const maps = all.filter(isRecord).length
  if (maps !== 0 && maps !== all.length) {
    throw internal(`list element types are not identical: ${goText(lists)}`)
  }
  return maps > 0
}
