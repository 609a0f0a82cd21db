import { isRecord } from '@jackstay/kube/resources'
import recorded from './recordings/types.json' with { type: 'json' }

/** What a field holds. */
export type Type =
  | { readonly is: 'list' | 'map'; readonly of: Type }
  | { readonly is: 'fields'; readonly name: string }
  /** `name` where the value has a type of its own, such as a time. */
  | { readonly is: 'value'; readonly format: string; readonly name?: string }

export interface Field {
  readonly type: Type
  /** In protobuf: `4`, or `2.4` within a message that JSON has no word for; `0` for none. */
  readonly number: string
  readonly required: boolean
  /** The server leaves it out where it is empty, zero or false. */
  readonly omitEmpty: boolean
  /** The only ones, where these are listed. */
  readonly values?: readonly string[]
}

/** The fields of one type by their names in JSON. */
export type Fields = ReadonlyMap<string, Field>

const kinds: ReadonlyMap<string, string> = new Map(Object.entries(recorded.kinds))
const types: ReadonlyMap<string, unknown> = new Map(Object.entries(recorded.types))
const parsed = new Map<string, Fields>()

/** The type of a built-in kind's objects, such as `api.apps.v1.Deployment`; undefined for others. */
export function typeOfKind(apiVersion: string, kind: string): string | undefined {
  return kinds.get(`${apiVersion} ${kind}`)
}

/** Undefined for a type that is one value, such as a time. */
export function fieldsOf(type: string): Fields | undefined {
  const known = parsed.get(type)
  if (known !== undefined) return known
  const raw = types.get(type)
  if (!isRecord(raw)) return undefined
  const fields = new Map(Object.entries(raw).map(([name, text]) => [name, fieldOf(String(text))]))
  parsed.set(type, fields)
  return fields
}

/** Whether the server leaves a field out that has this value. */
export function isLeftOut(value: unknown, { omitEmpty }: Field): boolean {
  return omitEmpty && (value === '' || value === 0 || value === false)
}

function fieldOf(text: string): Field {
  const [number = '', type = '', values] = text.split(' ')
  return {
    ...{ number: number.replace(/[!?]/, ''), type: typeOf(type) },
    ...{ required: number.endsWith('!'), omitEmpty: number.endsWith('?') },
    ...(values !== undefined && { values: values.split('|') }),
  }
}

function typeOf(text: string): Type {
  if (text.startsWith('[')) return { is: 'list', of: typeOf(text.slice(1)) }
  if (text.startsWith('{')) return { is: 'map', of: typeOf(text.slice(1)) }
  if (!text.startsWith('@')) return { is: 'value', format: text }
  const name = text.slice(1)
  const plain = types.get(name)
  return typeof plain === 'string' ? { is: 'value', format: plain, name } : { is: 'fields', name }
}
