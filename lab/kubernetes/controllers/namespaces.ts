import { isRecord } from '@jackstay/kube/resources'
import { listAt, textAt } from '../resources/columns.ts'
import { type Controller, placeIn } from './controller.ts'

const namespaces = { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces' }
/** Until everything in it has gone, it is looked at this often. */
const againMs = 200

/** Empties namespaces that are to go, then lets them. */
export const namespaceController: Controller<'namespaces'> = {
  name: 'namespace-controller',
  watches: {
    namespaces: { type: namespaces, keys: ({ metadata }) => [metadata.name ?? ''] },
  },
  async reconcile(key, { client, caches, signal }) {
    const { name } = placeIn(key)
    const namespace = caches.namespaces.get(undefined, name)
    if (namespace?.metadata.deletionTimestamp === undefined) return undefined
    let left = 0
    for (const path of await collections(async (at) => {
      const { body } = await client.request({ method: 'GET', path: at, signal })
      return body
    })) {
      const within = path.replace('/*/', `/namespaces/${name}/`)
      const listed = await client.request({ method: 'GET', path: within, signal })
      const items = listAt(listed.body, 'items')
      if (items.length === 0) continue
      left += items.length
      await client.request({ method: 'DELETE', path: within, signal })
    }
    if (left > 0) return againMs
    const body = { ...namespace, spec: { finalizers: [] } }
    const path = `/api/v1/namespaces/${name}/finalize`
    const done = await client.request({ method: 'PUT', path, body, signal })
    if (done.status >= 300) throw new Error(`\`${name}\` was not let go: ${done.status}`)
    return undefined
  },
}

/** Paths of everything that lies in namespaces and can be deleted, with `*` for the namespace. */
async function collections(ask: (path: string) => Promise<unknown>): Promise<readonly string[]> {
  const groups = listAt(await ask('/apis'), 'groups').flatMap((group) =>
    listAt(group, 'versions').map((version) => `/apis/${textAt(version, 'groupVersion')}`),
  )
  const found: string[] = []
  for (const root of ['/api/v1', ...groups]) {
    for (const resource of listAt(await ask(root), 'resources')) {
      const verbs = listAt(resource, 'verbs')
      const isOurs = isRecord(resource) && resource.namespaced === true
      if (isOurs && verbs.includes('deletecollection')) {
        found.push(`${root}/*/${textAt(resource, 'name')}`)
      }
    }
  }
  return found
}
