import type { Observed } from '@jackstay/actions/action'
import { at, same, tokens, valueAt } from '@jackstay/contract/field-changes'
import { isList, isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import type { Reading } from '@jackstay/contract/plan'

/** The field manager of one intent's writes: managedFields then says whose a value is. */
export function fieldManager(intent: string, undo: boolean): string {
  return `jackstay-${intent}${undo ? '-undo' : ''}`
}

/** Whether every field stands exactly as read before. */
export function stands(object: Observed, readings: readonly Reading[]): boolean {
  return readings.every(({ path, value }) => {
    const now = at(object, path)
    return value === 'absent' ? now === undefined : now !== undefined && same(now, value.is)
  })
}

/** The fields of one write, or of its inverse. */
export interface Change {
  readonly before: readonly Reading[]
  readonly after: readonly Reading[]
}

/**
 * The write landed: what it changed stands, and by managedFields it is `manager`'s and nobody else's,
 * who thus wrote it last. A list is written whole, but only what changed in it is looked at: somebody
 * else may have changed another item since.
 */
export function landed(object: Observed, { before, after }: Change, manager: string): boolean {
  const paths = [...new Set([...before, ...after].map((r) => r.path))]
  const changes = paths.map((path) => {
    const [now, owners] = [at(object, path), ownersAt(object, path)]
    return { before: valueAt(before, path), after: valueAt(after, path), now, owners }
  })
  const moving = changes.filter((c) => !same(c.before, c.after))
  // a write that changes nothing is found by its manager alone
  return moving.length === 0
    ? changes.every((c) => same(c.now, c.after) && isOnly(c.owners, manager))
    : moving.every((c) => ours(c, manager))
}

/**
 * Whether reading can tell who made the change. What was only removed has no owner: where it is gone,
 * anybody may have removed it.
 */
export function isSigned({ before, after }: Change): boolean {
  const paths = [...new Set([...before, ...after].map(({ path }) => path))]
  const changes = paths.flatMap((path) => {
    const [was, is] = [valueAt(before, path), valueAt(after, path)]
    return same(was, is) ? [] : [adds(was, is)]
  })
  return changes.length === 0 || changes.includes(true)
}

/** Something stands after it that did not stand so before. */
function adds(before: Json | undefined, after: Json | undefined): boolean {
  if (after === undefined) return false
  if (isMap(before) && isMap(after)) {
    return Object.keys(after).some((key) => {
      const [was, is] = [own(before, key), own(after, key)]
      return !same(was, is) && adds(was, is)
    })
  }
  if (isList(before) && isList(after)) {
    return after.some((item) => !before.some((old) => same(old, item)))
  }
  return true
}

/** Every field stands as we left it, lists whole: taking the write back takes nothing else along. */
export function untouched(object: Observed, change: Change, manager: string): boolean {
  return stands(object, change.after) && landed(object, change, manager)
}

/** Who owns something below a place, as managedFields (structured-merge-diff) have it. */
interface Owner {
  readonly manager: Json | undefined
  readonly fields: JsonMap
}

interface Place {
  readonly before: Json | undefined
  readonly after: Json | undefined
  readonly now: Json | undefined
  readonly owners: readonly Owner[]
}

function isOnly(owners: readonly Owner[], manager: string): boolean {
  return owners.length > 0 && owners.every((owner) => owner.manager === manager)
}

function ours({ before, after, now, owners }: Place, manager: string): boolean {
  if (same(before, after)) return true
  if (after === undefined) return now === undefined
  // a map that was emptied is nobody's work; one that came empty is its writer's
  if (isMap(after) && isMap(now) && (isMap(before) || Object.keys(after).length > 0)) {
    const old = isMap(before) ? before : {}
    return [...new Set([...Object.keys(after), ...Object.keys(old)])].every((key) => {
      const below = children(owners, (k) => k === `f:${key}`)
      const parts = { before: own(old, key), after: own(after, key), now: own(now, key) }
      return ours({ ...parts, owners: below }, manager)
    })
  }
  if (isList(after) && isList(now)) {
    const old = isList(before) ? before : []
    const keys = new Set(owners.flatMap(({ fields }) => Object.keys(fields).filter(isItemKey)))
    if (keys.size > 0) {
      // an item without a key has no owner that could be told
      const known = (item: Json) => [...keys].some((key) => isItem(key, item))
      if (!after.every(known)) return false
      return [...keys].every((key) => {
        const find = (list: readonly Json[]) => list.find((item) => isItem(key, item))
        const parts = { before: find(old), after: find(after), now: find(now) }
        return ours({ ...parts, owners: children(owners, (k) => k === key) }, manager)
      })
    }
  }
  return same(now, after) && isOnly(owners, manager)
}

function own(map: JsonMap, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** `k:{…}` names an item of a list by its keys, `v:…` an item of a set by its value. */
function isItemKey(key: string): boolean {
  return key.startsWith('k:') || key.startsWith('v:')
}

function isItem(key: string, item: Json): boolean {
  if (!isItemKey(key)) return false
  const named = JSON.parse(key.slice(2)) as Json
  if (key.startsWith('v:')) return same(named, item)
  return isMap(named) && isMap(item) && Object.keys(named).every((k) => same(item[k], named[k]))
}

/**
 * The owners one step down. Where nobody's fields go further the value is atomic: whoever owns it
 * owns all of it.
 */
function children(owners: readonly Owner[], matches: (key: string) => boolean): readonly Owner[] {
  const isLeaf = ({ fields }: Owner) => Object.keys(fields).every((key) => key === '.')
  if (owners.every(isLeaf)) return owners
  return owners.flatMap(({ manager, fields }) =>
    Object.entries(fields).flatMap(([key, below]) =>
      matches(key) && isMap(below) ? [{ manager, fields: below }] : [],
    ),
  )
}

/** The owners of what is at a JSON pointer; an index of a list stands for the item's keys. */
function ownersAt(object: Observed, pointer: string): readonly Owner[] {
  let owners = roots(object)
  let path = ''
  for (const [i, key] of tokens(pointer).entries()) {
    const parent = at(object, path)
    path += `/${pointer.split('/')[i + 1] ?? ''}`
    const value = at(object, path)
    owners = isList(parent)
      ? children(owners, (k) => value !== undefined && isItem(k, value))
      : children(owners, (k) => k === `f:${key}`)
  }
  return owners
}

function roots(object: Observed): readonly Owner[] {
  const entries = at(object, '/metadata/managedFields')
  if (!isList(entries)) return []
  return entries.flatMap((entry) => {
    if (!isMap(entry) || !isMap(entry.fieldsV1)) return []
    return [{ manager: entry.manager, fields: entry.fieldsV1 }]
  })
}
