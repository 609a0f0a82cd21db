import { type WatchCache, watchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import { workQueue } from '@jackstay/kube/queue'
import type { ResourceType } from '@jackstay/kube/resources'
import { authenticated, serviceAccountGroups, serviceAccountName } from '../access/user-names.ts'
import type { KubeObject } from '../objects.ts'

const namespace = 'kube-system'

/** What a controller goes by: copies of objects, each kept up to date by a watch. */
export type Caches<K extends string> = Readonly<Record<K, WatchCache<KubeObject>>>

export interface Controller<K extends string = string> {
  /** Of its service account in `kube-system`, whose rights it has; or of a user, as some programs are. */
  readonly name: string
  /** Of such a user. */
  readonly groups?: readonly string[]
  /** What it watches, and which keys it looks at when an object of it changes. */
  readonly watches: Readonly<Record<K, Watched>>
  /**
   * Brings about what one key should be; called again until it succeeds, and at each change. It answers
   * after how many milliseconds something is due by itself, if anything is.
   */
  readonly reconcile: (key: string, parts: Reconciling<K>) => Promise<number | undefined>
}

interface Watched {
  readonly type: ResourceType
  readonly keys: (object: KubeObject) => readonly string[]
}

export interface Reconciling<K extends string> {
  readonly client: KubeClient
  readonly caches: Caches<K>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly signal: AbortSignal
}

export interface RunController {
  /** An administrator's: through it all is watched, and written as the controller's own account. */
  readonly client: KubeClient
  readonly now: () => number
  readonly signal: AbortSignal
  readonly onError: (error: unknown, controller: string) => void
}

/** Where an object is, as a key: `namespace/name`, or its name alone. */
export function keyOf({ metadata: { namespace, name = '' } }: KubeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** The parts of such a key. */
export function placeIn(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name] = key.split('/')
  return name === undefined ? { namespace: '', name: namespace } : { namespace, name }
}

/** Runs a controller until the signal aborts. Nothing is reconciled before all its caches are in step. */
export async function runController<K extends string>(
  { name, groups, watches, reconcile }: Controller<K>,
  { client: admin, now, signal, onError }: RunController,
): Promise<void> {
  const client = admin.as({
    username: groups === undefined ? serviceAccountName(namespace, name) : name,
    groups: [...(groups ?? serviceAccountGroups(namespace)), authenticated],
  })
  const watched = Object.entries<Watched>(watches).map(([kind, { type, keys }]) => {
    const project = (object: KubeObject) => object
    const failed = (error: unknown) => onError(error, name)
    // as in a real control plane all share one identity for reading, and have their own for writing
    const cache = watchCache({ client: admin, resource: type, project, onError: failed })
    return { kind, keys, cache }
  })
  const caches = Object.fromEntries(watched.map(({ kind, cache }) => [kind, cache])) as Caches<K>
  const queue = workQueue({
    handle: async (key) => {
      if (!watched.every(({ cache }) => cache.synced())) throw new Error('not in step yet')
      const due = await reconcile(key, { client, caches, now, signal })
      if (due !== undefined) queue.addAfter(key, due)
    },
    backoff: { minMs: 20, maxMs: 2_000 },
    // what others wrote meanwhile makes the first tries fail, and is no news
    onError: (error, _, attempt) => attempt > 8 && onError(error, name),
  })
  for (const { cache, keys } of watched) {
    cache.onChange(({ value, previous }) => {
      const about = [...keys(value), ...(previous === undefined ? [] : keys(previous))]
      for (const key of new Set(about)) queue.add(key)
    })
  }
  await ended(signal)
  queue.stop()
  for (const { cache } of watched) cache.stop()
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
