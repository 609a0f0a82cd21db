import { isRecord } from '@jackstay/kube/resources'
import type { Shape } from '@jackstay/lab/kubernetes/patch/shapes'

type JsonMap = Readonly<Record<string, unknown>>

/** What the server's OpenAPI and our table say of one place. */
export interface Disagreement {
  readonly place: string
  readonly server: string
  readonly lab: string
}

/** Free JSON of no schema is owned whole, which OpenAPI has no word for. */
const unsaid = new Set(['ControllerRevision.data'])
const reference = '#/definitions/'

/** Walks a kind's OpenAPI (version 2) and its shape side by side. */
export function disagreements(
  definitions: JsonMap,
  apiVersion: string,
  kind: string,
  shape: Shape,
): readonly Disagreement[] {
  const found: Disagreement[] = []
  const root = Object.values(definitions).find((one) => isOf(one, apiVersion, kind))
  if (!isRecord(root)) return [{ place: kind, server: 'not served', lab: 'a shape' }]
  walk(root, shape, kind, false)
  return found

  /** Within what appliers own whole, only what patches go by matters. */
  function walk(definition: JsonMap, at: Shape, place: string, isWhole: boolean): void {
    const properties = isRecord(definition.properties) ? definition.properties : {}
    for (const [key, property] of Object.entries(properties)) {
      if (isRecord(property)) compare(property, at.fields?.[key] ?? {}, `${place}.${key}`, isWhole)
    }
    for (const key of Object.keys(at.fields ?? {})) {
      if (!Object.hasOwn(properties, key)) {
        found.push({ place: `${place}.${key}`, server: 'no field', lab: 'a shape' })
      }
    }
  }

  function compare(property: JsonMap, at: Shape, place: string, isWhole: boolean): void {
    const isList = property.type === 'array'
    const inner = resolve(isList ? property.items : property)
    const [server = '', lab = ''] = [serverFacts(property, inner), labFacts(at)].map((facts) =>
      JSON.stringify(isWhole ? facts.slice(0, 3) : facts),
    )
    if (server !== lab && !unsaid.has(place)) found.push({ place, server, lab })
    const items = at.items ?? {}
    const isAtomic = inner['x-kubernetes-map-type'] === 'atomic'
    const isReplaced = isList && at.listType === undefined
    // nobody reaches into a list that appliers own and patches replace
    if (isReplaced && at.patch === undefined) return
    if (isList && !isWhole && !isReplaced && isAtomic !== (items.atomic ?? false)) {
      found.push({ place: `${place}[]`, server: `atomic: ${isAtomic}`, lab: 'not so' })
    }
    walk(inner, isList ? items : at, place, isWhole || isReplaced || isAtomic)
  }

  function resolve(schema: unknown): JsonMap {
    if (!isRecord(schema)) return {}
    const { $ref } = schema
    const target = typeof $ref === 'string' ? definitions[$ref.slice(reference.length)] : schema
    return isRecord(target) ? target : {}
  }
}

function isOf(definition: unknown, apiVersion: string, kind: string): boolean {
  const names = isRecord(definition) ? definition['x-kubernetes-group-version-kind'] : undefined
  if (!Array.isArray(names)) return false
  return names.some((name) => {
    if (!isRecord(name) || name.kind !== kind) return false
    return [name.group, name.version].filter((part) => part !== '').join('/') === apiVersion
  })
}

function serverFacts(property: JsonMap, inner: JsonMap): readonly unknown[] {
  const said = (word: string) => property[`x-kubernetes-${word}`]
  const strategies = String(said('patch-strategy') ?? '').split(',')
  const isList = property.type === 'array'
  const mapType = said('map-type') ?? (isList ? undefined : inner['x-kubernetes-map-type'])
  const listType = said('list-type')
  return [
    strategies.find((one) => one === 'merge' || one === 'replace') ?? null,
    said('patch-merge-key') ?? null,
    strategies.includes('retainKeys'),
    listType === 'atomic' ? null : (listType ?? null),
    said('list-map-keys') ?? null,
    mapType === 'atomic',
  ]
}

function labFacts(shape: Shape): readonly unknown[] {
  return [
    shape.patch ?? null,
    shape.patchMergeKey ?? null,
    shape.retainKeys ?? false,
    shape.listType ?? null,
    shape.listMapKeys ?? null,
    shape.atomic ?? false,
  ]
}
