import { setTimeout as sleep } from 'node:timers/promises'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import { isRecord, type ResourceType } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'

interface Watched {
  readonly type: ResourceType
  readonly cache: Pick<WatchCache<KubeObject>, 'get'>
}

/** What is watched of a kind, by its kind or plural; undefined where the controller does not. */
type WatchedOf = (apiVersion: string, kind: string) => Watched | undefined

interface Written extends Watched {
  readonly namespace: string | undefined
  readonly name: string
  /** Undefined: it is gone. */
  readonly revision: number | undefined
}

/** A watch that is later than this has more wrong with it than a controller could wait for. */
const [lookMs, longestMs] = [2, 10_000]
/** What somebody took away before the watch was looked at never shows: then the API server is asked. */
const doubtMs = 200

/**
 * What a controller wrote and its caches do not show yet. Who decides without it makes a Pod twice, or
 * takes two away for one.
 */
export class OwnWrites {
  readonly #watchedOf: WatchedOf
  readonly #reader: KubeClient
  readonly #written = new Map<string, Written>()

  /** @param reader may get whatever is watched */
  constructor(watchedOf: WatchedOf, reader: KubeClient) {
    this.#watchedOf = watchedOf
    this.#reader = reader
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
        const watched = this.#watchedOf(ref.apiVersion, ref.resource)
        const uid = options?.preconditions?.uid
        const isGone = answer.kind === 'applied' && answer.object.kind === 'Status'
        if (isGone && uid !== undefined && watched !== undefined) {
          const { namespace, name } = ref
          this.#written.set(uid, { ...watched, namespace, name, revision: undefined })
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

  /** Resolves when the caches show all that was written until now. */
  async shown(signal: AbortSignal): Promise<void> {
    const due = new Map(this.#written)
    // by the clock and not by how often: on a busy machine each sleep takes many times as long
    const end = performance.now() + longestMs
    let doubtAt = performance.now() + doubtMs
    for (;;) {
      const isOver = performance.now() > end
      for (const [uid, written] of due) {
        if (isOver || isShown(uid, written)) this.#settle(uid, due)
      }
      if (due.size === 0 || signal.aborted) return
      if (performance.now() > doubtAt) {
        await this.#doubt(due, signal)
        doubtAt = performance.now() + doubtMs
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #settle(uid: string, due: Map<string, Written>): void {
    // unless it was written again meanwhile
    if (this.#written.get(uid) === due.get(uid)) this.#written.delete(uid)
    due.delete(uid)
  }

  /** Asks for what the caches do not have; what is gone is waited for as gone. */
  async #doubt(due: Map<string, Written>, signal: AbortSignal): Promise<void> {
    for (const [uid, { revision, ...written }] of due) {
      const { cache, type, namespace, name } = written
      if (revision === undefined || cache.get(namespace, name)?.metadata.uid === uid) continue
      const ref = { ...type, name, ...(namespace !== undefined && { namespace }) }
      const found = await find(this.#reader, ref, { signal })
      if (found?.metadata.uid !== uid) this.#settle(uid, due)
    }
  }

  #wrote(object: unknown): void {
    if (!isRecord(object) || !isRecord(object.metadata)) return
    const { apiVersion, kind, metadata } = object
    const watched = this.#watchedOf(String(apiVersion), String(kind))
    const { uid, namespace, name, resourceVersion } = metadata
    if (watched === undefined || typeof uid !== 'string') return
    this.#written.set(uid, {
      ...{ ...watched, name: String(name), revision: Number(resourceVersion) },
      namespace: typeof namespace === 'string' ? namespace : undefined,
    })
  }
}

function isShown(uid: string, { cache, namespace, name, revision }: Written): boolean {
  const metadata = cache.get(namespace, name)?.metadata
  if (revision === undefined) return metadata?.uid !== uid
  return metadata?.uid === uid && Number(metadata.resourceVersion) >= revision
}
