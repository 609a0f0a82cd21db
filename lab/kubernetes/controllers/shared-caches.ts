import { type WatchCache, watchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { ResourceType } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'

/** One cache of each kind, whoever asks for it: a watch of all Pods for each controller would cost too much. */
export class SharedCaches {
  readonly #client: KubeClient
  readonly #onError: (error: unknown, what: string) => void
  readonly #caches = new Map<string, WatchCache<KubeObject>>()

  constructor(client: KubeClient, onError: (error: unknown, what: string) => void) {
    this.#client = client
    this.#onError = onError
  }

  of(type: ResourceType): WatchCache<KubeObject> {
    const key = `${type.apiVersion}/${type.resource}`
    const known = this.#caches.get(key)
    if (known !== undefined) return known
    const made = watchCache({
      client: this.#client,
      resource: type,
      project: (object) => object,
      onError: (error) => this.#onError(error, key),
    })
    this.#caches.set(key, made)
    return made
  }

  stop(): void {
    for (const cache of this.#caches.values()) cache.stop()
    this.#caches.clear()
  }
}
