import { isRecord } from '@jackstay/kube/resources'
import { fieldShape, isKnownField, plain, type Shape } from '../shapes/shape.ts'
import { type Element, fieldElement, fieldOf, itemElement } from './element.ts'
import { type FieldSet, none } from './field-set.ts'

const leaf: FieldSet = { here: true, below: new Map() }

/** The paths that whoever applies this value owns. */
export function fieldsOf(value: unknown, shape: Shape): FieldSet {
  if (Array.isArray(value)) return shape.listType === undefined ? leaf : itemsOf(value, shape)
  if (!isRecord(value) || shape.atomic) return leaf
  const below = new Map<Element, FieldSet>()
  for (const [key, field] of Object.entries(value)) {
    const set = fieldsOf(field, fieldShape(shape, key))
    const isNothing = field === null || (isRecord(field) && Object.keys(field).length === 0)
    const here = set.here || isNothing || !isKnownField(shape, key)
    if (here || set.below.size > 0) below.set(fieldElement(key), { ...set, here })
  }
  return { here: false, below }
}

function itemsOf(list: readonly unknown[], shape: Shape): FieldSet {
  const below = new Map<Element, FieldSet>()
  for (const item of list) {
    const element = itemElement(item, shape)
    // of items that are there twice, nobody owns a part
    const set = below.has(element) ? none : fieldsOf(item, shape.items ?? plain)
    below.set(element, { ...set, here: true })
  }
  return { here: false, below }
}

/**
 * The set with the known fields on the way to its paths; free keys and items are on the way only where
 * they are in the set themselves.
 */
export function withNamedFields(set: FieldSet, shape: Shape, here = set.here): FieldSet {
  const below = [...set.below].map(([element, child]) => {
    const field = fieldOf(element)
    if (field === undefined) {
      return [element, withNamedFields(child, shape.items ?? plain)] as const
    }
    const isNamed = child.below.size > 0 && isKnownField(shape, field)
    const childShape = fieldShape(shape, field)
    return [element, withNamedFields(child, childShape, child.here || isNamed)] as const
  })
  return { here, below: new Map(below) }
}
