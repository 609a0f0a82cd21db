import type { KubeObject, ObjectMeta } from '@jackstay/kube/resources'

export type { KubeObject, ManagedFieldsEntry, ObjectMeta } from '@jackstay/kube/resources'

/** An object as the store has it. Nobody changes one in place: a change makes another. */
export interface StoredObject extends KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta & {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly creationTimestamp: string
  }
}

/** The user that a request is judged as. */
export interface User {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}
