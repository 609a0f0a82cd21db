import { RE2JS } from '@bufbuild/re2'
import { isRecord } from '@jackstay/kube/resources'
import { compileExpression, type Program } from '../cel/compile.ts'

/** One place of a structural schema, compiled once per version of a kind. */
export interface Schema {
  readonly type?: string
  readonly nullable: boolean
  readonly properties: ReadonlyMap<string, Schema>
  /** What is under names that are not among `properties`; `true` for anything. */
  readonly others?: Schema | true
  readonly items?: Schema
  readonly preserves: boolean
  readonly intOrString: boolean
  readonly embedded: boolean
  readonly format?: string
  /** `undefined` where there is none. */
  readonly byDefault?: unknown
  readonly listType: 'atomic' | 'set' | 'map'
  readonly listKeys: readonly string[]
  readonly required: readonly string[]
  readonly values?: readonly unknown[]
  readonly pattern?: { readonly source: string; readonly test: (text: string) => boolean }
  /** `minLength`, `maxItems` and others by their names. */
  readonly bounds: Readonly<Record<string, number>>
  readonly exclusive: { readonly minimum: boolean; readonly maximum: boolean }
  readonly allOf: readonly Schema[]
  readonly anyOf: readonly Schema[]
  readonly oneOf: readonly Schema[]
  readonly not?: Schema
  readonly rules: readonly Rule[]
  /** Whether there is a rule here or anywhere below. */
  readonly ruled: boolean
}

/** An entry of `x-kubernetes-validations`. */
export interface Rule {
  readonly source: string
  readonly holds: Program
  readonly message: string
  readonly messageOf?: Program
  readonly reason: string
  readonly fieldPath: string
  /** Over `oldSelf`: asked only where there is an old value, unless that is optional. */
  readonly transition: boolean
  readonly optionalOldSelf: boolean
}

type Json = Readonly<Record<string, unknown>>

const boundNames = [
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ...['minimum', 'maximum', 'multipleOf'],
]

/** @throws Error for a rule or pattern that does not compile */
export function compileSchema(raw: unknown): Schema {
  const json = isRecord(raw) ? raw : {}
  const below = belowOf(json)
  const rules = list(json['x-kubernetes-validations']).map(ruleOf)
  const nested = [...below.properties.values(), below.items, below.others]
  return {
    ...below,
    ...checksOf(json),
    ...(typeof json.type === 'string' && { type: json.type }),
    ...(typeof json.format === 'string' && { format: json.format }),
    ...(json.default !== undefined && { byDefault: json.default }),
    nullable: json.nullable === true,
    preserves: json['x-kubernetes-preserve-unknown-fields'] === true,
    intOrString: json['x-kubernetes-int-or-string'] === true,
    embedded: json['x-kubernetes-embedded-resource'] === true,
    listType: listTypeOf(json['x-kubernetes-list-type']),
    listKeys: list(json['x-kubernetes-list-map-keys']).map(String),
    rules,
    ruled: rules.length > 0 || nested.some((one) => typeof one === 'object' && one.ruled),
  }
}

function belowOf(json: Json) {
  const { properties, additionalProperties: others, items } = json
  return {
    properties: new Map(
      Object.entries(isRecord(properties) ? properties : {}).map(
        ([name, one]) => [name, compileSchema(one)] as const,
      ),
    ),
    ...(others === true && { others: true as const }),
    ...(isRecord(others) && { others: compileSchema(others) }),
    ...(isRecord(items) && { items: compileSchema(items) }),
  }
}

function checksOf(json: Json) {
  const { pattern, not } = json
  const bounds = boundNames.flatMap((name) =>
    typeof json[name] === 'number' ? [[name, json[name]] as const] : [],
  )
  return {
    required: list(json.required).map(String),
    ...(Array.isArray(json.enum) && { values: json.enum }),
    ...(typeof pattern === 'string' && { pattern: patternOf(pattern) }),
    bounds: Object.fromEntries(bounds),
    exclusive: {
      minimum: json.exclusiveMinimum === true,
      maximum: json.exclusiveMaximum === true,
    },
    allOf: list(json.allOf).map(compileSchema),
    anyOf: list(json.anyOf).map(compileSchema),
    oneOf: list(json.oneOf).map(compileSchema),
    ...(not !== undefined && { not: compileSchema(not) }),
  }
}

function patternOf(source: string) {
  const compiled = RE2JS.compile(source)
  return { source, test: (text: string) => compiled.test(text) }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function listTypeOf(value: unknown): Schema['listType'] {
  return value === 'set' || value === 'map' ? value : 'atomic'
}

const names = ['self', 'oldSelf']

function ruleOf(raw: unknown): Rule {
  const json = isRecord(raw) ? raw : {}
  const text = (key: string) => (typeof json[key] === 'string' ? json[key] : '')
  const source = text('rule')
  const made = text('messageExpression')
  return {
    source,
    holds: compileExpression(source, names),
    message: text('message').trim(),
    ...(made !== '' && { messageOf: compileExpression(made, names) }),
    reason: text('reason') || 'FieldValueInvalid',
    fieldPath: text('fieldPath'),
    transition: /\boldSelf\b/.test(source),
    optionalOldSelf: json.optionalOldSelf === true,
  }
}
