import { type WatchCache, watchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'

/** How caches say what failed, and for how long they are believed without contact. */
export interface Keeping {
  readonly onError: (error: unknown, where: string) => void
  readonly staleAfterMs: number
}

/** Everything of one kind in the cluster, as small projections. */
export function keep<T>(
  client: KubeClient,
  [apiVersion, resource]: readonly [apiVersion: string, resource: string],
  { onError, staleAfterMs }: Keeping,
  project: (object: KubeObject) => T | undefined,
  index?: (value: T) => string | undefined,
): WatchCache<T> {
  return watchCache({
    ...{ client, resource: { apiVersion, resource }, project, staleAfterMs },
    ...(index && { index }),
    onError: (error, where) => onError(error, `${resource}/${where}`),
  })
}
