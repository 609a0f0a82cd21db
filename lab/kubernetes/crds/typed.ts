import { isRecord } from '@jackstay/kube/resources'
import { readDuration, readTimestamp } from '../cel/times.ts'
import { type CelValue, Double, fromJson, Unordered } from '../cel/values.ts'
import type { Schema } from './schema.ts'

/** A value as the rules of its schema see it: of declared fields alone, with the types of their formats. */
export function typed(value: unknown, schema: Schema): CelValue {
  if (value === null) return null
  if (Array.isArray(value)) return typedList(value, schema)
  if (isRecord(value)) return typedMap(value, schema)
  if (typeof value === 'number') {
    return schema.type === 'number' && !schema.intOrString ? new Double(value) : fromJson(value)
  }
  return typeof value === 'string' ? typedText(value, schema.format) : value
}

function typedList(value: readonly unknown[], schema: Schema): CelValue {
  const { items, listType, listKeys } = schema
  if (items === undefined) return value
  const all = value.map((item) => typed(item, items))
  if (listType === 'atomic') return all
  if (listType === 'set') return new Unordered(all, (item) => text(item))
  return new Unordered(all, (item) =>
    JSON.stringify(listKeys.map((key) => (isRecord(item) ? text(item[key]) : ''))),
  )
}

function text(value: CelValue): string {
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one)) ?? ''
}

function typedMap(value: Readonly<Record<string, unknown>>, schema: Schema): CelValue {
  const { properties, others, preserves, embedded } = schema
  if (others === true || (properties.size === 0 && others === undefined && preserves)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, below]) => {
      const known = properties.get(key) ?? others
      if (typeof known === 'object') {
        const name = properties.has(key) ? escaped(key) : key
        return [[name, typed(below, known)]]
      }
      return embedded && ['apiVersion', 'kind', 'metadata'].includes(key) ? [[key, below]] : []
    }),
  )
}

function typedText(value: string, format: string | undefined): CelValue {
  if (format === 'date-time') return readTimestamp(value) ?? value
  if (format === 'date') return readTimestamp(`${value}T00:00:00Z`) ?? value
  if (format === 'duration') return readDuration(value) ?? value
  return format === 'byte' ? new Uint8Array(Buffer.from(value, 'base64')) : value
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** Names that CEL cannot have are written otherwise there. */
function escaped(name: string): string {
  if (reserved.has(name)) return `__${name}__`
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}
