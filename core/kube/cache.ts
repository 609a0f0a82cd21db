import { JackstayError } from '@jackstay/contract/errors'
import { type Backoff, backoffDelay } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import type { KubeObject, ResourceType } from './resources.ts'
import { statusOf } from './status.ts'
import { type Change, Store, StoreFull } from './store.ts'
import { listPages, type WatchEvent, type WatchScope, watchEvents } from './watch.ts'

export type { Change } from './store.ts'

/** Where a failure happened: `project` and `handler` are the caller's own code. */
export type CacheFault = 'list' | 'watch' | 'project' | 'handler'

export interface WatchCacheOptions<T> {
  readonly client: KubeClient
  readonly resource: ResourceType
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** All that `project` needs is in the metadata: the server sends nothing else, a tenth of a Pod. */
  readonly metadataOnly?: boolean
  /**
   * Keeps what is needed of an object; `undefined` leaves it out. It must not throw: an object it
   * throws on could be a suspension, so the cache is not synced until that object changes or goes.
   */
  readonly project: (object: KubeObject) => T | undefined
  /** A second key, a thumbprint say; `find` and `findAll` look it up. */
  readonly index?: (value: T) => string | undefined
  /** Failures, none of which stops the cache. */
  readonly onError?: (error: unknown, where: CacheFault) => void
  /** Without contact for so long, `synced` is false; 30 s. At least 3 s. */
  readonly staleAfterMs?: number
  /** How long one page of a list may take; 30 s. */
  readonly pageTimeoutMs?: number
  /** Above it the cache is not synced; 100,000. */
  readonly maxObjects?: number
  /** 50 ms to 10 s. */
  readonly backoff?: Backoff
  readonly clock?: Clock
  /** A number in [0, 1). */
  readonly random?: () => number
}

/** Projections of a resource, kept in step with the API server from the moment it is made. */
export interface WatchCache<T> {
  /** By namespace (`undefined` if cluster-scoped) and name. */
  get(namespace: string | undefined, name: string): T | undefined
  /** By the `index` option; where two objects share a key, the one changed last. */
  find(key: string): T | undefined
  /** All with this key, the one changed last at the end. */
  findAll(key: string): readonly T[]
  values(): IterableIterator<T>
  readonly size: number
  /**
   * In step: listed completely, every object projected, and in contact within `staleAfterMs`. Decide
   * nothing on a cache that is not.
   */
  synced(): boolean
  /** Objects the projection throws on, as `namespace/name` or `name`. */
  unreadable(): readonly string[]
  /** @throws JackstayError `not_ready` when the signal aborts or the cache stops first */
  whenSynced(signal: AbortSignal): Promise<void>
  /**
   * Calls back for every object known now (as `added`) and every change from now on, in order; the
   * cache already holds the new state. What it throws goes to `onError`. Returns the way to end it.
   */
  onChange(handler: (change: Change<T>) => void | Promise<void>): () => void
  /** Milliseconds since the last proof of being in step (list, event, bookmark, open or clean end of a watch); Infinity before the first. */
  readonly lag: number
  /** Milliseconds since the epoch of the last event or bookmark. */
  readonly lastEventAt: number | undefined
  stop(): void
}

/**
 * Starts a cache: paginated list, then watch with bookmarks, resumed from the last resourceVersion
 * after a cut. 410 lists again and reports what vanished as deleted.
 */
export function watchCache<T>(options: WatchCacheOptions<T>): WatchCache<T> {
  const cache = new Cache(options)
  void cache.run()
  return cache
}

const defaultBackoff: Backoff = { minMs: 50, maxMs: 10_000 }
const defaultStaleMs = 30_000
const defaultPageMs = 30_000
const defaultMaxObjects = 100_000
/** A watch that ends sooner, without an event, counts as failed: else a broken proxy makes us spin. */
const hastyMs = 500
/** Refused watches without progress before the resourceVersion itself is doubted (etcd restored, say). */
const doubtAfter = 5

class Cache<T> implements WatchCache<T> {
  readonly #client: KubeClient
  readonly #scope: WatchScope
  readonly #store: Store<T>
  readonly #onError: (error: unknown, where: CacheFault) => void
  readonly #staleAfterMs: number
  readonly #backoff: Backoff
  readonly #clock: Clock
  readonly #random: () => number
  readonly #stopped = new AbortController()
  readonly #waiting = new Set<() => void>()
  #resourceVersion = ''
  /** A complete list stands behind the store. */
  #listed = false
  #mustList = true
  #doubts = 0
  #contactAt = Number.NEGATIVE_INFINITY
  #lastEventAt: number | undefined
  #attempt = 0

  constructor(options: WatchCacheOptions<T>) {
    const { client, resource, namespace, labelSelector, fieldSelector, project, index } = options
    this.#client = client
    const { pageTimeoutMs = defaultPageMs, metadataOnly = false } = options
    const selectors = { namespace, labelSelector, fieldSelector }
    this.#scope = { resource, ...selectors, metadataOnly, pageTimeoutMs }
    this.#onError = options.onError ?? (() => {})
    const maxObjects = options.maxObjects ?? defaultMaxObjects
    this.#store = new Store({
      project,
      index,
      maxObjects,
      onError: (error, where) => this.#report(error, where),
    })
    this.#staleAfterMs = Math.max(3_000, options.staleAfterMs ?? defaultStaleMs)
    this.#backoff = options.backoff ?? defaultBackoff
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace, name)
  }

  find(key: string): T | undefined {
    return this.#store.find(key).at(-1)
  }

  findAll(key: string): readonly T[] {
    return this.#store.find(key)
  }

  values(): IterableIterator<T> {
    return this.#store.values()
  }

  get size(): number {
    return this.#store.size
  }

  get lag(): number {
    return this.#clock.now() - this.#contactAt
  }

  get lastEventAt(): number | undefined {
    return this.#lastEventAt
  }

  unreadable(): readonly string[] {
    return this.#store.broken
  }

  synced(): boolean {
    return (
      this.#listed &&
      !this.#store.isBroken &&
      this.lag <= this.#staleAfterMs &&
      !this.#stopped.signal.aborted
    )
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const check = () => {
      if (this.synced()) finish(resolve)
      else if (signal.aborted || this.#stopped.signal.aborted)
        finish(() => reject(this.#notReady()))
    }
    const finish = (settle: () => void) => {
      this.#waiting.delete(check)
      signal.removeEventListener('abort', check)
      settle()
    }
    this.#waiting.add(check)
    signal.addEventListener('abort', check, { once: true })
    check()
    return promise
  }

  onChange(handler: (change: Change<T>) => void | Promise<void>): () => void {
    return this.#store.subscribe(handler)
  }

  stop(): void {
    this.#stopped.abort(new Error('the cache was stopped'))
    this.#wake()
  }

  /** Never throws and ends only with `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const where = this.#mustList ? 'list' : 'watch'
      try {
        if (where === 'list') await this.#list()
        else await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        this.#report(error, where)
        this.#learn(error)
        const delay = backoffDelay(this.#attempt, this.#backoff, this.#random())
        this.#attempt++
        await this.#clock.sleep(delay, signal)
      }
    }
  }

  /** Decides what a failure says about the state held and where to go on. */
  #learn(error: unknown): void {
    const code = statusOf(error)?.code
    if (code === 404 || error instanceof StoreFull) {
      // the kind is not installed (any more), or there is more than we hold: what we have proves nothing
      this.#listed = false
      this.#mustList = true
    }
    // the events since are lost; until the list is in, staleness bounds how long the old state stands
    if (code === 410) this.#mustList = true
    // A resourceVersion from before an etcd restore is refused with various codes for ever.
    if (code !== undefined && code !== 429 && code !== 503 && ++this.#doubts >= doubtAfter)
      this.#mustList = true
  }

  async #list(): Promise<void> {
    const staged = this.#store.stage()
    let resourceVersion = ''
    for await (const page of listPages(this.#client, this.#scope, this.#stopped.signal)) {
      for (const object of page.items) staged.add(object)
      resourceVersion = page.resourceVersion
    }
    if (resourceVersion === '') throw new Error('the list has no resourceVersion to watch from')
    this.#resourceVersion = resourceVersion
    this.#mustList = false
    this.#listed = true
    this.#doubts = 0
    this.#contactAt = this.#clock.now()
    staged.commit()
    this.#wake()
  }

  /** One watch to its end. Throws unless the server ended it in order. */
  async #watch(): Promise<void> {
    const timeoutSeconds = Math.max(
      1,
      Math.floor((this.#staleAfterMs / 1000) * (0.6 + 0.1 * this.#random())),
    )
    const ended = new AbortController()
    const stop = () => ended.abort(this.#stopped.signal.reason)
    this.#stopped.signal.addEventListener('abort', stop, { once: true })
    this.#expire(ended, timeoutSeconds * 1000 + this.#staleAfterMs / 6)
    const startedAt = this.#clock.now()
    const onOpen = () => this.#contact()
    const { signal } = ended
    const before = this.#resourceVersion
    try {
      const options = { resourceVersion: before, timeoutSeconds, signal, onOpen }
      for await (const event of watchEvents(this.#client, this.#scope, options)) this.#take(event)
    } finally {
      ended.abort()
      this.#stopped.signal.removeEventListener('abort', stop)
    }
    if (before === this.#resourceVersion && this.#clock.now() - startedAt < hastyMs) {
      throw new Error('the server ended the watch at once')
    }
    this.#attempt = 0
    this.#contact()
  }

  /** A half-open connection looks like a quiet one: past its time the watch is cut by us. */
  #expire(ended: AbortController, afterMs: number): void {
    void this.#clock.sleep(afterMs, ended.signal).then(() => {
      if (ended.signal.aborted) return
      // the next one would open and be as silent: only a list says what is so
      this.#mustList = true
      ended.abort(new Error(`the watch did not end within ${Math.round(afterMs)} ms`))
    })
  }

  #take(event: WatchEvent): void {
    this.#resourceVersion = event.resourceVersion
    this.#attempt = 0
    this.#doubts = 0
    this.#contactAt = this.#clock.now()
    this.#lastEventAt = this.#contactAt
    if (event.type === 'DELETED') this.#store.remove(event.object)
    else if (event.type !== 'BOOKMARK') this.#store.put(event.object)
    this.#wake()
  }

  #contact(): void {
    this.#contactAt = this.#clock.now()
    this.#wake()
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check()
  }

  #report(error: unknown, where: CacheFault): void {
    try {
      this.#onError(error, where)
    } catch {
      // the reporter itself failed: there is nobody left to tell, and the cache must go on
    }
  }

  #notReady(): JackstayError {
    const { resource, namespace } = this.#scope
    return new JackstayError(
      'not_ready',
      `the cache of \`${resource.resource}\`${namespace === undefined ? '' : ` in \`${namespace}\``} is not in step with the API server; check that the kind is installed and may be listed and watched`,
    )
  }
}
