import { ageColumn, nameColumn } from './columns.ts'
import type { Column, Resource, Strategy, Verb } from './resource.ts'

const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

interface Given {
  readonly plural?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** Belongs to no namespace. */
  readonly cluster?: true
  readonly verbs?: readonly Verb[]
  readonly subresources?: readonly string[]
  /** Between name and age; without them these two alone. */
  readonly columns?: readonly Column[]
  /** All of them, name and age included. */
  readonly table?: readonly Column[]
  readonly strategy?: Strategy
  readonly generation?: true
}

/** Of objects whose `spec` a real server fills in. */
export function withSpec(
  fill: (spec: unknown) => unknown,
  firstStatus: Readonly<Record<string, unknown>> = {},
): Strategy {
  return { firstStatus, withDefaults: (object) => ({ ...object, spec: fill(object.spec) }) }
}

/** How the kinds of one group are described, each by what differs from the usual. */
export function inGroup(group: string, version: string) {
  return (kind: string, given: Given = {}): Resource => {
    const singular = kind.toLowerCase()
    const { columns = [], table = [nameColumn, ...columns, ageColumn] } = given
    return {
      ...{ group, version, kind, singular },
      plural: given.plural ?? `${singular}s`,
      shortNames: given.shortNames ?? [],
      categories: given.categories ?? [],
      namespaced: given.cluster !== true,
      verbs: given.verbs ?? allVerbs,
      subresources: given.subresources ?? [],
      columns: table,
      strategy: given.strategy ?? {},
      ...(given.generation && { generation: true }),
    }
  }
}
