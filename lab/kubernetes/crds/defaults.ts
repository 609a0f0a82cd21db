import { isRecord } from '@jackstay/kube/resources'
import type { Schema } from './schema.ts'

/**
 * Fills in what nobody wrote. A `null` where none may be counts as not written: it gives way to the default
 * or, where there is none, goes.
 */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item: unknown) => withDefaults(item, items))
  }
  if (!isRecord(value)) return value
  const filled: Record<string, unknown> = {}
  for (const [key, below] of Object.entries(value)) {
    const known = schema.properties.get(key) ?? schema.others
    if (typeof known !== 'object') filled[key] = below
    else if (below !== null || known.nullable) filled[key] = withDefaults(below, known)
  }
  for (const [key, known] of schema.properties) {
    if (filled[key] !== undefined || known.byDefault === undefined) continue
    filled[key] = withDefaults(structuredClone(known.byDefault), known)
  }
  return filled
}
