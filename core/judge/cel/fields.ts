import { z } from 'zod'
import { facts } from '../facts.ts'

/** What the field checker knows of a value before it exists. */
export type FieldType =
  | {
      readonly kind: 'object'
      readonly fields: ReadonlyMap<string, FieldType>
      /** Those that may be absent. */
      readonly optional: ReadonlySet<string>
    }
  /** Any key, each of which may be absent. */
  | { readonly kind: 'map'; readonly value: FieldType }
  | { readonly kind: 'list'; readonly element: FieldType }
  | { readonly kind: 'text'; readonly oneOf?: readonly string[] }
  | { readonly kind: 'scalar' }
  | { readonly kind: 'anything' }

export const anything: FieldType = { kind: 'anything' }

/** The variables of every rule, from the schema that also validates their values. */
export function factTypes(): ReadonlyMap<string, FieldType> {
  const type = typeOf(facts)
  return type.kind === 'object' ? type.fields : new Map()
}

function typeOf(schema: unknown): FieldType {
  if (schema instanceof z.ZodObject) {
    const entries: [string, unknown][] = Object.entries(schema.shape)
    const fields = entries.map(([name, s]) => [name, typeOf(s)] as const)
    const optional = entries
      .filter(([, s]) => s instanceof z.ZodExactOptional)
      .map(([name]) => name)
    return { kind: 'object', fields: new Map(fields), optional: new Set(optional) }
  }
  if (schema instanceof z.ZodExactOptional) return typeOf(schema.unwrap())
  if (schema instanceof z.ZodRecord) return { kind: 'map', value: typeOf(schema.valueType) }
  if (schema instanceof z.ZodArray) return { kind: 'list', element: typeOf(schema.element) }
  if (schema instanceof z.ZodEnum) return { kind: 'text', oneOf: schema.options.map(String) }
  if (schema instanceof z.ZodString) return { kind: 'text' }
  if (schema instanceof z.ZodNumber || schema instanceof z.ZodDate) return { kind: 'scalar' }
  return anything
}

/** The known name that is nearest to a misspelt one, where any is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const ranked = [...known]
    .map((candidate) => ({ candidate, distance: distance(name, candidate) }))
    .filter((r) => r.distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
  return ranked[0]?.candidate
}

/** Levenshtein, ignoring case. */
function distance(one: string, other: string): number {
  const a = one.toLowerCase().slice(0, 64)
  const b = other.toLowerCase().slice(0, 64)
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
