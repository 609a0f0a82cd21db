import { isRecord } from '@jackstay/kube/resources'
import { fieldsOf, isLeftOut, type Type } from './types.ts'

/** A value as far as its type knows it. */
export interface Known {
  readonly value: unknown
  /** Paths of fields that the type has not, such as `spec.replicaz`. */
  readonly unknown: readonly string[]
  /** The first value of another type than its field's, in the words of a real server's parser. */
  readonly wrong: string | undefined
}

/** Leaves out the fields that a built-in kind does not have, and those that say nothing. */
export function known(value: unknown, type: string): Known {
  const found: Found = { unknown: [], wrong: undefined }
  const kept = keptOf(
    value,
    { is: 'fields', name: type },
    { path: '', fields: '', owner: '' },
    found,
  )
  return { value: kept, ...found }
}

interface Found {
  readonly unknown: string[]
  wrong: string | undefined
}

/** Where a value stands, and in which type. */
interface Place {
  readonly path: string
  /** As Go's parser tells it: without indexes and free keys. */
  readonly fields: string
  readonly owner: string
}

function keptOf(value: unknown, type: Type, at: Place, found: Found): unknown {
  if (value === null || value === undefined) return value
  const expected = mismatch(value, type)
  if (expected !== undefined) {
    found.wrong ??= `json: cannot unmarshal ${goName(value)} into Go ${where(at)} of type ${expected}`
    return value
  }
  if (type.is === 'list' && Array.isArray(value)) {
    return value.map((item: unknown, i) =>
      keptOf(item, type.of, { ...at, path: `${at.path}[${i}]` }, found),
    )
  }
  if (!isRecord(value)) return value
  if (type.is === 'map') {
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, one]) => [
        key,
        keptOf(one, type.of, { ...below(at, key), fields: at.fields }, found),
      ]),
    )
  }
  return type.is === 'fields' ? fieldsKept(value, type.name, at, found) : value
}

function fieldsKept(
  value: Readonly<Record<string, unknown>>,
  type: string,
  at: Place,
  found: Found,
): unknown {
  const fields = fieldsOf(type)
  if (fields === undefined) return value
  const kept: [string, unknown][] = []
  for (const [key, one] of Object.entries(value)) {
    const field = fields.get(key)
    if (field === undefined) found.unknown.push(below(at, key).path)
    else if (!isLeftOut(one, field)) {
      const owner = type.split('.').at(-1) ?? ''
      kept.push([key, keptOf(one, field.type, { ...below(at, key), owner }, found)])
    }
  }
  return Object.fromEntries(kept)
}

function below({ path, fields, owner }: Place, key: string): Place {
  const joined = (before: string) => (before === '' ? key : `${before}.${key}`)
  return { owner, path: joined(path), fields: joined(fields) }
}

function where({ fields, owner }: Place): string {
  return owner === '' ? 'value' : `struct field ${owner}.${fields}`
}

function goName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' && !Number.isInteger(value)) return `number ${value}`
  return isRecord(value) ? 'object' : typeof value
}

/** What Go expects there, where the value is none of it. */
function mismatch(value: unknown, type: Type): string | undefined {
  switch (type.is) {
    case 'list':
      return Array.isArray(value) ? undefined : `[]${goType(type.of)}`
    case 'map':
      return isRecord(value) ? undefined : `map[string]${goType(type.of)}`
    case 'fields':
      return isRecord(value) ? undefined : goType(type)
    default:
      return fits(value, type.format) ? undefined : goType(type)
  }
}

function fits(value: unknown, format: string): boolean {
  switch (format) {
    case 'int32':
    case 'int64':
      return Number.isInteger(value)
    case 'double':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'string':
    case 'byte':
    case 'date-time':
      return typeof value === 'string'
    case 'quantity':
    case 'int-or-string':
      return typeof value === 'string' || typeof value === 'number'
    case 'map':
      return isRecord(value)
    default:
      return true
  }
}

function goType(type: Type): string {
  if ('of' in type) return `${type.is === 'list' ? '[]' : 'map[string]'}${goType(type.of)}`
  if (type.is === 'value') return goValues[type.format] ?? type.format
  const [name = '', version = ''] = type.name.split('.').reverse()
  return `${version}.${name}`
}

const goValues: Readonly<Record<string, string>> = { boolean: 'bool', byte: '[]uint8' }
