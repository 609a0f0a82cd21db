import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import { openSurroundingCaches } from '../surroundings/caches.ts'
import { keep, keepMetadata } from './keeping.ts'

interface Asked {
  readonly resource: unknown
  readonly fieldSelector?: string | undefined
  readonly accept?: string | undefined
}

/** An API server that has these objects, and whose watches say nothing. */
function serverOf(...names: string[]) {
  const asked: Asked[] = []
  const items = names.map((name) => ({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name, namespace: 'shop', uid: `uid of ${name}`, resourceVersion: '1' },
  }))
  const client: Pick<KubeClient, 'list' | 'stream'> = {
    list: async (resource, { fieldSelector, accept } = {}) => {
      asked.push({ resource, fieldSelector, accept })
      return { items, resourceVersion: '1' } as Awaited<ReturnType<KubeClient['list']>>
    },
    stream: async () => new PassThrough(),
  }
  return { client: client as KubeClient, asked }
}

const kind = ['v1', 'pods'] as const
const keeping = {
  onError: (error: unknown) => assert.fail(String(error)),
  staleAfterMs: 30_000,
}
const view = ({ metadata }: Pick<KubeObject, 'metadata'>) => ({
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
})
const byUid = ({ uid }: { readonly uid: string }) => uid

async function inStep<T>(t: TestContext, cache: WatchCache<T>): Promise<WatchCache<T>> {
  t.after(() => cache.stop())
  await cache.whenSynced(AbortSignal.timeout(10_000))
  return cache
}

test('what is kept is found by its index, also where only metadata is', async (t) => {
  const { client } = serverOf('a', 'b')
  for (const cache of [
    keep(client, kind, keeping, view, byUid),
    keepMetadata(client, kind, keeping, view, { index: byUid }),
  ]) {
    const { find, size } = await inStep(t, cache)
    assert.equal(size, 2)
    assert.equal(find.call(cache, 'uid of b')?.name, 'b')
    assert.equal(find.call(cache, 'uid of c'), undefined)
  }
})

test('what stands around the Pods of a plan is found by its namespace', async (t) => {
  const { client } = serverOf('a', 'b')
  const { quotas, budgets, ...others } = openSurroundingCaches(client, {
    ...keeping,
    onError: () => undefined, // no Pod reads as an autoscaler
  })
  for (const other of Object.values(others)) t.after(() => other.stop())
  for (const cache of [quotas, budgets]) {
    const names = (await inStep<{ readonly name: string }>(t, cache)).findAll('shop')
    assert.deepEqual(
      names.map(({ name }) => name),
      ['a', 'b'],
    )
    assert.deepEqual(cache.findAll('bank'), [])
  }
})

test('metadata alone is asked for where it is enough, of those that are selected', async (t) => {
  const { client, asked } = serverOf('a')
  await inStep(t, keep(client, kind, keeping, view))
  await inStep(t, keepMetadata(client, kind, keeping, view, { fieldSelector: 'status.phase!=x' }))
  assert.deepEqual(asked[0]?.accept, undefined)
  assert.match(asked[1]?.accept ?? '', /as=PartialObjectMetadataList/)
  assert.deepEqual(
    asked.map(({ resource, fieldSelector }) => [resource, fieldSelector]),
    [undefined, 'status.phase!=x'].map((selected) => [
      { apiVersion: 'v1', resource: 'pods' },
      selected,
    ]),
  )
})

test('what fails is told with the resource, and an object that cannot be read leaves it out of step', async (t) => {
  const { client } = serverOf('a')
  const told: string[] = []
  const onError = (_: unknown, where: string) => void told.push(where)
  const cache = keep(client, kind, { ...keeping, onError }, () => {
    throw new TypeError('not to be read')
  })
  t.after(() => cache.stop())
  while (told.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.match(told[0] ?? '', /^pods\//)
  assert.equal(cache.synced(), false)
})
