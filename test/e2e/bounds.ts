import { crdOf, type SchemaNode } from '@jackstay/contract/crd'
import type { Kind } from '@jackstay/contract/kinds/kind'
import { isRecord } from '@jackstay/kube/resources'
import type { Manifest } from './governed.ts'

type Path = readonly string[]

/** A field of a spec with a value that its schema does not take. */
export interface Beyond {
  readonly at: Path
  readonly value: unknown
}

/** Every field below the spec of a kind; the first item stands for all of a list. */
function fields(kind: Kind): [Path, SchemaNode][] {
  const below = (node: SchemaNode, at: Path): [Path, SchemaNode][] => [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]): [Path, SchemaNode][] => [
      [[...at, key], child],
      ...below(child, [...at, key]),
    ]),
    ...(node.items ? ([[[...at, '0'], node.items]] satisfies [Path, SchemaNode][]) : []),
    ...(node.items ? below(node.items, [...at, '0']) : []),
  ]
  return below(specOf(kind), [])
}

function specOf(kind: Kind): SchemaNode {
  const crd: unknown = JSON.parse(JSON.stringify(crdOf(kind)))
  const versions = isRecord(crd) && isRecord(crd.spec) ? crd.spec.versions : undefined
  const [first] = Array.isArray(versions) ? versions : []
  const node = first?.schema?.openAPIV3Schema?.properties?.spec
  if (!isRecord(node)) throw new TypeError(`${kind.kind} has no spec`)
  return node as SchemaNode
}

/** What `kubectl explain` should say about each field of a kind. */
export function fieldsOf(kind: Kind): readonly { readonly description: unknown }[] {
  return fields(kind)
    .filter(([at]) => at.at(-1) !== '0')
    .map(([, { description }]) => ({ description }))
}

/** For each field one value of another type, and one on the far side of each bound that it has. */
export function beyondBounds(kind: Kind): Beyond[] {
  return fields(kind).flatMap(([at, node]) => wrong(node).map((value) => ({ at, value })))
}

function wrong(node: SchemaNode): unknown[] {
  const { type, enum: values, maxLength, minLength, maxItems, minItems } = node
  const { minimum, maximum, maxProperties, pattern } = node
  const number = (bound: unknown, step: number) =>
    typeof bound === 'number' && Number.isSafeInteger(bound + step) ? [bound + step] : []
  switch (type) {
    case 'string': {
      if (values !== undefined) return [7, 'nothing-of-the-kind']
      const long = typeof maxLength === 'number' ? ['a'.repeat(maxLength + 1)] : []
      const short = typeof minLength === 'number' && minLength > 0 ? [''] : []
      return [7, ...long, ...short, ...(typeof pattern === 'string' ? ['\u202e {'] : [])]
    }
    case 'integer':
      return ['many', 1.5, ...number(minimum, -1), ...number(maximum, 1)]
    case 'boolean':
      return ['yes']
    case 'array': {
      const many = typeof maxItems === 'number' ? [Array(maxItems + 1).fill(some(node.items))] : []
      return ['one', ...many, ...(typeof minItems === 'number' && minItems > 0 ? [[]] : [])]
    }
    default: {
      if (typeof maxProperties !== 'number') return ['text']
      const keys = Array.from({ length: maxProperties + 1 }, (_, i) => [`k${i}`, 'v'])
      return ['text', Object.fromEntries(keys)]
    }
  }
}

/** Anything of the right type: the number of items is what is wrong. */
function some(node: SchemaNode | undefined): unknown {
  if (node?.type !== 'object') return 'a'
  return {}
}

/** A copy of a spec with one value put in, and whatever lies above it. */
export function withValue(spec: Manifest, [key = '', ...rest]: Path, value: unknown): Manifest {
  const below = spec[key]
  const put = (inner: unknown): unknown => {
    if (rest.length === 0) return value
    const [next = ''] = rest
    if (next === '0') {
      const [first] = Array.isArray(inner) ? inner : []
      const deeper = rest.slice(1)
      return [deeper.length === 0 ? value : withValue(asManifest(first), deeper, value)]
    }
    return withValue(asManifest(inner), rest, value)
  }
  return { ...spec, [key]: put(below) }
}

function asManifest(value: unknown): Manifest {
  return isRecord(value) ? value : {}
}
