import { compareElements, type Element } from './element.ts'

/** A set of paths, as a tree. */
export interface FieldSet {
  /** Whether the path that leads here is in the set. */
  readonly here: boolean
  readonly below: ReadonlyMap<Element, FieldSet>
}

export type Path = readonly Element[]

export const none: FieldSet = { here: false, below: new Map() }

export function setOf(paths: Iterable<Path>): FieldSet {
  interface Growing {
    here: boolean
    readonly below: Map<Element, Growing>
  }
  const root: Growing = { here: false, below: new Map() }
  for (const path of paths) {
    let at = root
    for (const element of path) {
      const next = at.below.get(element) ?? { here: false, below: new Map() }
      at.below.set(element, next)
      at = next
    }
    at.here = true
  }
  return root
}

export function isEmpty({ here, below }: FieldSet): boolean {
  return !here && below.size === 0
}

/** What lies below one step. */
export function under(set: FieldSet, element: Element): FieldSet {
  return set.below.get(element) ?? none
}

export function has(set: FieldSet, path: Path): boolean {
  return path.reduce(under, set).here
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a || b)
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a && b)
}

/** The paths of `left` that are not in `right`; a path says nothing about those below it. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a && !b)
}

/** The paths of `set` that are neither in `prefixes` nor below one of them. */
export function outside(set: FieldSet, prefixes: FieldSet): FieldSet {
  if (prefixes.here) return none
  const below = [...set.below].map(
    ([element, child]) => [element, outside(child, under(prefixes, element))] as const,
  )
  return { here: set.here, below: kept(below) }
}

/** All paths, those of an object before the paths below them, in the API server's order. */
export function* paths(set: FieldSet, path: Path = []): Generator<Path> {
  const children = [...set.below].sort(([a], [b]) => compareElements(a, b))
  for (const [element, child] of children) {
    if (child.here) yield [...path, element]
  }
  for (const [element, child] of children) yield* paths(child, [...path, element])
}

function combine(
  left: FieldSet,
  right: FieldSet,
  stays: (inLeft: boolean, inRight: boolean) => boolean,
): FieldSet {
  const elements = new Set([...left.below.keys(), ...right.below.keys()])
  const below = [...elements].map(
    (element) => [element, combine(under(left, element), under(right, element), stays)] as const,
  )
  return { here: stays(left.here, right.here), below: kept(below) }
}

function kept(below: readonly (readonly [Element, FieldSet])[]): ReadonlyMap<Element, FieldSet> {
  return new Map(below.filter(([, child]) => !isEmpty(child)))
}
