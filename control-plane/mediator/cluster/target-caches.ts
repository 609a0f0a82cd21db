import type { CatalogueEntry, TargetKind } from '@jackstay/actions/action'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import { type Keeping, keepMetadata } from './keeping.ts'

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
  keeping: Keeping,
): TargetCaches {
  return new Map(
    kinds.map(({ apiVersion, resource }) => [
      resource,
      keepMetadata(client, [apiVersion, resource], keeping, projectTarget),
    ]),
  )
}

function projectTarget({ metadata }: Pick<KubeObject, 'metadata'>): TargetView {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' }
}
