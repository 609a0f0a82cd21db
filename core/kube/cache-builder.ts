import { afterEach, beforeEach } from 'node:test'
import {
  type CacheFault,
  type Change,
  type WatchCache,
  type WatchCacheOptions,
  watchCache,
} from './cache.ts'
import { colorOf, FakeApi, until, widgets } from './fake-api.ts'

interface Projection {
  readonly name: string
  readonly color: string
}

/** For each test of a file: an API server of its own, and a cache of its widgets once it is started. */
export function freshCaches() {
  let api: FakeApi
  let cache: WatchCache<Projection>
  let changes: string[]
  let faults: { error: unknown; where: CacheFault }[]
  beforeEach(async () => {
    api = await FakeApi.start()
    changes = []
    faults = []
  })
  afterEach(async () => {
    cache.stop()
    await api.stop()
  })
  const record = ({ type, value, previous }: Change<Projection>) => {
    const was = previous === undefined ? '' : ` was ${previous.color}`
    changes.push(`${type} ${value.name} ${value.color}${was}`)
  }
  return {
    get api() {
      return api
    },
    get cache() {
      return cache
    },
    /** In words, in their order. */
    get changes() {
      return changes
    },
    get faults() {
      return faults
    },
    start(options: Partial<WatchCacheOptions<Projection>> = {}) {
      cache = watchCache<Projection>({
        client: api.client(),
        resource: widgets,
        project: (object) => ({ name: object.metadata.name ?? '', color: colorOf(object) }),
        backoff: { minMs: 1, maxMs: 5 },
        onError: (error, where) => faults.push({ error, where }),
        ...options,
      })
      cache.onChange(record)
    },
    held: () => [...cache.values()].map(({ name, color }) => `${name} ${color}`).sort(),
    synced: () => cache.whenSynced(AbortSignal.timeout(20_000)),
    inStep: () => until('a watch is open', () => api.openWatches === 1),
    changed: (count: number) => until(`${count} changes`, () => changes.length >= count),
  }
}
