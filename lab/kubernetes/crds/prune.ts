import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import type { Schema } from './schema.ts'

/** An object without the fields that its schema does not know, and their paths. */
export interface Pruned {
  readonly object: KubeObject
  /** Such as `spec.replicaz`, for warnings, or for refusals where fields are validated strictly. */
  readonly unknown: readonly string[]
}

/** What every object has, whatever the schema says. */
const envelope = ['apiVersion', 'kind', 'metadata']

export function prune(object: KubeObject, schema: Schema): Pruned {
  const unknown: string[] = []
  const kept = pruned(object, { ...schema, embedded: true }, '', unknown)
  return { object: isRecord(kept) ? { ...kept, metadata: object.metadata } : object, unknown }
}

function pruned(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return value.map((item: unknown, i) => pruned(item, items, `${path}[${i}]`, unknown))
  }
  if (!isRecord(value)) return value
  const kept: Record<string, unknown> = {}
  for (const [key, below] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const known = schema.properties.get(key) ?? schema.others
    if (schema.embedded && envelope.includes(key)) kept[key] = below
    else if (typeof known === 'object') kept[key] = pruned(below, known, at, unknown)
    else if (known === true || schema.preserves) kept[key] = below
    else unknown.push(at)
  }
  return kept
}
