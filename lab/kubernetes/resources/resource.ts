import type { KubeObject } from '../objects.ts'

export type Verb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch'

/** One column of the table that `kubectl get` prints. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'number' | 'date'
  readonly description: string
  /** Above 0: only with `-o wide`. */
  readonly priority: number
  /** The cell of one object; `now` in milliseconds since the epoch, for ages. */
  readonly cell: (object: KubeObject, now: number) => string | number | boolean | null
}

/** One reason why an object is not valid, in the API server's words. */
export interface FieldError {
  /** Such as `spec.replicas`. */
  readonly field: string
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueTypeInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
  /** Such as `Invalid value: -1: must be greater than or equal to 0`. */
  readonly message: string
}

/** What becomes of an object on its way into the store. All pure; what is not given does nothing. */
export interface Strategy {
  /** Fills in what nobody wrote, as the API server does before it judges or stores. */
  readonly withDefaults?: (object: KubeObject) => KubeObject
  /** The status that a new object has. */
  readonly firstStatus?: Readonly<Record<string, unknown>>
  readonly validate?: (object: KubeObject) => readonly FieldError[]
  readonly validateUpdate?: (object: KubeObject, before: KubeObject) => readonly FieldError[]
  /** Paths of fields that the kind does not have; of built-in kinds their types tell. */
  readonly unknown?: (object: KubeObject) => readonly string[]
  /** Whether the change counts as a new generation; without it any change outside metadata and status does. */
  readonly isNewGeneration?: (object: KubeObject, before: KubeObject) => boolean
}

/** What is served under one plural. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  /** `status`, `scale` and others by their names. */
  readonly subresources: readonly string[]
  readonly columns: readonly Column[]
  readonly strategy: Strategy
  /** Whether changes of it are counted in `metadata.generation`; those of custom kinds always are. */
  readonly generation?: true
  /** Of a custom kind: its CustomResourceDefinition. */
  readonly custom?: KubeObject
}

export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}
