import { CelError, type CelValue, equal, Optional } from '../cel/values.ts'
import type { FieldError } from '../resources/resource.ts'
import { invalid, shown } from './field-errors.ts'
import type { Rule, Schema } from './schema.ts'
import { typed } from './typed.ts'
import { type Before, children } from './validate.ts'

/** What the rules in CEL say of a value and of everything below it. */
export function ruleErrors(
  value: unknown,
  schema: Schema,
  path: string,
  before?: Before,
): readonly FieldError[] {
  if (!schema.ruled || value === null || value === undefined) return []
  const own = schema.rules.length === 0 ? [] : ownErrors(value, schema, path, before)
  const below = children(value, schema, path, before).flatMap((child) =>
    ruleErrors(child.value, child.schema, child.path, child.before),
  )
  return [...own, ...below]
}

function ownErrors(value: unknown, schema: Schema, path: string, before?: Before): FieldError[] {
  const self = typed(value, schema)
  const old = before === undefined ? undefined : typed(before.value, schema)
  const unchanged = before !== undefined && equal(value, before.value)
  return schema.rules.flatMap((rule) => {
    // an unchanged value is let be by all rules that look at it alone
    if (unchanged && !rule.transition) return []
    if (rule.transition && old === undefined && !rule.optionalOldSelf) return []
    const oldSelf = rule.optionalOldSelf
      ? old === undefined
        ? Optional.none
        : new Optional(old)
      : old
    return outcome(rule, { self, oldSelf }, { value, type: schema.type ?? '' }, path)
  })
}

type Variables = Readonly<Record<string, CelValue>>

function outcome(
  rule: Rule,
  variables: Variables,
  { value, type }: { readonly value: unknown; readonly type: string },
  path: string,
): FieldError[] {
  const whole = typeof value === 'object'
  const at = rule.fieldPath === '' ? path : `${path}${rule.fieldPath}`
  try {
    if (rule.holds(variables) === true) return []
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    const about = rule.message || rule.source.trim()
    const message =
      error.message === 'no such overload'
        ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${about}`
        : `${error.message} evaluating rule: ${about}`
    return [invalid(path, JSON.stringify(type), message)]
  }
  const message = messageOf(rule, variables)
  return [failed(rule, at, whole ? message : `${shown(value)}: ${message}`, message)]
}

function failed(rule: Rule, field: string, valued: string, message: string): FieldError {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return { field, reason: rule.reason, message: `Forbidden: ${message}` }
    case 'FieldValueRequired':
      return { field, reason: rule.reason, message: `Required value: ${message}` }
    case 'FieldValueDuplicate':
      return { field, reason: rule.reason, message: `Duplicate value: ${valued}` }
    default:
      return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${valued}` }
  }
}

function messageOf({ source, message, messageOf: made }: Rule, variables: Variables): string {
  const written = message || `failed rule: ${source.trim()}`
  if (made === undefined) return written
  try {
    const text = made(variables)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n')
      ? text.trim()
      : written
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return written
  }
}
