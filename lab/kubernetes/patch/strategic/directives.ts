import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf } from '../json.ts'
import { badPatch, internal } from '../refusal.ts'

export const patchDirective = '$patch'
export const retainKeys = '$retainKeys'
const setOrder = '$setElementOrder'
const deleteFrom = '$deleteFromPrimitiveList'

/** The list that a field named `$setElementOrder/<list>` is about. */
export function orderedField(key: string): string | undefined {
  return targetOf(key, setOrder, 'invalid patch format of setElementOrder list')
}

/** The list that a field named `$deleteFromPrimitiveList/<list>` is about. */
export function thinnedField(key: string): string | undefined {
  return targetOf(key, deleteFrom, 'invalid patch format of primitive list')
}

function targetOf(key: string, prefix: string, wrong: string): string | undefined {
  if (!key.startsWith(prefix)) return undefined
  const [word, ...field] = key.split('/')
  if (word !== prefix || field.length === 0) throw badPatch(wrong)
  return field.join('/')
}

export function isDirected(value: unknown): value is JsonMap {
  return isRecord(value) && Object.hasOwn(value, patchDirective)
}

/** A value that is taken as it is: what carries a directive was for something that is not there. */
export function undirected(value: unknown): unknown {
  if (isDirected(value)) return undefined
  if (Array.isArray(value)) return value.map(undirected).filter((item) => item !== undefined)
  if (!isRecord(value)) return value
  const kept = Object.entries(value).map(([key, field]) => [key, undirected(field)] as const)
  return mapOf(kept.filter(([, field]) => field !== undefined))
}

const words = [patchDirective, retainKeys, `${setOrder}/`, `${deleteFrom}/`]

/** Without what no object has: nulls, and directives that nothing was made of. */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue)
  if (!isRecord(value)) return value
  const kept = Object.entries(value).filter(
    ([key, field]) => field !== null && !words.some((word) => key.startsWith(word)),
  )
  return mapOf(kept.map(([key, field]) => [key, plainValue(field)]))
}

export function unknownDirective(directive: unknown, patch: JsonMap): Error {
  return internal(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`)
}

export function noMergeKey(item: JsonMap, key: string): Error {
  return internal(`map: ${goText(item)} does not contain declared merge key: ${key}`)
}

/** A value as Go prints it, which is how the API server shows parts of a patch. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (value === null || value === undefined) return '<nil>'
  if (!isRecord(value)) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, field]) => `${key}:${goText(field)}`).join(' ')}]`
}
