import { isRecord } from '@jackstay/kube/resources'
import { PatchRefusal } from '../refusal.ts'
import { fieldShape, plain, type Shape } from '../shapes/shape.ts'
import { type Element, fieldElement, itemElement, pathText } from './element.ts'
import type { Path } from './field-set.ts'

/** The first item of a configuration that cannot be told apart from the others, and why. */
export function firstWrongItem(value: unknown, shape: Shape, path: Path = []): string | undefined {
  if (Array.isArray(value)) {
    return shape.listType === undefined ? undefined : wrongIn(value, shape, path)
  }
  if (!isRecord(value) || shape.atomic) return undefined
  for (const [key, field] of Object.entries(value)) {
    const wrong = firstWrongItem(field, fieldShape(shape, key), [...path, fieldElement(key)])
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function wrongIn(list: readonly unknown[], shape: Shape, path: Path): string | undefined {
  const seen = new Set<Element>()
  for (const [i, item] of list.entries()) {
    const element = elementOrWhy(item, shape)
    if (element instanceof PatchRefusal) {
      return `${pathText(path)}: element ${i}: ${element.message}`
    }
    if (seen.has(element)) {
      return `${pathText(path)}: duplicate entries for key ${pathText([element])}`
    }
    seen.add(element)
    const wrong = firstWrongItem(item, shape.items ?? plain, [...path, element])
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function elementOrWhy(item: unknown, shape: Shape): Element | PatchRefusal {
  try {
    return itemElement(item, shape)
  } catch (error) {
    if (error instanceof PatchRefusal) return error
    throw error
  }
}
