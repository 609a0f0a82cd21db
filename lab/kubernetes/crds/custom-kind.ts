import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import type { FieldError, Resource, Strategy, Verb } from '../resources/resource.ts'
import { columnsOf } from './columns.ts'
import { withDefaults } from './defaults.ts'
import { invalid } from './field-errors.ts'
import { type Pruned, prune } from './prune.ts'
import { ruleErrors } from './rules.ts'
import { compileSchema, type Schema } from './schema.ts'
import { schemaErrors } from './validate.ts'

/** One served version of a custom kind. */
export interface CustomKind {
  readonly resource: Resource
  /** What the schema knows of an object, and what it does not. */
  readonly prune: (object: KubeObject) => Pruned
}

const verbs: readonly Verb[] = [
  ...(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const),
]

/** @throws Error for a rule, pattern or column of the definition that is not understood */
export function customKinds(crd: KubeObject): readonly CustomKind[] {
  const spec = isRecord(crd.spec) ? crd.spec : {}
  const versions: readonly unknown[] = Array.isArray(spec.versions) ? spec.versions : []
  return versions
    .filter(isRecord)
    .filter(({ served }) => served === true)
    .map((version) => kindOf(crd, spec, version))
}

type Json = Readonly<Record<string, unknown>>

function kindOf(crd: KubeObject, spec: Json, version: Json): CustomKind {
  const schema = compileSchema(isRecord(version.schema) ? version.schema.openAPIV3Schema : {})
  const names = isRecord(spec.names) ? spec.names : {}
  const subresources = isRecord(version.subresources) ? Object.keys(version.subresources) : []
  const kind = String(names.kind)
  return {
    prune: (object) => prune(object, schema),
    resource: {
      group: String(spec.group),
      version: String(version.name),
      kind,
      plural: String(names.plural),
      singular: typeof names.singular === 'string' ? names.singular : kind.toLowerCase(),
      shortNames: texts(names.shortNames),
      categories: texts(names.categories),
      namespaced: spec.scope === 'Namespaced',
      verbs,
      subresources,
      columns: columnsOf(version),
      strategy: strategyOf(schema),
      custom: crd,
    },
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function strategyOf(schema: Schema): Strategy {
  return {
    withDefaults: (object) => {
      const filled = withDefaults(prune(object, schema).object, schema)
      return isRecord(filled) ? { ...filled, metadata: object.metadata } : object
    },
    unknown: (object) => prune(object, schema).unknown,
    validate: (object) => errorsOf(object, schema),
    validateUpdate: (object, before) => errorsOf(object, schema, before),
  }
}

const blocking: readonly FieldError['reason'][] = [
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]

function errorsOf(object: KubeObject, schema: Schema, old?: KubeObject): readonly FieldError[] {
  const before = old && { value: old }
  const errors = schemaErrors(object, schema, '', before)
  if (!schema.ruled) return errors
  if (!errors.some(({ reason }) => blocking.includes(reason))) {
    return [...errors, ...ruleErrors(object, schema, '', before)]
  }
  const message =
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
  return [...errors, invalid('<nil>', 'null', message)]
}
