import { isRecord } from '@jackstay/kube/resources'
import { equal } from '../cel/values.ts'
import type { FieldError } from '../resources/resource.ts'
import { checkList, checkMap, checkNumber, checkText } from './checks.ts'
import { invalid, shown } from './field-errors.ts'
import type { Schema } from './schema.ts'

/** A value with the one that stood there before, if there is one that it can be compared with. */
export interface Before {
  readonly value: unknown
}

/**
 * What is wrong with a value, but for rules in CEL. What stood there before and did not change is let be, as
 * the API server does since objects may be older than their schema.
 */
export function schemaErrors(
  value: unknown,
  schema: Schema,
  path: string,
  before?: Before,
): readonly FieldError[] {
  if (before !== undefined && equal(before.value, value)) return []
  const mismatch = typeError(value, schema, path)
  if (value === null || value === undefined) return mismatch
  return [
    ...mismatch,
    ...combined(value, schema, path),
    ...ownErrors(value, schema, path),
    ...listed(value, schema, path),
    ...below(value, schema, path, before),
  ]
}

function typeError(value: unknown, schema: Schema, path: string): readonly FieldError[] {
  const { type, nullable, intOrString } = schema
  if (value === null) {
    return nullable || type === undefined ? [] : [wrongType(path, type, 'null')]
  }
  const is = typeName(value)
  if (intOrString) {
    if (is === 'integer' || is === 'string') return []
    return [wrongType(path, 'integer,string', is)]
  }
  if (type === undefined || type === is || (type === 'number' && is === 'integer')) return []
  return [wrongType(path, type, is)]
}

function wrongType(path: string, type: string, is: string): FieldError {
  const message = `${path} in body must be of type ${type}: "${is}"`
  return {
    field: path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: "${is}": ${message}`,
  }
}

/** JSON's types, with whole numbers as the API server tells them: beyond 64 bits they are none. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? 'integer' : 'number'
  }
  return typeof value
}

function ownErrors(value: unknown, schema: Schema, path: string): readonly FieldError[] {
  if (typeof value === 'string') return checkText(value, schema, path)
  if (typeof value === 'number') return checkNumber(value, schema, path)
  if (Array.isArray(value)) return checkList(value, schema, path)
  return isRecord(value) ? checkMap(value, schema, path) : []
}

function listed(value: unknown, { values }: Schema, path: string): readonly FieldError[] {
  if (values === undefined || values.some((one) => equal(one, value))) return []
  const supported = values.map((one) => JSON.stringify(typeof one === 'string' ? one : shown(one)))
  const message = `Unsupported value: ${shown(value)}: supported values: ${supported.join(', ')}`
  return [{ field: path, reason: 'FieldValueNotSupported', message }]
}

function combined(value: unknown, schema: Schema, path: string): readonly FieldError[] {
  const errorsOf = (one: Schema) => schemaErrors(value, one, path)
  const passes = (one: Schema) => errorsOf(one).length === 0
  const { allOf, anyOf, oneOf, not } = schema
  const say = (message: string) => invalid('<nil>', '""', `"${path}" ${message}`)
  const errors = allOf.flatMap(errorsOf)
  if (errors.length > 0) errors.push(say('must validate all the schemas (allOf)'))
  if (anyOf.length > 0 && !anyOf.some(passes)) {
    errors.push(say('must validate at least one schema (anyOf)'), ...nearest(anyOf.map(errorsOf)))
  }
  const valid = oneOf.filter(passes).length
  if (oneOf.length > 0 && valid !== 1) {
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    errors.push(say(`must validate one and only one schema (oneOf). ${found}`))
    if (valid === 0) errors.push(...nearest(oneOf.map(errorsOf)))
  }
  if (not !== undefined && passes(not)) errors.push(say('must not validate the schema (not)'))
  return errors
}

function nearest(all: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return all.reduce((best, one) => (one.length < best.length ? one : best), all[0] ?? [])
}

function below(value: unknown, schema: Schema, path: string, before?: Before) {
  return children(value, schema, path, before).flatMap((child) =>
    schemaErrors(child.value, child.schema, child.path, child.before),
  )
}

/** One place below another, with its old value where the two can be told to be the same place. */
export interface Child {
  readonly value: unknown
  readonly schema: Schema
  readonly path: string
  readonly before?: Before
}

export function children(
  value: unknown,
  schema: Schema,
  path: string,
  before?: Before,
): readonly Child[] {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return []
    return value.map((item: unknown, i) => ({
      ...{ value: item, schema: items, path: `${path}[${i}]` },
      ...itemBefore(item, schema, before),
    }))
  }
  if (!isRecord(value)) return []
  const old = isRecord(before?.value) ? before.value : {}
  return Object.entries(value).flatMap(([key, one]) => {
    const known = schema.properties.get(key) ?? schema.others
    if (typeof known !== 'object') return []
    return {
      ...{ value: one, schema: known, path: path === '' ? key : `${path}.${key}` },
      ...(old[key] !== undefined && { before: { value: old[key] } }),
    }
  })
}

/** Items are the same only by their keys. */
function itemBefore(item: unknown, schema: Schema, before?: Before): { readonly before?: Before } {
  const old = before?.value
  if (schema.listType !== 'map' || !Array.isArray(old) || !isRecord(item)) return {}
  const found: unknown = old.find(
    (one: unknown) => isRecord(one) && schema.listKeys.every((key) => equal(one[key], item[key])),
  )
  return found === undefined ? {} : { before: { value: found } }
}
