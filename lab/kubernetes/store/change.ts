import type { StoredObject } from '../objects.ts'

/** Where objects of one plural lie, such as `deployments.apps` or `pods`. */
export type Collection = string

/** One object's place. `namespace` is empty for what belongs to none. */
export interface Place {
  readonly collection: Collection
  readonly namespace: string
  readonly name: string
}

/** One write, as watches tell it. */
export interface Change {
  readonly revision: number
  readonly place: Place
  /** Undefined where it was made. */
  readonly before: StoredObject | undefined
  /** Undefined where it is gone. */
  readonly after: StoredObject | undefined
}

/** The same of an object. */
export function sortKeyOf({ metadata: { namespace = '', name } }: StoredObject): string {
  return sortKey({ namespace, name })
}

/** Objects of one collection are listed in the order of this. */
export function sortKey({ namespace, name }: Pick<Place, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}
