import { equal } from '../cel/values.ts'
import type { FieldError } from '../resources/resource.ts'
import { invalid, shown } from './field-errors.ts'
import { formats } from './formats.ts'
import type { Schema } from './schema.ts'

export function checkText(value: string, schema: Schema, path: string): readonly FieldError[] {
  const errors = boundedText(value, schema, path)
  const { format } = schema
  if (format === undefined || formats[format]?.(value) !== false) return errors
  const message = `${path} in body must be of type ${format}: ${shown(value)}`
  return [...errors, { ...invalid(path, shown(value), message), reason: 'FieldValueTypeInvalid' }]
}

/** The first that is wrong: what has the wrong length is not matched against a pattern. */
function boundedText(value: string, { bounds, pattern }: Schema, path: string): FieldError[] {
  const say = (message: string) => invalid(path, shown(value), `${path} in body ${message}`)
  const length = [...value].length
  if (bounds.maxLength !== undefined && length > bounds.maxLength) {
    const message = `Too long: may not be more than ${bounds.maxLength} bytes`
    return [{ field: path, reason: 'FieldValueTooLong', message }]
  }
  if (bounds.minLength !== undefined && length < bounds.minLength) {
    return [say(`should be at least ${bounds.minLength} chars long`)]
  }
  if (pattern !== undefined && !pattern.test(value)) {
    return [say(`should match '${pattern.source}'`)]
  }
  return []
}

export function checkNumber(value: number, schema: Schema, path: string): readonly FieldError[] {
  const { bounds, exclusive, type, intOrString } = schema
  const say = (message: string) => invalid(path, shown(value), `${path} in body ${message}`)
  if (type === 'integer' && !intOrString && !Number.isInteger(value)) {
    const message = `Checked value must be of type integer (default format) in ${path}`
    return [invalid('<nil>', '""', message)]
  }
  const errors: FieldError[] = []
  const { minimum, maximum, multipleOf } = bounds
  if (minimum !== undefined && (exclusive.minimum ? value <= minimum : value < minimum)) {
    errors.push(say(`should be greater than ${exclusive.minimum ? '' : 'or equal to '}${minimum}`))
  }
  if (maximum !== undefined && (exclusive.maximum ? value >= maximum : value > maximum)) {
    errors.push(say(`should be less than ${exclusive.maximum ? '' : 'or equal to '}${maximum}`))
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    errors.push(say(`should be a multiple of ${multipleOf}`))
  }
  return errors
}

export function checkList(
  value: readonly unknown[],
  schema: Schema,
  path: string,
): readonly FieldError[] {
  const { minItems, maxItems } = schema.bounds
  const errors = tooMany(path, value.length, maxItems)
  if (minItems !== undefined && value.length < minItems) {
    const message = `${path} in body should have at least ${minItems} items`
    errors.push(invalid(path, String(value.length), message))
  }
  return [...errors, ...duplicates(value, schema, path)]
}

export function checkMap(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  path: string,
): readonly FieldError[] {
  const { minProperties, maxProperties } = schema.bounds
  const size = Object.keys(value).length
  const errors = tooMany(path, size, maxProperties)
  if (minProperties !== undefined && size < minProperties) {
    const message = `${path} in body should have at least ${minProperties} properties`
    errors.push(invalid(path, String(size), message))
  }
  for (const key of schema.required) {
    if (value[key] !== undefined) continue
    const field = path === '' ? key : `${path}.${key}`
    errors.push({ field, reason: 'FieldValueRequired', message: 'Required value' })
  }
  return errors
}

function tooMany(field: string, size: number, most: number | undefined): FieldError[] {
  if (most === undefined || size <= most) return []
  const message = `Too many: ${size}: must have at most ${most} items`
  return [{ field, reason: 'FieldValueTooMany', message }]
}

/** Of sets, and of lists whose items are known by keys. */
function duplicates(items: readonly unknown[], schema: Schema, path: string): FieldError[] {
  if (schema.listType === 'atomic') return []
  const known = items.map((item) => keyOf(item, schema))
  return known.flatMap((key, i) => {
    if (known.findIndex((other) => equal(other, key)) === i) return []
    const message = `Duplicate value: ${shown(key)}`
    return [{ field: `${path}[${i}]`, reason: 'FieldValueDuplicate', message }]
  })
}

function keyOf(item: unknown, { listType, listKeys }: Schema): unknown {
  if (listType === 'set' || typeof item !== 'object' || item === null) return item
  return Object.fromEntries(listKeys.map((key) => [key, Reflect.get(item, key)]))
}
