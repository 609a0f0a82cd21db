import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import { workQueue } from '@jackstay/kube/queue'
import type { ResourceType } from '@jackstay/kube/resources'
import { authenticated, serviceAccountGroups, serviceAccountName } from '../access/user-names.ts'
import { LabClock, type Pace } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { OwnWrites } from './own-writes.ts'
import { type Recorded, recorder } from './recorder.ts'
import { SharedCaches } from './shared-caches.ts'

const namespace = 'kube-system'

/** What a controller goes by: copies of objects, each kept up to date by a watch. */
export type Caches<K extends string> = Readonly<Record<K, WatchCache<KubeObject>>>

export interface Controller<K extends string = string> {
  /** Of its service account in `kube-system`, whose rights it has; or of a user, as some programs are. */
  readonly name: string
  /** Of such a user. */
  readonly groups?: readonly string[]
  /** What it is called in its events, where it is not its name. */
  readonly eventSource?: string
  /** One key after another, in the order they came: for whoever decides by what he decided before. */
  readonly inTurn?: true
  /** What it watches, and which keys it looks at when an object of it changes. */
  readonly watches: Readonly<Record<K, Watched>>
  /**
   * Brings about what one key should be; called again until it succeeds, and at each change. It answers
   * after how many of the lab's milliseconds something is due by itself, if anything is.
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
  readonly clock: LabClock
  readonly signal: AbortSignal
  /** Writes an event about an object. */
  readonly record: Recorded
  /** Looks at another key soon. */
  readonly again: (key: string) => void
}

export interface RunController extends Pace {
  /** An administrator's: through it all is watched, and written as the controller's own account. */
  readonly client: KubeClient
  /** Makes what is chosen by lot the same in every lab of this seed. */
  readonly seed?: string
  /** Shared with other controllers; its own without. */
  readonly caches?: SharedCaches
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

/** A wait that rounds down to nothing would ask without end; so would one that no timer can hold. */
const [leastMs, longestMs] = [5, 24 * 3_600_000]

/** Runs a controller until the signal aborts. Nothing is reconciled before all its caches are in step. */
export async function runController<K extends string>(
  { name, groups, inTurn, eventSource, watches, reconcile }: Controller<K>,
  options: RunController,
): Promise<void> {
  const { client: admin, signal, onError } = options
  const clock = new LabClock(options)
  // as in a real control plane all share one identity for reading, and have their own for writing
  const shared = options.caches ?? new SharedCaches(admin, onError)
  const watched = Object.entries<Watched>(watches).map(([kind, { type, keys }]) => {
    return { kind, keys, type, cache: shared.of(type) }
  })
  const caches = Object.fromEntries(watched.map(({ kind, cache }) => [kind, cache])) as Caches<K>
  const own = new OwnWrites(
    (apiVersion, kind) =>
      watched.find(
        ({ type }) =>
          type.apiVersion === apiVersion && (type.kind === kind || type.resource === kind),
      ),
    admin,
  )
  const account = admin.as(accountOf(name, groups))
  const client = own.through(account)
  const record = recorder({
    ...{ client: account, clock, signal, name: eventSource ?? name },
    onError: (error) => onError(error, name),
  })
  const queue = workQueue({
    handle: async (key) => {
      await inStep(
        watched.map(({ cache }) => cache),
        signal,
      )
      await own.shown(signal)
      const again = (other: string) => queue.add(other)
      const due = await reconcile(key, { client, caches, clock, signal, record, again })
      if (due === undefined) return
      queue.addAfter(key, Math.min(longestMs, Math.max(leastMs, clock.real(due))))
    },
    ...(inTurn && { concurrency: 1 }),
    backoff: { minMs: 20, maxMs: 2_000 },
    // what others wrote meanwhile makes the first tries fail, and is no news
    onError: (error, _, attempt) => attempt > 8 && onError(error, name),
  })
  const unheard = watched.map(({ cache, keys }) =>
    cache.onChange(({ value, previous }) => {
      const about = [...keys(value), ...(previous === undefined ? [] : keys(previous))]
      for (const key of new Set(about)) queue.add(key)
    }),
  )
  await ended(signal)
  for (const unhear of unheard) unhear()
  queue.stop()
  if (options.caches === undefined) shared.stop()
}

const longestStepMs = 10_000

async function inStep(caches: readonly WatchCache<KubeObject>[], signal: AbortSignal) {
  const until = AbortSignal.any([signal, AbortSignal.timeout(longestStepMs)])
  for (const cache of caches) if (!cache.synced()) await cache.whenSynced(until)
}

function accountOf(name: string, groups: readonly string[] | undefined) {
  return {
    username: groups === undefined ? serviceAccountName(namespace, name) : name,
    groups: [...(groups ?? serviceAccountGroups(namespace)), authenticated],
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
