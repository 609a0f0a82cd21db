import { isRecord } from '@jackstay/kube/resources'

type Json = Readonly<Record<string, unknown>>

/** Fields of all types in an OpenAPI document, as far as kubectl goes by them. */
export function fieldsIn(document: string): ReadonlyMap<string, Json> {
  const parsed: unknown = JSON.parse(document)
  const components = isRecord(parsed) ? parsed.components : undefined
  const schemas = isRecord(components) && isRecord(components.schemas) ? components.schemas : {}
  return new Map(
    Object.entries(schemas)
      // what is within the schema of a custom kind nobody patches item by item
      .filter(([name]) => name.startsWith('io.k8s.api'))
      .filter(([name]) => !name.includes('.apiextensions.'))
      .map(([name, schema]) => [name, typeOf(schema)]),
  )
}

function typeOf(schema: unknown): Json {
  if (!isRecord(schema)) return {}
  const { properties, required = [] } = schema
  const fields = Object.entries(isRecord(properties) ? properties : {})
  return {
    required: Array.isArray(required) ? required.toSorted() : [],
    fields: Object.fromEntries(fields.sort().map(([name, field]) => [name, fieldOf(field)])),
  }
}

function refOf(schema: unknown): unknown {
  return isRecord(schema) ? schema.$ref : undefined
}

/** Without its description, what it is unless given, and the only values of items: nobody goes by these. */
function fieldOf(field: unknown, isItem = false): unknown {
  if (!isRecord(field)) return field
  const { type, format, allOf, $ref, items, additionalProperties, enum: values } = field
  const of = {
    ...{
      type,
      format,
      values: isItem ? undefined : values,
      $ref: Array.isArray(allOf) ? refOf(allOf[0]) : $ref,
    },
    ...{
      items: items && fieldOf(items, true),
      others: additionalProperties && fieldOf(additionalProperties, true),
    },
    ...{ keys: field['x-kubernetes-list-map-keys'], key: field['x-kubernetes-patch-merge-key'] },
    strategy: field['x-kubernetes-patch-strategy'],
  }
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined))
}
