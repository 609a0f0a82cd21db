import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { TestApi } from './api-builder.ts'

const api = new TestApi()
let client: KubeClient
before(async () => {
  client = await api.start()
})
after(() => api.stop())

interface Told {
  readonly type: string
  readonly object: {
    readonly metadata: { readonly name?: string; readonly resourceVersion?: string }
    readonly code?: number
  }
}

const path = '/api/v1/namespaces/a/configmaps'

async function make(name: string, labels = {}) {
  const metadata = { name, labels }
  const { body } = await client.request({ method: 'POST', path, body: { metadata } })
  return (body as Told['object']).metadata.resourceVersion ?? ''
}

/** What a watch tells while `work` is done, until it has told `count` events. */
async function told(query: Record<string, string>, count: number, work: () => Promise<unknown>) {
  const stream = await client.stream({ path, query: { watch: 'true', ...query } })
  const events: Told[] = []
  let rest = ''
  const working = work()
  for await (const chunk of stream) {
    rest += String(chunk)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) events.push(JSON.parse(line))
    if (events.length >= count) break
  }
  await working
  return events.map(({ type, object }) => `${type} ${object.metadata.name ?? object.code ?? ''}`)
}

describe('watches', () => {
  it('tell what is, then what happens', async () => {
    await make('one')
    const events = await told({}, 3, async () => {
      await make('two')
      await client.request({ method: 'DELETE', path: `${path}/one` })
    })
    assert.deepEqual(events, ['ADDED one', 'ADDED two', 'DELETED one'])
  })

  it('go on from a revision, and say when that is forgotten', async () => {
    const from = await make('three')
    await make('four')
    const query = { resourceVersion: from }
    assert.deepEqual(await told(query, 2, () => make('five')), ['ADDED four', 'ADDED five'])
    api.store.compact()
    assert.deepEqual(await told({ resourceVersion: from }, 1, async () => undefined), ['ERROR 410'])
  })

  it('with a selection see come and go what enters and leaves it', async () => {
    const from = String(api.store.revision)
    const relabel = (app: string) =>
      client.request({
        ...{ method: 'PATCH', path: `${path}/six`, contentType: 'application/merge-patch+json' },
        body: { metadata: { labels: { app } } },
      })
    const events = await told({ resourceVersion: from, labelSelector: 'app=web' }, 3, async () => {
      await make('six', { app: 'api' })
      await relabel('web')
      await client.request({
        ...{ method: 'PATCH', path: `${path}/six`, contentType: 'application/merge-patch+json' },
        body: { data: { k: 'v' } },
      })
      await relabel('api')
    })
    assert.deepEqual(events, ['ADDED six', 'MODIFIED six', 'DELETED six'])
  })

  it('mark the end of what was there for who asks for it', async () => {
    const query = {
      sendInitialEvents: 'true',
      allowWatchBookmarks: 'true',
      resourceVersionMatch: 'NotOlderThan',
    }
    const events = await told(
      query,
      api.store.list('configmaps', 'a').length + 1,
      async () => undefined,
    )
    assert.equal(events.at(-1)?.split(' ')[0], 'BOOKMARK')
  })
})
