import type { KubeObject, StoredObject } from '../objects.ts'
import { type Change, type Collection, type Place, sortKey, sortKeyOf } from './change.ts'
import type { Disk } from './disk.ts'

/** An object that has everything but its revision. */
export type Unversioned = KubeObject & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly creationTimestamp: string
  }
}

/** Changes that watches can still be told of; who asks for older ones has to list again. */
const remembered = 4096

/**
 * The objects of a cluster, each write with a revision of its own. Everything happens within one turn of
 * the event loop, so that whoever compared a revision may write by it.
 */
export class ObjectStore {
  readonly #disk: Disk | undefined
  readonly #objects = new Map<Collection, Map<string, StoredObject>>()
  /** Each collection in order, until it is written to: every request reads roles and bindings. */
  readonly #listed = new Map<Collection, readonly StoredObject[]>()
  readonly #listeners = new Set<(change: Change) => void>()
  #changes: Change[] = []
  #revision: number
  /** Everything up to this revision is forgotten. */
  #compacted: number

  constructor(disk?: Disk) {
    this.#disk = disk
    const kept = disk?.load()
    // as of a real server: an empty cluster has seen writes already
    this.#revision = kept?.revision ?? 1
    this.#compacted = this.#revision
    for (const { place, object } of kept?.objects ?? []) {
      this.#in(place.collection).set(sortKey(place), object)
    }
  }

  /** Of the newest write. */
  get revision(): number {
    return this.#revision
  }

  get(place: Place): StoredObject | undefined {
    return this.#objects.get(place.collection)?.get(sortKey(place))
  }

  /** All of a collection, or those in one namespace, in their order. */
  list(collection: Collection, namespace?: string): readonly StoredObject[] {
    const all =
      this.#listed.get(collection) ?? inOrder([...(this.#objects.get(collection)?.values() ?? [])])
    this.#listed.set(collection, all)
    return namespace === undefined
      ? all
      : all.filter(({ metadata }) => metadata.namespace === namespace)
  }

  /** The same as it was after the write of `revision`; undefined where that is forgotten. */
  listAt(
    collection: Collection,
    namespace: string | undefined,
    revision: number,
  ): readonly StoredObject[] | undefined {
    if (revision < this.#compacted || revision > this.#revision) return undefined
    const objects = new Map(this.list(collection, namespace).map((one) => [sortKeyOf(one), one]))
    for (const { place, before, revision: at } of this.#changes.toReversed()) {
      if (at <= revision) break
      if (place.collection !== collection) continue
      if (namespace !== undefined && place.namespace !== namespace) continue
      if (before === undefined) objects.delete(sortKey(place))
      else objects.set(sortKey(place), before)
    }
    return inOrder([...objects.values()])
  }

  /** Makes or replaces an object. */
  put(place: Place, object: Unversioned): StoredObject {
    const revision = this.#revision + 1
    const metadata = { ...object.metadata, resourceVersion: String(revision) }
    const stored: StoredObject = { ...object, metadata }
    this.#write({ revision, place, before: this.get(place), after: stored })
    return stored
  }

  /** Takes an object away; what is told of it has the revision of its end. */
  delete(place: Place): StoredObject | undefined {
    const before = this.get(place)
    if (before === undefined) return undefined
    const revision = this.#revision + 1
    this.#write({ revision, place, before, after: undefined })
    return { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } }
  }

  /** What was written after `revision`; undefined where some of it is forgotten. */
  since(revision: number): readonly Change[] | undefined {
    if (revision < this.#compacted) return undefined
    return this.#changes.filter((change) => change.revision > revision)
  }

  /** Tells of every write from now on, in order, within the write. Returns how to stop it. */
  listen(heard: (change: Change) => void): () => void {
    this.#listeners.add(heard)
    return () => this.#listeners.delete(heard)
  }

  /** Forgets what watches could be told, as a real server does after minutes. */
  compact(): void {
    this.#changes = []
    this.#compacted = this.#revision
  }

  #write(change: Change): void {
    this.#disk?.write(change)
    const { place, after, revision } = change
    this.#listed.delete(place.collection)
    if (after === undefined) this.#in(place.collection).delete(sortKey(place))
    else this.#in(place.collection).set(sortKey(place), after)
    this.#revision = revision
    this.#changes.push(change)
    if (this.#changes.length > remembered * 2) {
      this.#changes = this.#changes.slice(-remembered)
      this.#compacted = (this.#changes[0]?.revision ?? revision) - 1
    }
    for (const heard of [...this.#listeners]) heard(change)
  }

  #in(collection: Collection): Map<string, StoredObject> {
    const known = this.#objects.get(collection)
    if (known !== undefined) return known
    const made = new Map<string, StoredObject>()
    this.#objects.set(collection, made)
    return made
  }
}

function inOrder(objects: readonly StoredObject[]): readonly StoredObject[] {
  const keyed = objects.map((object) => ({ key: sortKeyOf(object), object }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ object }) => object)
}
