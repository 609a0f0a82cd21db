import { assertNever } from '@jackstay/contract/errors'
import { isList, isMap, type Json } from '@jackstay/contract/json'

/**
 * What a field of an object that an executor makes may hold. A field that is not named here may not be
 * there: whoever takes over the mediator can make anything that admission lets through.
 */
export type MadeField =
  | { readonly holds: 'anything' }
  | {
      readonly holds: 'oneOf'
      readonly values: readonly [Scalar, ...Scalar[]]
      readonly must?: true
    }
  | { readonly holds: 'atMost' | 'atLeast'; readonly bound: number }
  /** A text that is not empty and begins with none of these. */
  | { readonly holds: 'notUnder'; readonly prefixes: readonly string[] }
  | { readonly holds: 'fields'; readonly fields: Readonly<Record<string, MadeField>> }
  | { readonly holds: 'items'; readonly each: MadeField; readonly must?: true }
type Scalar = string | boolean

export const anything: MadeField = { holds: 'anything' }
export const oneOf = (...values: [Scalar, ...Scalar[]]): MadeField => ({ holds: 'oneOf', values })
export const must = (value: Scalar): MadeField => ({ holds: 'oneOf', values: [value], must: true })
export const atMost = (bound: number): MadeField => ({ holds: 'atMost', bound })
export const atLeast = (bound: number): MadeField => ({ holds: 'atLeast', bound })
export const each = (field: MadeField): MadeField => ({ holds: 'items', each: field })
/** At least one. */
export const some = (field: MadeField): MadeField => ({ holds: 'items', each: field, must: true })
export const fields = (of: Readonly<Record<string, MadeField>>): MadeField => ({
  holds: 'fields',
  fields: of,
})
export const any = (...names: string[]) => Object.fromEntries(names.map((name) => [name, anything]))

/** The first field that may not be there or not hold what it does, with its path, or undefined. */
export function unfit(value: Json | undefined, field: MadeField, path: string): string | undefined {
  switch (field.holds) {
    case 'anything':
      return undefined
    case 'oneOf':
      if (value === undefined && !field.must) return undefined
      return field.values.some((one) => one === value) ? undefined : path
    case 'atMost':
      return value === undefined || Number(value) <= field.bound ? undefined : path
    case 'atLeast':
      return value === undefined || Number(value) >= field.bound ? undefined : path
    case 'notUnder':
      return isUnder(value, field.prefixes) ? path : undefined
    case 'fields':
      return unfitField(value, field.fields, path)
    case 'items':
      if (field.must && !(isList(value) && value.length > 0)) return path
      return first(isList(value) ? value : [], (item, i) => {
        const name = isMap(item) && typeof item.name === 'string' ? item.name : i
        return unfit(item, field.each, `${path}[${name}]`)
      })
    default:
      return assertNever(field)
  }
}

function unfitField(
  value: Json | undefined,
  known: Readonly<Record<string, MadeField>>,
  path: string,
): string | undefined {
  const map = isMap(value) ? value : {}
  const strange = Object.keys(map).find((key) => !Object.hasOwn(known, key))
  if (strange !== undefined) return `${path}.${strange}`
  return first(Object.entries(known), ([key, field]) => unfit(map[key], field, `${path}.${key}`))
}

function isUnder(value: Json | undefined, prefixes: readonly string[]): boolean {
  if (typeof value !== 'string' || value === '') return true
  return prefixes.some((prefix) => value.startsWith(prefix))
}

function first<T>(of: readonly T[], found: (one: T, i: number) => string | undefined) {
  for (const [i, one] of of.entries()) {
    const path = found(one, i)
    if (path !== undefined) return path
  }
  return undefined
}
