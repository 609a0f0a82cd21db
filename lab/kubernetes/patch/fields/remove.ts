import { isRecord } from '@jackstay/kube/resources'
import { mapOf } from '../json.ts'
import { fieldShape, plain, type Shape } from '../shapes/shape.ts'
import { fieldElement, itemElement } from './element.ts'
import { type FieldSet, isEmpty, under } from './field-set.ts'

/** The value without these paths; a map or list that nothing is left of is null. */
export function removeFields(value: unknown, gone: FieldSet, shape: Shape): unknown {
  if (Array.isArray(value)) {
    if (shape.listType === undefined) return null
    const left = value.flatMap((item) => {
      const set = under(gone, itemElement(item, shape))
      return set.here ? [] : [removeBelow(item, set, shape.items ?? plain)]
    })
    return left.length === 0 ? null : left
  }
  if (!isRecord(value)) return value
  if (shape.atomic) return null
  const left = Object.entries(value).flatMap(([key, field]) => {
    const set = under(gone, fieldElement(key))
    return set.here ? [] : [[key, removeBelow(field, set, fieldShape(shape, key))] as const]
  })
  return left.length === 0 ? null : mapOf(left)
}

function removeBelow(value: unknown, gone: FieldSet, shape: Shape): unknown {
  return isEmpty(gone) ? value : removeFields(value, gone, shape)
}
