import { type WatchCache, watchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'

/** How caches say what failed, and for how long they are believed without contact. */
export interface Keeping {
  readonly onError: (error: unknown, where: string) => void
  readonly staleAfterMs: number
}

interface Kept<T> {
  readonly index?: ((value: T) => string | undefined) | undefined
  readonly fieldSelector?: string
}

/** Everything of one kind in the cluster, as small projections. */
export function keep<T>(
  client: KubeClient,
  kind: Named,
  keeping: Keeping,
  project: (object: KubeObject) => T | undefined,
  index?: (value: T) => string | undefined,
): WatchCache<T> {
  return open(client, kind, keeping, project, { index })
}

/** The same where a projection needs metadata alone: the server sends nothing else. */
export function keepMetadata<T>(
  client: KubeClient,
  kind: Named,
  keeping: Keeping,
  project: (object: Pick<KubeObject, 'metadata'>) => T | undefined,
  kept: Kept<T> = {},
): WatchCache<T> {
  return open(client, kind, keeping, project, { ...kept, metadataOnly: true })
}

type Named = readonly [apiVersion: string, resource: string]

function open<T>(
  client: KubeClient,
  [apiVersion, resource]: Named,
  { onError, staleAfterMs }: Keeping,
  project: (object: KubeObject) => T | undefined,
  { index, ...kept }: Kept<T> & { readonly metadataOnly?: boolean },
): WatchCache<T> {
  return watchCache({
    ...{ client, resource: { apiVersion, resource }, project, staleAfterMs },
    ...kept,
    ...(index && { index }),
    onError: (error, where) => onError(error, `${resource}/${where}`),
  })
}
