import type { CatalogueEntry, TargetKind } from '@jackstay/actions/action'
import { type WatchCache, watchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { Keeping } from './cluster-caches.ts'

export interface TargetView {
  readonly uid: string
  readonly resourceVersion: string
}

/** Every kind that an action works on, by its resource: a change wakes the intents that wait for it. */
export type TargetCaches = ReadonlyMap<string, WatchCache<TargetView>>

/** Each kind that some action works on, once. */
export function targetKinds(catalogue: readonly CatalogueEntry[]): readonly TargetKind[] {
  const all = catalogue.flatMap(({ targets }) => targets)
  return [...new Map(all.map((kind) => [`${kind.apiVersion}/${kind.resource}`, kind])).values()]
}

export function openTargetCaches(
  client: KubeClient,
  kinds: readonly TargetKind[],
  { onError, staleAfterMs }: Keeping,
): TargetCaches {
  return new Map(
    kinds.map((kind) => {
      const { apiVersion, resource } = kind
      const cache = watchCache<TargetView>({
        client,
        resource: { apiVersion, resource },
        project: ({ metadata }) => ({
          uid: metadata.uid ?? '',
          resourceVersion: metadata.resourceVersion ?? '',
        }),
        staleAfterMs,
        onError: (error, where) => onError(error, `${resource}/${where}`),
      })
      return [resource, cache] as const
    }),
  )
}
