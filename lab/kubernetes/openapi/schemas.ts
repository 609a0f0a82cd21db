import { objectMeta as metadata } from '../patch/shapes/metadata.ts'
import { fieldShape, plain, type Shape } from '../patch/shapes/shape.ts'
import { shapeOfKind } from '../patch/shapes.ts'
import { type Field, fieldsOf, type Type, typeOfKind } from '../types/types.ts'

export type Json = Readonly<Record<string, unknown>>

const root = '#/components/schemas/'
const objectMeta = 'apimachinery.pkg.apis.meta.v1.ObjectMeta'
const about =
  'The lab knows the names and types of these fields, and not their descriptions: these are in the reference of Kubernetes.'

/** Schemas of types by their names, each with those that it needs. */
export class Schemas {
  readonly #known = new Map<string, Json>()

  /** Of a built-in kind: the name of its schema. */
  addKind(apiVersion: string, kind: string): string | undefined {
    const type = typeOfKind(apiVersion, kind)
    if (type === undefined) return undefined
    const shape = shapeOfKind(apiVersion, kind) ?? plain
    this.#add(type, shape)
    const name = nameOf(type)
    this.#known.set(name, {
      ...this.#known.get(name),
      description: about,
      'x-kubernetes-group-version-kind': [groupVersionKind(apiVersion, kind)],
    })
    return name
  }

  /** Of a custom kind: its schema as it was defined. */
  addCustomKind(apiVersion: string, kind: string, schema: Json): string {
    const { group, version } = groupVersionKind(apiVersion, kind)
    const name = [...group.split('.').reverse(), version, kind].join('.')
    this.#add(objectMeta, plain)
    const properties = typeof schema.properties === 'object' ? schema.properties : {}
    const own = {
      ...{ apiVersion: { type: 'string' }, kind: { type: 'string' } },
      metadata: { allOf: [{ $ref: root + nameOf(objectMeta) }] },
    }
    this.#known.set(name, {
      ...{ ...schema, type: 'object', properties: { ...properties, ...own } },
      'x-kubernetes-group-version-kind': [groupVersionKind(apiVersion, kind)],
    })
    return name
  }

  toJSON(): Json {
    return Object.fromEntries([...this.#known].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #add(type: string, given: Shape): void {
    // of a kind whose merging nobody wrote down, metadata are as of every other
    const shape = type === objectMeta ? metadata : given
    const name = nameOf(type)
    if (this.#known.has(name)) return
    // known before its fields are: some types hold themselves
    this.#known.set(name, {})
    const fields = [...(fieldsOf(type) ?? [])]
    const required = fields.filter(([, field]) => field.required).map(([field]) => field)
    this.#known.set(name, {
      type: 'object',
      ...(required.length > 0 && { required }),
      properties: Object.fromEntries(
        fields.map(([key, field]) => [key, this.#field(field, fieldShape(shape, key))]),
      ),
      ...(shape.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    })
  }

  #field({ type, values }: Field, shape: Shape): Json {
    return { ...this.#value(type, shape), ...(values && { enum: values }), ...merging(type, shape) }
  }

  #value(type: Type, shape: Shape): Json {
    switch (type.is) {
      case 'list':
        return { type: 'array', items: this.#item(type.of, shape.items ?? plain) }
      case 'map':
        return { type: 'object', additionalProperties: this.#item(type.of, shape.values ?? plain) }
      case 'fields':
        return { allOf: [this.#item(type, shape)] }
      default:
        return type.name === undefined
          ? valueSchema(type.format)
          : { allOf: [this.#item(type, shape)] }
    }
  }

  #item(type: Type, shape: Shape): Json {
    if ('of' in type || type.name === undefined) return this.#value(type, shape)
    if (type.is === 'fields') this.#add(type.name, shape)
    else this.#known.set(nameOf(type.name), valueSchema(type.format))
    return { $ref: root + nameOf(type.name) }
  }
}

function nameOf(type: string): string {
  return `io.k8s.${type}`
}

export function groupVersionKind(apiVersion: string, kind: string) {
  const [group = '', version] = apiVersion.split('/')
  return version === undefined ? { group: '', version: group, kind } : { group, version, kind }
}

/** What appliers and patches go by. */
function merging(type: Type, shape: Shape): Json {
  const strategies = [shape.patch, shape.retainKeys && 'retainKeys'].filter(Boolean)
  return {
    ...(type.is === 'list' && { 'x-kubernetes-list-type': shape.listType ?? 'atomic' }),
    ...(shape.listMapKeys && { 'x-kubernetes-list-map-keys': shape.listMapKeys }),
    ...(type.is === 'map' && shape.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    ...(strategies.length > 0 && { 'x-kubernetes-patch-strategy': strategies.join(',') }),
    ...(shape.patchMergeKey && { 'x-kubernetes-patch-merge-key': shape.patchMergeKey }),
  }
}

function valueSchema(format: string): Json {
  switch (format) {
    case 'quantity':
      return { oneOf: [{ type: 'string' }, { type: 'number' }] }
    case 'int-or-string':
      return { format, oneOf: [{ type: 'integer' }, { type: 'string' }] }
    case 'int32':
    case 'int64':
      return { type: 'integer', format }
    case 'double':
      return { type: 'number', format }
    case 'byte':
    case 'date-time':
      return { type: 'string', format }
    case 'map':
      return { type: 'object' }
    case 'any':
      return {}
    default:
      return { type: format }
  }
}
