import { setTimeout as sleep } from 'node:timers/promises'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'

/** The cache of a kind, by its kind or plural; undefined where the controller has none. */
type CacheOf = (apiVersion: string, kind: string) => WatchCache<KubeObject> | undefined

interface Written {
  readonly cache: WatchCache<KubeObject>
  readonly namespace: string | undefined
  readonly name: string
  /** Undefined: it is gone. */
  readonly revision: number | undefined
}

/** What another may have undone before the watch told of it is not waited for for ever. */
const [askMs, longestMs] = [2, 1000]

/**
 * What a controller wrote and its caches do not show yet. Who decides without it makes a Pod twice, or
 * takes two away for one.
 */
export class OwnWrites {
  readonly #cacheOf: CacheOf
  readonly #written = new Map<string, Written>()

  constructor(cacheOf: CacheOf) {
    this.#cacheOf = cacheOf
  }

  /** The same client, with its writes remembered. */
  through(client: KubeClient): KubeClient {
    const settled = <T extends { readonly kind: string; readonly object?: unknown }>(answer: T) => {
      if (answer.kind === 'applied') this.#wrote(answer.object)
      return answer
    }
    return {
      config: client.config,
      request: async (request) => {
        const answer = await client.request(request)
        if (answer.status < 300 && request.method !== 'GET') this.#wrote(answer.body)
        return answer
      },
      stream: (request) => client.stream(request),
      get: (ref, options) => client.get(ref, options),
      list: (resource, options) => client.list(resource, options),
      create: async (...args) => settled(await client.create(...args)),
      mergePatch: async (...args) => settled(await client.mergePatch(...args)),
      apply: async (...args) => settled(await client.apply(...args)),
      delete: async (ref, options) => {
        const answer = settled(await client.delete(ref, options))
        const cache = this.#cacheOf(ref.apiVersion, ref.resource)
        const uid = options?.preconditions?.uid
        const isGone = answer.kind === 'applied' && answer.object.kind === 'Status'
        if (isGone && uid !== undefined && cache !== undefined) {
          const { namespace, name } = ref
          this.#written.set(uid, { cache, namespace, name, revision: undefined })
        }
        return answer
      },
      evict: (ref, options) => client.evict(ref, options),
      as: (who) => client.as(who),
      tokenReview: (...args) => client.tokenReview(...args),
      createToken: (...args) => client.createToken(...args),
      close: () => client.close(),
    }
  }

  /** Resolves when the caches show all of it. */
  async shown(signal: AbortSignal): Promise<void> {
    // by the clock and not by how often: on a busy machine each sleep takes many times as long
    const until = performance.now() + longestMs
    while (performance.now() < until && !signal.aborted) {
      for (const [uid, written] of this.#written) {
        if (isShown(uid, written)) this.#written.delete(uid)
      }
      if (this.#written.size === 0) return
      await sleep(askMs, undefined, { signal }).catch(() => undefined)
    }
    this.#written.clear()
  }

  #wrote(object: unknown): void {
    if (!isRecord(object) || !isRecord(object.metadata)) return
    const { apiVersion, kind, metadata } = object
    const cache = this.#cacheOf(String(apiVersion), String(kind))
    const { uid, namespace, name, resourceVersion } = metadata
    if (cache === undefined || typeof uid !== 'string') return
    this.#written.set(uid, {
      ...{ cache, name: String(name), revision: Number(resourceVersion) },
      namespace: typeof namespace === 'string' ? namespace : undefined,
    })
  }
}

function isShown(uid: string, { cache, namespace, name, revision }: Written): boolean {
  const metadata = cache.get(namespace, name)?.metadata
  if (revision === undefined) return metadata?.uid !== uid
  return metadata?.uid === uid && Number(metadata.resourceVersion) >= revision
}
