import { fieldElement } from './fields/element.ts'
import { type FieldSet, none, setOf } from './fields/field-set.ts'

/** What is known of a kind where its fields may be written. */
export interface KindOfFields {
  readonly apiVersion: string
  readonly kind: string
  /** Whether it has a `status` subresource. */
  readonly hasStatus: boolean
  readonly isCustom: boolean
}

/** Beside `spec`, what a write of the status leaves alone. */
const alsoKept: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'v1 Pod': [
    ['metadata', 'deletionTimestamp'],
    ['metadata', 'ownerReferences'],
  ],
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy': [['metadata']],
  'apps/v1 Deployment': [['metadata', 'labels']],
}

/**
 * The fields, with all below them, that a write through this door does not reach: nobody comes to own
 * them by it. `subresource` is empty for the object itself.
 */
export function resetFields(kind: KindOfFields, subresource: string): FieldSet {
  if (!kind.hasStatus) return none
  if (subresource === '') return setOf([[fieldElement('status')]])
  if (subresource !== 'status') return none
  const more = kind.isCustom ? [['metadata']] : (alsoKept[`${kind.apiVersion} ${kind.kind}`] ?? [])
  return setOf([['spec'], ...more].map((path) => path.map(fieldElement)))
}
