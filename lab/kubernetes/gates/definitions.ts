import { isDeepStrictEqual } from 'node:util'
import { customKinds } from '../crds/custom-kind.ts'
import { definitionStatus } from '../crds/established.ts'
import type { StoredObject } from '../objects.ts'
import type { Registry } from '../resources/registry.ts'
import type { ObjectStore } from '../store/store.ts'

const definitions = 'customresourcedefinitions.apiextensions.k8s.io'

/** Serves what the stored definitions define, from now on, and says of each that it is served. */
export function serveDefinitions(
  store: ObjectStore,
  registry: Registry,
  now: () => number,
  onError: (error: unknown) => void,
): void {
  const establish = (definition: StoredObject) => {
    const { name } = definition.metadata
    try {
      const kinds = customKinds(definition)
      registry.replaceCustom(
        name,
        kinds.map(({ resource }) => resource),
      )
    } catch (error) {
      onError(error)
      return
    }
    const others = store.list(definitions).filter(({ metadata }) => metadata.name !== name)
    const status = definitionStatus(definition, others, new Date(now()).toISOString())
    if (isDeepStrictEqual(timeless(definition.status), timeless(status))) return
    store.put({ collection: definitions, namespace: '', name }, { ...definition, status })
  }
  for (const definition of store.list(definitions)) establish(definition)
  store.listen(({ place, after }) => {
    if (place.collection !== definitions) return
    if (after === undefined) registry.replaceCustom(place.name, [])
    // not within the write itself: its writer is answered with what he wrote
    else queueMicrotask(() => newest(store, place.name, establish))
  })
}

/** A condition that holds since long is no news. */
function timeless(status: unknown): unknown {
  return JSON.parse(JSON.stringify(status ?? {}), (key, value) =>
    key === 'lastTransitionTime' ? undefined : value,
  )
}

function newest(store: ObjectStore, name: string, use: (one: StoredObject) => void): void {
  const found = store.get({ collection: definitions, namespace: '', name })
  if (found !== undefined) use(found)
}
