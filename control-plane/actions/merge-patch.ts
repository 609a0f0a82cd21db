import { same } from '@jackstay/contract/field-changes'
import { isMap, type Json, type JsonMap } from '@jackstay/contract/json'

/** The JSON merge patch (RFC 7396) that turns `from` into `to`: lists whole, `null` for what goes. */
export function mergePatch(from: JsonMap, to: JsonMap): JsonMap {
  const patch: Record<string, Json> = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null
  for (const [key, wanted] of Object.entries(to)) {
    const old = Object.hasOwn(from, key) ? from[key] : undefined
    if (same(old, wanted)) continue
    patch[key] = isMap(old) && isMap(wanted) ? mergePatch(old, wanted) : wanted
  }
  return patch
}
