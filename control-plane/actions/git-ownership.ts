import type { Reading } from '@jackstay/contract/plan'

/** The metadata by which Git-driven controllers mark what they own. */
export interface OwnershipMarks {
  readonly labels: { readonly [key: string]: string }
  readonly annotations: { readonly [key: string]: string }
  readonly managedFields: readonly { readonly manager?: string | undefined }[]
}

const marks = [
  { owner: 'Argo CD', in: 'annotations', key: 'argocd.argoproj.io/tracking-id' },
  { owner: 'Flux', in: 'labels', key: 'kustomize.toolkit.fluxcd.io/name' },
  { owner: 'Flux', in: 'labels', key: 'helm.toolkit.fluxcd.io/name' },
] as const

const managers: Readonly<Record<string, string>> = {
  'argocd-controller': 'Argo CD',
  'kustomize-controller': 'Flux',
  'helm-controller': 'Flux',
}

/** Who owns the object in Git, or undefined. `app.kubernetes.io/instance` alone says nothing. */
export function gitOwner(metadata: OwnershipMarks): string | undefined {
  for (const mark of marks) {
    if (metadata[mark.in][mark.key] !== undefined) return mark.owner
  }
  for (const { manager } of metadata.managedFields) {
    const owner = manager === undefined ? undefined : managers[manager]
    if (owner !== undefined) return owner
  }
  return undefined
}

/** The marks as covered readings: an object adopted by Git meanwhile voids an approval. */
export function gitReadings(of: string, metadata: OwnershipMarks): Reading[] {
  return marks.map((mark) => {
    const value = metadata[mark.in][mark.key]
    const key = mark.key.replaceAll('~', '~0').replaceAll('/', '~1')
    return {
      of,
      path: `/metadata/${mark.in}/${key}`,
      value: value === undefined ? 'absent' : { is: value },
    }
  })
}
