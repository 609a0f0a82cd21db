import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf } from '../json.ts'
import { compareElements, type Element, parseElement } from './element.ts'
import { type FieldSet, none } from './field-set.ts'

/** A set as `fieldsV1` of `metadata.managedFields` has it. */
export function encodeFields(set: FieldSet): JsonMap {
  const children = [...set.below].sort(([a], [b]) => compareElements(a, b))
  const self: (readonly [string, unknown])[] = set.here && children.length > 0 ? [['.', {}]] : []
  return mapOf([
    ...self,
    ...children.map(([element, child]) => [element, encodeFields(child)] as const),
  ])
}

/** Undefined for what is no `fieldsV1`. */
export function decodeFields(fields: unknown): FieldSet | undefined {
  if (fields === undefined || fields === null) return none
  if (!isRecord(fields)) return undefined
  return Object.keys(fields).length === 0 ? none : decodeChildren(fields)
}

function decodeChildren(fields: JsonMap): FieldSet | undefined {
  const below = new Map<Element, FieldSet>()
  let here = Object.keys(fields).length === 0
  for (const [key, value] of Object.entries(fields)) {
    if (key === '.') {
      here = true
      continue
    }
    const element = parseElement(key)
    const child = isRecord(value) ? decodeChildren(value) : undefined
    if (element === undefined || child === undefined) return undefined
    below.set(element, child)
  }
  return { here, below }
}
