import type { StoredObject } from '../objects.ts'

/**
 * What access looks at: stored objects by their collection, such as `pods` or
 * `clusterroles.rbac.authorization.k8s.io`. `namespace` is empty for what belongs to none.
 */
export interface Lister {
  get(place: {
    readonly collection: string
    readonly namespace: string
    readonly name: string
  }): StoredObject | undefined
  /** Without a namespace: all of them. */
  list(collection: string, namespace?: string): readonly StoredObject[]
}
