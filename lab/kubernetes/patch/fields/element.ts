import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf, own, sameJson } from '../json.ts'
import { internal } from '../refusal.ts'
import type { Shape } from '../shapes/shape.ts'

/**
 * One step of a path, as `fieldsV1` writes it: `f:<field>`, `k:<keys of an item>`, `v:<item>` or
 * `i:<index>`. Two steps are the same when their texts are.
 */
export type Element = string

export function fieldElement(field: string): Element {
  return `f:${field}`
}

/** The name of the field, where the step is one. */
export function fieldOf(element: Element): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined
}

/** @throws PatchRefusal where an item of the list cannot be told apart from others */
export function itemElement(item: unknown, shape: Shape): Element {
  if (shape.listType === 'set') return valueElement(item)
  if (!isRecord(item)) {
    const what = item === null ? 'a null element' : 'non-map elements'
    throw internal(`associative list with keys may not have ${what}`)
  }
  const keys = shape.listMapKeys ?? []
  const given = keys.flatMap((key) => {
    const value = own(item, key) ?? own(shape.keyDefaults ?? {}, key)
    return value === undefined ? [] : [[key, value] as const]
  })
  if (given.length === 0) {
    throw internal(
      `associative list with keys has an element that omits all key fields ${JSON.stringify(keys).replaceAll(',', ' ')} (and doesn't have default values for any key fields)`,
    )
  }
  return keyElement(mapOf(given))
}

function valueElement(item: unknown): Element {
  if (item === null) {
    throw internal("associative list without keys has an element that's an explicit null")
  }
  if (isRecord(item)) {
    throw internal("associative list without keys has an element that's a map type")
  }
  if (Array.isArray(item)) {
    throw internal('not supported: associative list with lists as elements')
  }
  return `v:${JSON.stringify(item)}`
}

function keyElement(keys: JsonMap): Element {
  const sorted = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))
  return `k:${JSON.stringify(mapOf(sorted))}`
}

/** A step as somebody wrote it, in our writing; undefined for what is none. */
export function parseElement(text: string): Element | undefined {
  const [kind, rest] = [text.slice(0, 2), text.slice(2)]
  if (kind === 'f:') return text
  const value = parse(rest)
  if (value === undefined) return undefined
  if (kind === 'k:') return isRecord(value) ? keyElement(value) : undefined
  if (kind === 'v:') return `v:${JSON.stringify(value)}`
  return kind === 'i:' && Number.isInteger(value) ? text : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Such as `.spec.containers[name="app"].image`. */
export function pathText(path: readonly Element[]): string {
  return path.map(elementText).join('')
}

function elementText(element: Element): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  const value = parse(rest)
  if (element.startsWith('k:') && isRecord(value)) {
    const keys = Object.entries(value).map(([key, one]) => `${key}=${JSON.stringify(one)}`)
    return `[${keys.join(',')}]`
  }
  return element.startsWith('v:') ? `[=${rest}]` : `[${rest}]`
}

const order = ['f', 'k', 'v', 'i']

/** Fields first, then items; the API server's order. */
export function compareElements(left: Element, right: Element): number {
  const kinds = order.indexOf(left.slice(0, 1)) - order.indexOf(right.slice(0, 1))
  if (kinds !== 0 || left === right) return kinds
  if (left.startsWith('f:')) return left < right ? -1 : 1
  return compareValues(parse(left.slice(2)), parse(right.slice(2)))
}

function compareValues(left: unknown, right: unknown): number {
  if (isRecord(left) && isRecord(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
    const key = keys.find((one) => !sameJson(left[one], right[one]))
    return key === undefined ? 0 : compareValues(left[key], right[key])
  }
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return String(left) < String(right) ? -1 : 1
}
