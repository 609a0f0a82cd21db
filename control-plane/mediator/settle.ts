import type { Observed } from '@jackstay/actions/action'
import type { Json } from '@jackstay/contract/json'
import { canonical } from '@jackstay/contract/json'
import type { Reading } from '@jackstay/contract/plan'

/** The field manager of one intent's writes: managedFields then says whose a value is. */
export function fieldManager(intent: string, undo: boolean): string {
  return `jackstay-${intent}${undo ? '-undo' : ''}`
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined
}

function tokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The value at a JSON pointer, or undefined. */
export function at(object: Observed, pointer: string): Json | undefined {
  let value: Json | undefined = object
  for (const token of tokens(pointer)) value = member(value, token)
  return value
}

/** Whether every field stands exactly as read before. */
export function stands(object: Observed, readings: readonly Reading[]): boolean {
  return readings.every(({ path, value }) => {
    const now = at(object, path)
    if (value === 'absent') return now === undefined
    return now !== undefined && canonical(now) === canonical(value.is)
  })
}

/** Whether an entry of managedFields covers the field: walks its `f:` keys (structured-merge-diff). */
function covers(entry: Json, pointer: string): boolean {
  let fields = member(entry, 'fieldsV1')
  for (const token of tokens(pointer)) {
    fields = member(fields, `f:${token}`)
    if (fields === undefined) return false
  }
  return true
}

/**
 * Whether the field is `manager`'s and nobody else's by managedFields: it wrote the value last, and
 * nobody has put the same value under their own name since.
 */
export function ownedBy(object: Observed, pointer: string, manager: string): boolean {
  const entries = member(member(object, 'metadata'), 'managedFields')
  if (!Array.isArray(entries)) return false
  const owners = (entries as readonly Json[]).filter((entry) => covers(entry, pointer))
  return owners.length === 1 && owners.every((entry) => member(entry, 'manager') === manager)
}

/** The write landed: its values stand and its manager is who wrote them. */
export function landed(object: Observed, after: readonly Reading[], manager: string): boolean {
  return (
    stands(object, after) &&
    after.every(({ path, value }) => value === 'absent' || ownedBy(object, path, manager))
  )
}
