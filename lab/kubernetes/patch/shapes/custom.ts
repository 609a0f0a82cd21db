import { isRecord } from '@jackstay/kube/resources'
import { type JsonMap, mapOf, own } from '../json.ts'
import { objectMeta } from './metadata.ts'
import { fields, plain, type Shape } from './shape.ts'

/** What no schema says anything about: free maps all the way down. */
const deduced: Shape = {
  get values() {
    return deduced
  },
}

/**
 * The shape of a custom kind, from `openAPIV3Schema` of its CustomResourceDefinition. Only appliers
 * need it: strategic merge patches are not for custom kinds.
 */
export function shapeOfSchema(schema: unknown): Shape {
  const { fields: known, ...rest } = shapeOf(schema)
  return { ...rest, untyped: true, fields: { ...known, metadata: objectMeta } }
}

function shapeOf(schema: unknown): Shape {
  if (!isRecord(schema)) return deduced
  if (schema.type === 'array') return listShape(schema)
  if (own(schema, 'x-kubernetes-embedded-resource') === true) return embedded(schema)
  return mapShape(schema)
}

function mapShape(schema: JsonMap): Shape {
  const { properties, additionalProperties } = schema
  const known = isRecord(properties) ? fields(mapEach(properties, shapeOf)) : plain
  const isFree = own(schema, 'x-kubernetes-preserve-unknown-fields') === true
  const values = isRecord(additionalProperties) ? shapeOf(additionalProperties) : deduced
  return {
    ...known,
    ...((isFree || additionalProperties !== undefined) && { values }),
    ...(own(schema, 'x-kubernetes-map-type') === 'atomic' && { atomic: true }),
  }
}

function embedded(schema: JsonMap): Shape {
  const shape = mapShape(schema)
  return { ...shape, fields: { ...shape.fields, metadata: objectMeta } }
}

function listShape(schema: JsonMap): Shape {
  const items = shapeOf(schema.items)
  const listType = own(schema, 'x-kubernetes-list-type')
  if (listType === 'set') return { listType, items }
  if (listType !== 'map') return { items }
  const keys = own(schema, 'x-kubernetes-list-map-keys')
  const listMapKeys = Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : []
  const properties = isRecord(schema.items) ? schema.items.properties : undefined
  const keyDefaults = mapOf(
    listMapKeys.flatMap((key) => {
      const property = isRecord(properties) ? own(properties, key) : undefined
      const given = isRecord(property) ? property.default : undefined
      return given === undefined ? [] : [[key, given] as const]
    }),
  )
  return { listType, listMapKeys, keyDefaults, items }
}

function mapEach<T>(map: JsonMap, change: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))
}
