import { type Json, parseLimited } from '@jackstay/contract/json'
import type { KubeObject } from '@jackstay/kube/resources'

const withheld = '[withheld]'
const maxAnnotation = 1024
const dropped = new Set(['kubectl.kubernetes.io/last-applied-configuration'])
/** Lists of `{name, value}` whose values may be secrets: environment variables, probe headers. */
const namesOnly = new Set(['env', 'httpHeaders'])

/** Larger than any object the API server stores. */
const limits = { bytes: 16 * 1024 * 1024, depth: 64, nodes: 1_000_000 }

/**
 * An object as an agent may see it (T38): without managed fields and copies of itself in
 * annotations, environment variables and probe headers by name only.
 */
export function strip(object: KubeObject): Json {
  return clean(parseLimited(JSON.stringify(object), limits))
}

function clean(value: Json): Json {
  if (isList(value)) return value.map(clean)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, Json][] => {
      if (key === 'managedFields') return []
      if (key === 'annotations' && isMap(item)) return [[key, annotations(item)]]
      if (namesOnly.has(key) && isList(item)) return [[key, item.map(nameOf)]]
      return [[key, clean(item)]]
    }),
  )
}

function annotations(map: { readonly [key: string]: Json }): Json {
  return Object.fromEntries(
    Object.entries(map)
      .filter(([key]) => !dropped.has(key))
      .map(([key, text]) => {
        const short = typeof text === 'string' && text.length <= maxAnnotation
        return [key, short ? text : withheld]
      }),
  )
}

function nameOf(item: Json): Json {
  return isMap(item) && typeof item.name === 'string' ? { name: item.name } : withheld
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
