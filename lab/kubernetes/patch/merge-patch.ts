import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf, own, withoutNulls } from './json.ts'
import { badPatch } from './refusal.ts'

/**
 * Applies a JSON merge patch (RFC 7386) to an object.
 * @throws PatchRefusal 400 for a patch that is no object
 */
export function applyMergePatch(target: JsonMap, patch: unknown): JsonMap {
  if (!isRecord(patch)) {
    throw badPatch(
      `error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    )
  }
  return mergeMaps(target, patch)
}

function mergeMaps(target: JsonMap, patch: JsonMap): JsonMap {
  const merged = new Map(Object.entries(target))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergeValues(own(target, key), value))
  }
  return mapOf(merged)
}

/** Beyond the RFC, the API server leaves nulls out of maps in lists as well: no object has any. */
function mergeValues(target: unknown, patch: unknown): unknown {
  return isRecord(target) && isRecord(patch) ? mergeMaps(target, patch) : withoutNulls(patch)
}

/** What Go's decoder calls a JSON value. */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}
