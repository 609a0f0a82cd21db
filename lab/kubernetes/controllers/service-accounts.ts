import { type Controller, placeIn } from './controller.ts'

const account = { apiVersion: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts' }

/** Every namespace has a service account for Pods that name none. */
export const serviceAccountController: Controller<'accounts' | 'namespaces'> = {
  name: 'service-account-controller',
  watches: {
    namespaces: {
      type: { apiVersion: 'v1', resource: 'namespaces' },
      keys: ({ metadata }) => [metadata.name ?? ''],
    },
    accounts: { type: account, keys: ({ metadata }) => [metadata.namespace ?? ''] },
  },
  async reconcile(key, { client, caches, signal }) {
    const { name } = placeIn(key)
    const namespace = caches.namespaces.get(undefined, name)
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined)
      return undefined
    if (caches.accounts.get(name, 'default') !== undefined) return undefined
    const object = { ...account, metadata: { name: 'default', namespace: name } }
    const { apiVersion, kind, metadata } = object
    const made = await client.create(account, name, { apiVersion, kind, metadata }, { signal })
    if (made.kind === 'refused') throw new Error(made.message)
    return undefined
  },
}
