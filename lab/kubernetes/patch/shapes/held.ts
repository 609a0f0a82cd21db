import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, withoutNulls } from '../json.ts'
import { type Shape, withStructs } from './shape.ts'

/**
 * An object as the API server holds it after reading it: of a built-in kind without nulls and empty
 * maps of texts, and with the fields that its kind always has; of a custom kind metadata alone is so.
 */
export function asHeld(value: unknown, shape: Shape): JsonMap {
  const map = isRecord(value) ? value : {}
  const kept = shape.untyped
    ? { ...map, metadata: withoutNulls(map.metadata ?? {}) }
    : withoutNulls(map)
  const whole = withStructs(kept, shape)
  return isRecord(whole) ? whole : {}
}
