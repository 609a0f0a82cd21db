import type { KubeObject } from './resources.ts'

/** A change of one projection. A replaced object (same name, new uid) is a deletion and an addition. */
export type Change<T> =
  | { readonly type: 'added'; readonly value: T; readonly previous?: undefined }
  | { readonly type: 'modified'; readonly value: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly value: T; readonly previous?: undefined }

interface Entry<T> {
  readonly value: T
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly indexed: string | undefined
}

export interface StoreOptions<T> {
  readonly project: (object: KubeObject) => T | undefined
  readonly index: ((value: T) => string | undefined) | undefined
  readonly maxObjects: number
  readonly onError: (error: unknown, where: 'project' | 'handler') => void
}

/** Holding more than it may, a cache can no longer be in step. */
export class StoreFull extends Error {}

/** The projections of a cache, their second key and whoever listens. */
export class Store<T> {
  readonly #options: StoreOptions<T>
  readonly #entries = new Map<string, Entry<T>>()
  /** Objects the projection threw on. */
  #broken = new Set<string>()
  readonly #index = new Map<string, Set<string>>()
  readonly #handlers = new Set<(change: Change<T>) => void | Promise<void>>()

  constructor(options: StoreOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  get broken(): readonly string[] {
    return [...this.#broken].map((key) => key.replace(/^\//, ''))
  }

  get isBroken(): boolean {
    return this.#broken.size > 0
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#entries.get(keyOf(namespace, name))?.value
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield entry.value
  }

  /** Oldest change first. */
  find(indexed: string): T[] {
    const keys = [...(this.#index.get(indexed) ?? [])]
    return keys.flatMap((key) => {
      const entry = this.#entries.get(key)
      return entry === undefined ? [] : [entry.value]
    })
  }

  subscribe(handler: (change: Change<T>) => void | Promise<void>): () => void {
    // a wrapper, so that the same function subscribed twice is two subscriptions
    const own = (change: Change<T>) => handler(change)
    for (const value of [...this.values()]) this.#call(own, { type: 'added', value })
    this.#handlers.add(own)
    return () => this.#handlers.delete(own)
  }

  /** The state after an ADDED or MODIFIED event. */
  put(object: KubeObject): void {
    const key = keyFor(object)
    this.#broken.delete(key)
    this.#emit(this.#set(key, this.#project(key, object, this.#broken)))
  }

  remove(object: KubeObject): void {
    const key = keyFor(object)
    this.#broken.delete(key)
    this.#emit(this.#set(key, undefined))
  }

  /** Collects a list page by page; the store changes only with `commit`. */
  stage(): { add: (object: KubeObject) => void; commit: () => void } {
    const next = new Map<string, Entry<T>>()
    const broken = new Set<string>()
    return {
      add: (object) => {
        const key = keyFor(object)
        const known = this.#entries.get(key)
        const { uid, resourceVersion } = object.metadata
        const same =
          known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion
        const entry = same ? known : this.#project(key, object, broken)
        if (entry === undefined) return
        if (next.size >= this.#options.maxObjects) throw this.#full()
        next.set(key, entry)
      },
      commit: () => this.#replace(next, broken),
    }
  }

  #replace(next: ReadonlyMap<string, Entry<T>>, broken: Set<string>): void {
    this.#broken = broken
    const changes: Change<T>[] = []
    for (const key of [...this.#entries.keys()]) {
      if (!next.has(key)) changes.push(...this.#set(key, undefined))
    }
    for (const [key, entry] of next) changes.push(...this.#set(key, entry))
    this.#emit(changes)
  }

  #project(key: string, object: KubeObject, broken: Set<string>): Entry<T> | undefined {
    const { uid, resourceVersion } = object.metadata
    try {
      const value = this.#options.project(object)
      if (value === undefined) return undefined
      return { value, uid, resourceVersion, indexed: this.#options.index?.(value) }
    } catch (error) {
      if (broken.size < this.#options.maxObjects) broken.add(key)
      this.#options.onError(error, 'project')
      return undefined
    }
  }

  /** Changes the maps and says how; says nothing when the object is the one already held. */
  #set(key: string, entry: Entry<T> | undefined): Change<T>[] {
    const old = this.#entries.get(key)
    if (old === undefined && entry === undefined) return []
    if (old && entry && old.uid === entry.uid && old.resourceVersion === entry.resourceVersion)
      return []
    if (old === undefined && this.#entries.size >= this.#options.maxObjects) throw this.#full()
    if (old?.indexed !== undefined) this.#unindex(old.indexed, key)
    if (entry === undefined) this.#entries.delete(key)
    else this.#entries.set(key, entry)
    if (entry?.indexed !== undefined) {
      const keys = this.#index.get(entry.indexed) ?? new Set()
      this.#index.set(entry.indexed, keys.add(key))
    }
    if (old && entry && old.uid === entry.uid)
      return [{ type: 'modified', value: entry.value, previous: old.value }]
    const gone: Change<T>[] = old ? [{ type: 'deleted', value: old.value }] : []
    return entry ? [...gone, { type: 'added', value: entry.value }] : gone
  }

  #unindex(indexed: string, key: string): void {
    const keys = this.#index.get(indexed)
    keys?.delete(key)
    if (keys?.size === 0) this.#index.delete(indexed)
  }

  #emit(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      for (const handler of [...this.#handlers]) this.#call(handler, change)
    }
  }

  #call(handler: (change: Change<T>) => void | Promise<void>, change: Change<T>): void {
    try {
      const result = handler(change)
      if (result instanceof Promise)
        result.catch((error: unknown) => this.#options.onError(error, 'handler'))
    } catch (error) {
      this.#options.onError(error, 'handler')
    }
  }

  #full(): StoreFull {
    return new StoreFull(
      `more than ${this.#options.maxObjects} objects; narrow the cache by namespace or selector`,
    )
  }
}

/** `/` occurs in neither part. */
function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}

function keyFor(object: KubeObject): string {
  return keyOf(object.metadata.namespace, object.metadata.name ?? '')
}
