import type { KubeObject, StoredObject } from '../objects.ts'
import type { Lister } from './lister.ts'

/** A lister of objects written down in a test, with the group that their `apiVersion` names. */
export function listerOf(...objects: readonly KubeObject[]): Lister {
  const stored = objects.map(storedObject)
  const of = (collection: string) => stored.filter((object) => collectionOf(object) === collection)
  return {
    get: ({ collection, namespace, name }) =>
      of(collection).find(
        ({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace,
      ),
    list: (collection, namespace) =>
      of(collection).filter(
        ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
      ),
  }
}

export function storedObject(object: KubeObject): StoredObject {
  const { apiVersion = 'v1', kind = '', metadata, ...rest } = object
  const { name = '' } = metadata
  return {
    ...rest,
    apiVersion,
    kind,
    metadata: {
      uid: `uid-${name}`,
      resourceVersion: '1',
      ...metadata,
      creationTimestamp: metadata.creationTimestamp ?? '2026-01-01T00:00:00Z',
      name,
    },
  }
}

function collectionOf({ apiVersion, kind }: StoredObject): string {
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : ['']
  return `${kind.toLowerCase()}s${group === '' ? '' : `.${group}`}`
}
